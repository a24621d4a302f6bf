#include "net/socket.h"

#include <linux/netfilter_ipv4.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/keepalive.h"
#include "net/system_calls.h"

namespace weft::net {
namespace {

/// How long a listener rests that cannot take a connection.
constexpr Duration kListenerBackoff = 100ms;
constexpr int kIp6OriginalDestination = 80;  // IP6T_SO_ORIGINAL_DST; its header does not compile as C++

IoResult from_errno() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {0, IoError::kWouldBlock};
  return {0, IoError::kReset};
}

bool out_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
         error == EADDRNOTAVAIL || error == EAGAIN;
}

void disable_nagle(int fd, int family) {
  if (family == AF_UNIX) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// Whether the socket file of a program that has ended was in the way, and is gone now. What is no socket
/// stays, and so does one with a listener.
bool removed_stale_socket(const Address& at) {
  struct stat there{};
  if (!at.is_unix() || ::lstat(at.to_string().c_str(), &there) != 0 || !S_ISSOCK(there.st_mode)) return false;
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe || ::connect(probe.get(), at.data(), at.size()) == 0 || errno != ECONNREFUSED) return false;
  return ::unlink(at.to_string().c_str()) == 0;
}

}  // namespace

void ask_for_keepalive(int fd) {
  const int on = 1, idle = 15, interval = 5, count = 3;
  const unsigned unacknowledged_ms = 30'000;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms, sizeof unacknowledged_ms);
}

std::string read_to_end(int fd) {
  std::string text;
  char block[16384];
  for (;;) {
    const ssize_t got = ::read(fd, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(block, static_cast<std::size_t>(got));
  }
}

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<std::unique_ptr<Socket>> Socket::adopt(Loop& loop, Fd fd) {
  std::unique_ptr<Socket> socket(new Socket(loop, std::move(fd)));
  WEFT_CHECK(socket->watch_.start(loop, socket->fd_.get(), *socket));
  return socket;
}

Fd Socket::release(std::unique_ptr<Socket> socket) {
  socket->watch_.stop();
  return std::move(socket->fd_);
}

Socket::~Socket() { watch_.stop(); }

IoResult Socket::try_read(std::span<char> into) {
  if (!fd_) return {0, IoError::kClosed};
  if (took_enough()) return {0, IoError::kWouldBlock};
  ssize_t got;
  do got = receive(fd_.get(), into, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) {
    const IoResult result = from_errno();
    if (result.error == IoError::kWouldBlock) {
      may_read_ = false;
      note_empty();
    }
    return result;
  }
  if (got == 0) return {0, IoError::kEnd};
  note_taken(static_cast<std::size_t>(got));
  // A short read empties a stream socket (epoll(7)): the next byte or end raises a new edge.
  if (static_cast<std::size_t>(got) < into.size() && !peer_ended_) may_read_ = false;
  return {static_cast<std::size_t>(got), IoError::kNone};
}

IoResult Socket::peek(std::span<char> into) {
  if (!fd_) return {0, IoError::kClosed};
  ssize_t got;
  do got = receive(fd_.get(), into, MSG_PEEK);
  while (got < 0 && errno == EINTR);
  may_read_ = false;
  if (got < 0) return from_errno();
  if (got == 0) return {0, IoError::kEnd};
  return {static_cast<std::size_t>(got), IoError::kNone};
}

bool Socket::quiet() {
  if (closed() || peer_ended_ || peer_broken_) return false;
  if (!may_read_ && !held_back()) return true;
  // The last read filled its buffer, or something came while there was no reader: only the kernel knows.
  // A reader that is held back stays so: else one turn would never end.
  const bool could_read = may_read_;
  char byte;
  const IoResult got = peek({&byte, 1});
  if (got.error == IoError::kWouldBlock) return true;
  may_read_ = could_read;
  return false;
}

IoResult Socket::try_write(std::span<const iovec> parts) {
  if (!fd_) return {0, IoError::kClosed};
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t sent;
  do
    sent = parts.size() == 1 ? send_bytes(fd_.get(), parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL)
                             : send_message(fd_.get(), message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    const IoResult result = from_errno();
    if (result.error == IoError::kWouldBlock) may_write_ = false;
    return result;
  }
  return {static_cast<std::size_t>(sent), IoError::kNone};
}

void Socket::shutdown_write() {
  if (fd_) ::shutdown(fd_.get(), SHUT_WR);
}

void Socket::do_close(bool reset) {
  watch_.stop();
  if (reset && fd_) {
    const linger now{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  fd_.reset();
}

Address Socket::local_address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return Address::from(reinterpret_cast<sockaddr*>(&storage), length);
}

Address Socket::peer_address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return Address::from(reinterpret_cast<sockaddr*>(&storage), length);
}

Address Socket::original_destination() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockopt(fd_.get(), SOL_IP, SO_ORIGINAL_DST, address, &length) == 0)
    return Address::from(address, length);
  length = sizeof storage;
  if (getsockopt(fd_.get(), SOL_IPV6, kIp6OriginalDestination, address, &length) == 0)
    return Address::from(address, length);
  return {};
}

