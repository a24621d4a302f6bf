#pragma once

#include <memory>
#include <optional>

#include "net/address.h"
#include "net/stream.h"

namespace weft::net {

/// A descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// What can be read from a blocking descriptor until its end, or until it fails.
std::string read_to_end(int fd);

struct ConnectOptions;

/// Whether a TCP peer's machine has acknowledged every byte that was written to `fd`; true where the kernel
/// does not say.
bool delivered(int fd);

/// A connected TCP or Unix socket as a Stream. TCP sockets have Nagle's delay off. A reader of one that is
/// never empty is told now and then that nothing is there, so that everything else of the loop has its turn.
class Socket final : public Stream, private ReadyHandler {
 public:
  /// Takes a connected, non-blocking descriptor.
  static Result<std::unique_ptr<Socket>> adopt(Loop& loop, Fd fd);
  /// Gives the descriptor away, to what goes on with it under TLS.
  static Fd release(std::unique_ptr<Socket> socket);
  ~Socket() override;

  IoResult try_read(std::span<char> into) override;
  IoResult try_write(std::span<const iovec> parts) override;
  void shutdown_write() override;
  IoResult peek(std::span<char> into) override;
  bool delivered() const override { return net::delivered(fd_.get()); }
  bool quiet() override;

  int fd() const { return fd_.get(); }
  Address local_address() const;
  Address peer_address() const;
  /// Where the client meant to go before the kernel redirected it here (SO_ORIGINAL_DST); empty when not
  /// redirected.
  Address original_destination() const;
  /// Unix sockets: the peer's process id, user and group at the time it connected.
  struct Credentials {
    int pid;
    unsigned uid;
    unsigned gid;
  };
  std::optional<Credentials> peer_credentials() const;

 private:
  friend Task<Result<std::unique_ptr<Socket>>> connect(Loop& loop, Address to, ConnectOptions options);
  Socket(Loop& loop, Fd fd) : Stream(loop), fd_(std::move(fd)) {}
  void on_ready(Ready ready) override { notify(ready); }
  void do_close(bool reset) override;

  Fd fd_;
  FdWatch watch_;
};

struct ConnectOptions {
  TimePoint deadline = kNever;
  Address bind_source = {};  ///< empty: the kernel chooses
  std::uint32_t mark =
      0;  ///< SO_MARK when not 0 (needs CAP_NET_ADMIN); capture rules recognise a sidecar by it
  bool keepalive = false;  ///< TCP: a peer that is gone without a word is a broken connection after 30 s
};

/// Connects to an IP or Unix address. Errors: kRefused, kTimeout, kExhausted (no descriptors or ports), blame
/// upstream.
Task<Result<std::unique_ptr<Socket>>> connect(Loop& loop, Address to, ConnectOptions options);

struct ListenOptions {
  bool reuse_port = false;  ///< several loops listen on one address, the kernel spreads connections
  bool transparent = false;
  bool v6_only = false;     ///< an IPv6 socket of all addresses leaves IPv4 to others
  bool owner_only = false;  ///< only who made a Unix socket may connect to it, from its first moment on
  int backlog = 1024;
};

/// A listening socket. Owner: the server that accepts. Thread: one loop.
class Listener final : private ReadyHandler {
 public:
  /// Errors: kConflict when the port is in use; the text names the address.
  static Result<std::unique_ptr<Listener>> listen(Loop& loop, const Address& at, ListenOptions options = {});
  /// Takes a listening descriptor made elsewhere. `shared`: other loops or processes accept from it too.
  static Result<std::unique_ptr<Listener>> adopt(Loop& loop, Fd fd, bool shared);
  ~Listener();

  /// The next connection. When descriptors or the kernel's room to watch them run out it waits (100 ms)
  /// rather than spin. Errors: kCancelled after close().
  Task<Result<std::unique_ptr<Socket>>> accept();
  /// A connection that waits in the queue already. Null: none does, or none can be taken now.
  std::unique_ptr<Socket> accept_waiting();
  void close();
  Address local_address() const;
  int fd() const { return fd_.get(); }

 private:
  Listener(Loop& loop, Fd fd) : loop_(loop), fd_(std::move(fd)) {}
  void on_ready(Ready ready) override;
  Fd take();
  Task<void> pause();
  struct Wait {
    Listener& listener;
    bool await_ready() const noexcept { return listener.may_accept_ || !listener.fd_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { listener.waiting_ = handle; }
    void await_resume() const noexcept {}
    ~Wait() { listener.waiting_ = {}; }
  };

  Loop& loop_;
  Fd fd_;
  FdWatch watch_;
  bool shared_ = false;
  bool may_accept_ = true;
  std::coroutine_handle<> waiting_;
};

/// Makes a listening descriptor without a loop, to be passed to another process or adopted later.
Result<Fd> make_listening_fd(const Address& at, ListenOptions options = {});

}  // namespace weft::net
