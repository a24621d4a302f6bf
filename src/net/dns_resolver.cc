#include "net/dns_resolver.h"

#include <ares.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>

namespace weft::net {

/// A socket of the channel. The loop tells once that it can be read, the library reads once each time it is
/// told: it is told again while there is more.
class DnsResolver::Socket final : private ReadyHandler {
 public:
  Socket(DnsResolver& owner, int fd) : owner_(owner), fd_(fd) {
    static_cast<void>(watch_.start(owner.loop_, fd, *this));
  }
  bool wants_write = false;

 private:
  static constexpr int kMaxRounds = 64;

  void on_ready(Ready) override {
    // The library may close this socket, and so end this object, while it works.
    DnsResolver& owner = owner_;
    const int fd = fd_;
    pollfd state{fd, POLLIN, 0};
    for (int round = 0; round == 0 || (round < kMaxRounds && ::poll(&state, 1, 0) > 0); ++round) {
      const bool write = wants_write;
      ares_process_fd(owner.channel_, fd, write ? fd : ARES_SOCKET_BAD);
      const auto now = owner.sockets_.find(fd);
      if (now == owner.sockets_.end() || now->second.get() != this) break;
    }
    owner.arm();
  }

  DnsResolver& owner_;
  int fd_;
  FdWatch watch_;
};

/// One name being looked up; owned by the library's callback.
struct DnsResolver::Question {
  Loop& loop;
  std::string host;
  std::uint16_t port;
  Callback done;
  std::weak_ptr<char> resolver;

  void finish(Result<Addresses> addresses) {
    auto shared = std::make_shared<Result<Addresses>>(std::move(addresses));
    loop.defer([done = std::move(done), shared, resolver = resolver] {
      if (!resolver.expired()) done(std::move(*shared));
    });
  }
  void fail_with(int status) {
    const bool none = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    finish(fail(Error::upstream(none ? Code::kNotFound : Code::kUnavailable, Retry::kNever,
                                "cannot resolve '" + host + "': " + ares_strerror(status))));
  }

  static void on_result(void* self, int status, int, ares_addrinfo* found) {
    const std::unique_ptr<Question> question(static_cast<Question*>(self));
    const std::unique_ptr<ares_addrinfo, decltype(&ares_freeaddrinfo)> owned(found, &ares_freeaddrinfo);
    if (status == ARES_EDESTRUCTION) return;
    if (status != ARES_SUCCESS) return question->fail_with(status);
    Addresses addresses;
    for (const ares_addrinfo_node* one = found->nodes; one; one = one->ai_next) {
      addresses.list.push_back(Address::from(one->ai_addr, one->ai_addrlen).with_port(question->port));
      const std::chrono::seconds ttl(std::max(one->ai_ttl, 0));
      addresses.ttl = one == found->nodes ? ttl : std::min(addresses.ttl, ttl);
    }
    question->finish(std::move(addresses));
  }
};

DnsResolver::DnsResolver(Loop& loop, std::string servers)
    : loop_(loop), servers_(std::move(servers)), timer_(loop, [this] { time_out(); }) {}

DnsResolver::~DnsResolver() {
  if (channel_) ares_destroy(channel_);
}

Result<void> DnsResolver::open() {
  // Once in a process, before any channel; it does nothing but set pointers.
  static const int library = ares_library_init(ARES_LIB_INIT_ALL);
  ares_options options{};
  options.sock_state_cb_data = this;
  options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<DnsResolver*>(self)->watch(fd, readable != 0, writable != 0);
  };
  int status = library;
  if (status == ARES_SUCCESS) status = ares_init_options(&channel_, &options, ARES_OPT_SOCK_STATE_CB);
  if (status == ARES_SUCCESS && !servers_.empty())
    status = ares_set_servers_ports_csv(channel_, servers_.c_str());
  if (status == ARES_SUCCESS) return {};
  return fail(Error::internal(Code::kInternal, std::string("the resolver: ") + ares_strerror(status)));
}

void DnsResolver::resolve(std::string host, std::uint16_t port, Callback done) {
  auto question = std::make_unique<Question>(Question{loop_, std::move(host), port, std::move(done), alive_});
  if (!channel_)
    if (auto opened = open(); !opened) return question->finish(fail(std::move(opened).error()));
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  Question* asked = question.release();
  ares_getaddrinfo(channel_, asked->host.c_str(), nullptr, &hints, &Question::on_result, asked);
  arm();
}

void DnsResolver::watch(int fd, bool readable, bool writable) {
  if (!readable && !writable) {
    sockets_.erase(fd);
    return;
  }
  auto& socket = sockets_[fd];
  if (!socket) socket = std::make_unique<Socket>(*this, fd);
  socket->wants_write = writable;
}

void DnsResolver::arm() {
  timeval rest{};
  if (!channel_ || !ares_timeout(channel_, nullptr, &rest)) return timer_.disarm();
  timer_.arm(loop_.now() + std::chrono::seconds(rest.tv_sec) + std::chrono::microseconds(rest.tv_usec));
}

void DnsResolver::time_out() {
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  arm();
}

}  // namespace weft::net
