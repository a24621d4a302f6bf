#pragma once

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <span>

/// The system calls of the request path as in the manual, errno included, but for one thing: they are no
/// points at which a thread can be cancelled. In a program with threads the C library's own cost two locked
/// instructions each for that, and no thread of ours is ever cancelled. Sanitizers see the C library's.
namespace weft::net {

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)

inline ssize_t receive(int fd, std::span<char> into, int flags) {
  return ::recv(fd, into.data(), into.size(), flags);
}
inline ssize_t send_bytes(int fd, const void* data, std::size_t size, int flags) {
  return ::send(fd, data, size, flags);
}
inline ssize_t send_message(int fd, const msghdr& message, int flags) {
  return ::sendmsg(fd, &message, flags);
}
inline int wait_for_events(int epoll, std::span<epoll_event> into, int milliseconds) {
  return ::epoll_wait(epoll, into.data(), static_cast<int>(into.size()), milliseconds);
}

#else

inline ssize_t receive(int fd, std::span<char> into, int flags) {
  return ::syscall(SYS_recvfrom, fd, into.data(), into.size(), flags, nullptr, nullptr);
}
inline ssize_t send_bytes(int fd, const void* data, std::size_t size, int flags) {
  return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}
inline ssize_t send_message(int fd, const msghdr& message, int flags) {
  return ::syscall(SYS_sendmsg, fd, &message, flags);
}
inline int wait_for_events(int epoll, std::span<epoll_event> into, int milliseconds) {
  return static_cast<int>(
      ::syscall(SYS_epoll_pwait, epoll, into.data(), into.size(), milliseconds, nullptr, 0));
}

#endif

}  // namespace weft::net