std::optional<Socket::Credentials> Socket::peer_credentials() const {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return std::nullopt;
  return Credentials{credentials.pid, credentials.uid, credentials.gid};
}

Task<Result<std::unique_ptr<Socket>>> connect(Loop& loop, Address to, ConnectOptions options) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd)
    co_return fail(
        Error::upstream(Code::kExhausted, Retry::kNever, "cannot make a socket: " + errno_text(errno)));
  disable_nagle(fd.get(), to.family());
  if (options.keepalive && to.is_ip()) ask_for_keepalive(fd.get());
  if (options.mark != 0 && setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &options.mark, sizeof options.mark) != 0)
    co_return fail(Error::internal(Code::kDenied, "cannot mark a socket: " + errno_text(errno)));
  if (!options.bind_source.empty()) {
    const int on = 1;
    // Without this a bound source address would take a port per connection, not per destination.
    setsockopt(fd.get(), SOL_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd.get(), options.bind_source.data(), options.bind_source.size()) != 0)
      co_return fail(
          Error::upstream(Code::kExhausted, Retry::kNever,
                          "cannot bind " + options.bind_source.to_string() + ": " + errno_text(errno)));
  }
  const int started = ::connect(fd.get(), to.data(), to.size());
  const int start_error = started == 0 ? 0 : errno;
  if (start_error != 0 && start_error != EINPROGRESS) {
    co_return fail(Error::upstream(out_of_resources(start_error) ? Code::kExhausted : Code::kRefused,
                                   Retry::kElsewhere,
                                   "connect " + to.to_string() + ": " + errno_text(start_error)));
  }
  const int descriptor = fd.get();
  auto adopted = Socket::adopt(loop, std::move(fd));
  if (!adopted) co_return std::unexpected(std::move(adopted).error());
  std::unique_ptr<Socket> socket = std::move(*adopted);
  if (start_error == EINPROGRESS) {
    socket->may_write_ = false;  // until the edge that ends the connect
    socket->set_write_deadline(options.deadline);
    const IoError waited = co_await socket->writable();
    socket->set_write_deadline(kNever);
    if (waited == IoError::kTimeout)
      co_return fail(
          Error::upstream(Code::kTimeout, Retry::kElsewhere, "connect " + to.to_string() + ": timed out"));
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0)
      co_return fail(Error::upstream(out_of_resources(error) ? Code::kExhausted : Code::kRefused,
                                     Retry::kElsewhere,
                                     "connect " + to.to_string() + ": " + errno_text(error)));
  }
  co_return socket;
}

