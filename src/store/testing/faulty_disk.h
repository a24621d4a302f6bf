#pragma once

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "store/disk.h"

namespace weft::store::testing {

/// A disk that fails when it is told to, after half of the work where there are halves.
class FaultyDisk final : public Disk {
 public:
  int fail_at = INT_MAX;  ///< the number of the call that fails, from 0
  int fail_for = 1;       ///< so many calls from there on
  int error = EIO;
  int calls = 0;
  /// Bytes that still fit; what is cut off is free again.
  off_t room = LLONG_MAX;

  net::Fd open(const std::string& file, int flags, mode_t mode) override {
    if (fails()) return net::Fd();
    return Disk::open(file, flags, mode);
  }
  ssize_t write(int fd, std::string_view bytes) override {
    if (fails()) {
      const ssize_t half = ::write(fd, bytes.data(), bytes.size() / 2);
      if (half > 0) room -= half;
      errno = error;
      return -1;
    }
    if (room <= 0) {
      errno = ENOSPC;
      return -1;
    }
    const auto fit = static_cast<std::size_t>(std::min<off_t>(room, static_cast<off_t>(bytes.size())));
    const ssize_t wrote = Disk::write(fd, bytes.substr(0, fit));
    if (wrote > 0) room -= wrote;
    return wrote;
  }
  int sync(int fd) override { return fails() ? -1 : Disk::sync(fd); }
  int truncate(int fd, off_t size) override {
    if (fails()) return -1;
    const off_t before = ::lseek(fd, 0, SEEK_END);
    const int done = Disk::truncate(fd, size);
    if (done == 0 && room != LLONG_MAX) room += before - size;
    return done;
  }
  int rename(const std::string& from, const std::string& to) override {
    return fails() ? -1 : Disk::rename(from, to);
  }

  std::size_t snapshot_after() const override { return snapshot_after_bytes; }
  std::size_t snapshot_after_bytes = 4 * 1024 * 1024;

 private:
  bool fails() {
    const int call = calls++;
    if (call < fail_at || call - fail_at >= fail_for) return false;
    errno = error;
    return true;
  }
};

}  // namespace weft::store::testing
