#include "cli/state_directory.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "local/instance_record.h"

namespace weft::cli {
namespace {

constexpr std::size_t kMaxInstance = 40;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool good_instance(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= kMaxInstance &&
         std::isalnum(static_cast<unsigned char>(name[0])) != 0 && std::ranges::all_of(name, plain);
}

}  // namespace

Result<StateDirectory> StateDirectory::resolve(std::string_view instance) {
  if (!good_instance(instance))
    return fail(Error::config(Code::kInvalid, "the instance's name \"" + std::string(instance) +
                                                  "\" may have letters, digits, '-' and '_', at most 40"));
  std::string base = variable("WEFT_STATE_DIR");
  if (base.empty()) {
    base = variable("XDG_STATE_HOME");
    if (base.empty()) {
      base = variable("HOME");
      if (base.empty())
        return fail(Error::config(Code::kInvalid,
                                  "none of WEFT_STATE_DIR, XDG_STATE_HOME and HOME is set: there is no "
                                  "place for the instance's state"));
      base += "/.local/state";
    }
    base += "/weft";
  }
  return StateDirectory(base + "/" + std::string(instance));
}

std::string StateDirectory::log_file(std::string_view ns, std::string_view pod,
                                     std::string_view container) const {
  return path_ + "/logs/" + std::string(ns) + "_" + std::string(pod) + "/" + std::string(container) + ".log";
}

std::string StateDirectory::pod_directory(std::string_view ns, std::string_view pod) const {
  return path_ + "/pods/" + std::string(ns) + "_" + std::string(pod);
}

int StateDirectory::supervisor() const {
  const auto record = local::read_record(path_);
  return record && record->alive() ? record->pid : 0;
}

}  // namespace weft::cli