Result<Fd> make_listening_fd(const Address& at, ListenOptions options) {
  Fd fd(::socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fail(Error::internal(Code::kExhausted, "cannot make a socket: " + errno_text(errno)));
  const int on = 1;
  if (at.is_ip()) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (options.reuse_port) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (options.v6_only && at.family() == AF_INET6) setsockopt(fd.get(), SOL_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (options.transparent) setsockopt(fd.get(), SOL_IP, IP_TRANSPARENT, &on, sizeof on);
  // The file gets the socket's mode (unix(7)); chmod() afterwards would leave a moment for others.
  if (options.owner_only && !at.is_ip() && ::fchmod(fd.get(), 0600) != 0)
    return fail(Error::internal(Code::kInternal,
                                at.to_string() + ": cannot restrict the socket: " + errno_text(errno)));
  int bound = ::bind(fd.get(), at.data(), at.size());
  if (bound != 0 && errno == EADDRINUSE && removed_stale_socket(at))
    bound = ::bind(fd.get(), at.data(), at.size());
  if (bound != 0 || ::listen(fd.get(), options.backlog) != 0) {
    const int error = errno;
    const std::string why = error == EADDRINUSE ? "the port is in use by another program" : errno_text(error);
    return fail(Error::config(error == EADDRINUSE ? Code::kConflict : Code::kInvalid,
                              "cannot listen on " + at.to_string() + ": " + why));
  }
  return fd;
}

Result<std::unique_ptr<Listener>> Listener::listen(Loop& loop, const Address& at, ListenOptions options) {
  WEFT_TRY(Fd fd, make_listening_fd(at, options));
  return adopt(loop, std::move(fd), false);
}

Result<std::unique_ptr<Listener>> Listener::adopt(Loop& loop, Fd fd, bool shared) {
  std::unique_ptr<Listener> listener(new Listener(loop, std::move(fd)));
  listener->shared_ = shared;
  WEFT_CHECK(listener->watch_.start(loop, listener->fd_.get(), *listener, shared));
  return listener;
}

Listener::~Listener() { watch_.stop(); }

void Listener::close() {
  watch_.stop();
  fd_.reset();
  if (waiting_) std::exchange(waiting_, {}).resume();
}

void Listener::on_ready(Ready) {
  may_accept_ = true;
  if (waiting_) std::exchange(waiting_, {}).resume();
}

Address Listener::local_address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return Address::from(reinterpret_cast<sockaddr*>(&storage), length);
}

/// Unwatched meanwhile: a shared listener is told again and again as long as a connection waits in its queue.
Task<void> Listener::pause() {
  watch_.stop();
  do {
    co_await loop_.sleep(kListenerBackoff);
  } while (fd_ && !watch_.start(loop_, fd_.get(), *this, shared_));
}

/// What accept(2) says of a connection, and not of the listener.
bool died_in_the_queue(int error) {
  constexpr int kErrors[] = {EINTR,     ECONNABORTED, EPROTO,       ENETDOWN,   ENOPROTOOPT,
                             EHOSTDOWN, ENONET,       EHOSTUNREACH, ENETUNREACH};
  return std::ranges::find(kErrors, error) != std::end(kErrors);
}

/// The first connection of the queue that is alive; if there is none, errno says why.
Fd Listener::take() {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t length = sizeof peer;
    Fd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd && died_in_the_queue(errno)) continue;
    if (fd) disable_nagle(fd.get(), peer.ss_family);
    return fd;
  }
}

std::unique_ptr<Socket> Listener::accept_waiting() {
  Fd fd = take();
  if (!fd) return nullptr;
  auto socket = Socket::adopt(loop_, std::move(fd));
  return socket ? std::move(*socket) : nullptr;
}

Task<Result<std::unique_ptr<Socket>>> Listener::accept() {
  for (;;) {
    if (!fd_) co_return fail(Error::internal(Code::kCancelled, "listener closed"));
    if (Fd fd = take()) {
      auto socket = Socket::adopt(loop_, std::move(fd));
      if (socket) co_return socket;
      co_await pause();
      continue;
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK) {
      co_await pause();
      continue;
    }
    may_accept_ = false;
    co_await Wait{*this};
  }
}

}  // namespace weft::net
