#include "store/kubernetes/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "net/socket.h"

namespace weft::store {
namespace {

constexpr std::size_t kMax = 4 * 1024 * 1024;

std::unexpected<Error> reject(const std::string& path, int number) {
  const Code code = number == ENOENT || number == ENOTDIR ? Code::kNotFound : Code::kDenied;
  return fail(Error::config(code, path + ": " + errno_text(number)));
}

}  // namespace

Result<std::string> read_small_file(const std::string& path) {
  // Not blocking: a named pipe in the place of a file must not hold us.
  const net::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return reject(path, errno);
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return reject(path, errno);
  if (!S_ISREG(status.st_mode)) return fail(Error::config(Code::kInvalid, path + ": is not a file"));
  std::string text;
  char piece[16384];
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return reject(path, errno);
    if (got == 0) return text;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > kMax) return fail(Error::config(Code::kTooLarge, path + ": is larger than 4 MB"));
  }
}

}  // namespace weft::store
