#include "local/log_keeper.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "base/log.h"

namespace weft::local {
namespace {

namespace fs = std::filesystem;

constexpr Duration kEvery = 10s;
constexpr std::uint64_t kLimit = 16 * 1024 * 1024;

/// When something was last written to the logs in a folder: a folder itself changes with its names only.
fs::file_time_type last_change(const fs::path& folder) {
  std::error_code error;
  fs::file_time_type latest = fs::last_write_time(folder, error);
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code none;
    const auto time = entry->last_write_time(none);
    if (!none) latest = std::max(latest, time);
  }
  return latest;
}

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

std::size_t remove_old_logs(const std::string& logs, const std::string& pods, std::size_t kept,
                            fs::file_time_type oldest) {
  std::vector<std::pair<fs::file_time_type, fs::path>> gone;
  std::error_code error;
  for (fs::directory_iterator entry(logs, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code none;
    if (!entry->is_directory(none) || entry->is_symlink(none)) continue;
    if (fs::exists(fs::path(pods) / entry->path().filename(), none)) continue;
    gone.emplace_back(last_change(entry->path()), entry->path());
  }
  std::ranges::sort(gone, std::greater{});
  std::size_t removed = 0;
  for (std::size_t i = 0; i < gone.size(); ++i) {
    if (i < kept && gone[i].first >= oldest) continue;
    std::error_code failed;
    fs::remove_all(gone[i].second, failed);
    if (failed)
      WEFT_LOG(kWarn, "local", "old logs", {"folder", gone[i].second.string()}, {"error", failed.message()});
    else
      ++removed;
  }
  return removed;
}

LogKeeper::LogKeeper(net::Loop& loop, std::string folder, std::string pods)
    : loop_(loop), folder_(std::move(folder)), pods_(std::move(pods)), timer_(loop, [this] { look(); }) {}

void LogKeeper::start() { timer_.arm(loop_.now() + kEvery); }

void LogKeeper::look() {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error))
    if (entry->path().extension() == ".log") rotate(entry->path().string(), kLimit);
  remove_old_logs(folder_, pods_, kPodsKept, fs::file_time_type::clock::now() - kKeptFor);
  start();
}

}  // namespace weft::local
