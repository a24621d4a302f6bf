#include "cli/state_directory.h"

#include <signal.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <fstream>

#include "cli/json_path.h"

namespace weft::cli {
namespace {

constexpr std::size_t kLongestInstance = 40;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool good_instance(std::string_view name) {
  const auto plain = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= kLongestInstance &&
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
  std::ifstream file(path_ + "/supervisor.json");
  const api::Json json = api::Json::parse(file, nullptr, false);
  const auto pid = number_at(json, "pid");
  if (pid <= 0 || pid > (1 << 22)) return 0;
  return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM ? static_cast<int>(pid) : 0;
}

}  // namespace weft::cli
