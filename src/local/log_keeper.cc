#include "local/log_keeper.h"

#include <filesystem>

#include "base/log.h"

namespace weft::local {
namespace {

namespace fs = std::filesystem;

constexpr Duration kEvery = 10s;
constexpr std::uint64_t kLimit = 16 * 1024 * 1024;

}  // namespace

bool rotate(const std::string& file, std::uint64_t limit) {
  std::error_code error;
  if (fs::file_size(file, error) <= limit || error) return false;
  fs::copy_file(file, file + ".1", fs::copy_options::overwrite_existing, error);
  if (error) WEFT_LOG(kWarn, "local", "a log cannot be copied", {"file", file}, {"error", error.message()});
  // Its writer appends: what it writes next stands at the new end.
  fs::resize_file(file, 0, error);
  return !error;
}

LogKeeper::LogKeeper(net::Loop& loop, std::string folder)
    : loop_(loop), folder_(std::move(folder)), timer_(loop, [this] { look(); }) {}

void LogKeeper::start() { timer_.arm(loop_.now() + kEvery); }

void LogKeeper::look() {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".log") rotate(entry->path().string(), kLimit);
  start();
}

}  // namespace weft::local
