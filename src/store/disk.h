#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "net/socket.h"

namespace weft::store {

/// The system calls by which a journal changes its files: those of the kernel. A test puts its own in their
/// place, to let each of them fail.
///
/// Every call returns as its system call does and leaves the reason in errno. Thread: the journal's.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual net::Fd open(const std::string& file, int flags, mode_t mode);
  virtual ssize_t write(int fd, std::string_view bytes);
  /// Data and size, not times (fdatasync(2)).
  virtual int sync(int fd);
  virtual int truncate(int fd, off_t size);
  virtual int rename(const std::string& from, const std::string& to);
  virtual int unlink(const std::string& file);
  /// Bytes of journal after which a snapshot is written at the earliest.
  virtual std::size_t snapshot_after() const { return 4 * 1024 * 1024; }
};

/// The kernel's calls.
Disk& real_disk();

}  // namespace weft::store
