#include "store/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace weft::store {

net::Fd Disk::open(const std::string& file, int flags, mode_t mode) {
  return net::Fd(::open(file.c_str(), flags, mode));
}
ssize_t Disk::write(int fd, std::string_view bytes) { return ::write(fd, bytes.data(), bytes.size()); }
int Disk::sync(int fd) { return ::fdatasync(fd); }
int Disk::truncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int Disk::rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str());
}
int Disk::unlink(const std::string& file) { return ::unlink(file.c_str()); }

Disk& real_disk() {
  static Disk disk;
  return disk;
}

}  // namespace weft::store
