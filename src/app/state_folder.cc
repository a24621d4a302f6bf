#include "app/state_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace weft::app {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

std::unexpected<Error> denied(const std::string& path, const std::string& why) {
  return fail(Error::config(Code::kDenied, "the state directory " + path + " " + why));
}

std::string mode_text(mode_t mode) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) digits += static_cast<char>('0' + ((mode >> shift) & 7));
  return digits;
}

/// What stands in a folder that others may write to may be exchanged under our hands.
Result<void> check_above(const std::string& path) {
  const std::string above = fs::path(path).parent_path().string();
  struct stat about{};
  if (::stat(above.c_str(), &about) != 0)
    return fail(Error::config(Code::kInvalid,
                              "the state directory " + path + ": " + above + ": " + errno_text(errno)));
  const bool kept_apart = (about.st_mode & kWritableByOthers) == 0 || (about.st_mode & S_ISVTX) != 0;
  if (kept_apart) return {};
  return denied(path, "is in " + above + ", where others may exchange it (mode " + mode_text(about.st_mode) +
                          "): 'chmod go-w " + above + "', or name another place with WEFT_STATE_DIR");
}

Result<void> make_or_check(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  if (errno != EEXIST)
    return fail(Error::config(Code::kInvalid, "the state directory " + path + ": " + errno_text(errno)));
  struct stat about{};
  if (::lstat(path.c_str(), &about) != 0) return denied(path, errno_text(errno));
  if (S_ISLNK(about.st_mode)) return denied(path, "is a symbolic link: name the folder itself");
  if (!S_ISDIR(about.st_mode)) return denied(path, "is no folder");
  if (about.st_uid != ::geteuid())
    return denied(path, "belongs to user " + std::to_string(about.st_uid) + ", the mesh runs as user " +
                            std::to_string(::geteuid()) +
                            ": remove it, or name another place with WEFT_STATE_DIR");
  if ((about.st_mode & kWritableByOthers) != 0)
    return denied(path, "may be written to by others (mode " + mode_text(about.st_mode) +
                            "): look what they put there, then 'chmod 700 " + path + "'");
  if ((about.st_mode & 0777) != 0700 && ::chmod(path.c_str(), 0700) != 0)
    return denied(path, errno_text(errno));
  return {};
}

}  // namespace

Result<void> make_state_folder(const std::string& path) {
  std::error_code error;
  // A folder that others of the user's group may write to is none of ours, so none is made.
  const mode_t before = ::umask(077);
  fs::create_directories(fs::path(path).parent_path(), error);
  ::umask(before);
  WEFT_CHECK(check_above(path));
  WEFT_CHECK(make_or_check(path));
  for (const char* part : {"/logs", "/pods", "/store"}) {
    struct stat about{};
    const bool there = ::lstat((path + part).c_str(), &about) == 0;
    if (there || part == std::string_view("/logs")) WEFT_CHECK(make_or_check(path + part));
  }
  return {};
}

}  // namespace weft::app
