#include "pod/dns_proxy.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "pod/dns_message.h"

namespace weft::pod {
namespace {

constexpr int kRounds = 2;
// Of what a server sends that is not a response to its question; then it counts as silent.
constexpr int kMaxStrayMessages = 16;
// Of what clients ask in one turn of the loop, so that other work gets its turn.
constexpr int kMaxAtOnce = 64;

std::unexpected<Error> cannot(const std::string& what, const net::Address& at) {
  const std::string why = errno == EADDRINUSE ? "the port is in use by another program" : strerror(errno);
  return fail(Error::config(errno == EADDRINUSE ? Code::kConflict : Code::kInvalid,
                            "DNS proxy: cannot " + what + " " + at.to_string() + ": " + why));
}

Result<net::Fd> datagram_socket(const net::Address& of) {
  net::Fd fd(::socket(of.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return cannot("make a UDP socket for", of);
  return fd;
}

/// Only what the server sends is received, and its rejection (ICMP) is seen.
Result<std::unique_ptr<net::Socket>> towards(net::Loop& loop, const net::Address& server) {
  WEFT_TRY(net::Fd fd, datagram_socket(server));
  if (::connect(fd.get(), server.data(), server.size()) != 0) return cannot("ask", server);
  return net::Socket::adopt(loop, std::move(fd));
}

/// RFC 1035, 4.2.2: two bytes of length, then the message. Empty: it ended, or was too slow.
net::Task<std::string> read_message(net::Stream& from) {
  std::string message(2, '\0');
  std::size_t have = 0;
  bool has_length = false;
  while (have < message.size()) {
    const net::IoResult got = co_await from.read(std::span(message).subspan(have));
    if (!got.ok()) co_return std::string();
    have += got.bytes;
    if (have < message.size() || has_length) continue;
    const std::size_t length =
        std::size_t{static_cast<unsigned char>(message[0])} << 8 | static_cast<unsigned char>(message[1]);
    has_length = true;
    have = 0;
    message.assign(length, '\0');
  }
  co_return message;
}

std::string with_length(std::string_view message) {
  std::string made;
  made += static_cast<char>(message.size() >> 8);
  made += static_cast<char>(message.size() & 0xff);
  return made.append(message);
}

}  // namespace

Result<std::unique_ptr<DnsProxy>> DnsProxy::open(net::Loop& loop, Options options) {
  std::unique_ptr<DnsProxy> made(new DnsProxy(loop, std::move(options)));
  const net::Address& at = made->options_.at;
  WEFT_TRY(net::Fd fd, datagram_socket(at));
  if (::bind(fd.get(), at.data(), at.size()) != 0) return cannot("listen on", at);
  WEFT_TRY(made->listener_, net::Listener::listen(loop, at));
  made->port_ = std::make_unique<Port>(*made, std::move(fd));
  WEFT_CHECK(made->port_->start());
  made->accepting_.spawn(made->accept());
  return made;
}

DnsProxy::~DnsProxy() = default;

net::Address DnsProxy::udp_address() const { return port_->address(); }
net::Address DnsProxy::tcp_address() const { return listener_->local_address(); }

net::Address DnsProxy::Port::address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return net::Address::from(reinterpret_cast<sockaddr*>(&storage), length);
}

void DnsProxy::Port::on_ready(Ready) {
  for (int i = 0; i < kMaxAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const ssize_t got = ::recvfrom(fd_.get(), owner_.block_.data(), owner_.block_.size(), 0,
                                   reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got < 0) continue;
    owner_.take({owner_.block_.data(), static_cast<std::size_t>(got)},
                net::Address::from(reinterpret_cast<sockaddr*>(&from), length));
  }
  // Readiness is said once: what is left is ours to remember.
  owner_.loop_.defer([this, alive = std::weak_ptr(owner_.alive_)] {
    if (!alive.expired()) on_ready({});
  });
}

void DnsProxy::Port::send(std::string_view message, const net::Address& to) const {
  // A full buffer loses a response, as a network does; the client asks again.
  (void)::sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL, to.data(), to.size());
}

void DnsProxy::take(std::string_view message, const net::Address& client) {
  // What is not a question gets no response: it might be a response's response.
  if (!is_dns_question(message)) return;
  if (questions_.active() >= options_.max_questions) return port_->send(dns_server_failure(message), client);
  questions_.spawn(respond(std::string(message), client));
}

net::Task<void> DnsProxy::respond(std::string question, net::Address client) {
  for (int round = 0; round < kRounds; ++round) {
    for (const net::Address& server : options_.servers) {
      const bool resolved = co_await ask(question, server, client);
      if (resolved) co_return;
    }
  }
  note(false);
  port_->send(dns_server_failure(question), client);
}

/// Whether the server responded; the client then has it.
net::Task<bool> DnsProxy::ask(const std::string& question, const net::Address& server,
                              const net::Address& client) {
  const auto socket = towards(loop_, server);
  if (!socket) co_return false;
  net::Socket& to = **socket;
  const iovec part{const_cast<char*>(question.data()), question.size()};
  if (!to.try_write({&part, 1}).ok()) co_return false;
  to.set_read_deadline(loop_.now() + options_.timeout);
  for (int stray = 0; stray < kMaxStrayMessages;) {
    const net::IoResult got = to.try_read(block_);
    if (got.error == net::IoError::kWouldBlock) {
      const net::IoError waited = co_await to.readable();
      if (waited != net::IoError::kNone) co_return false;
      continue;
    }
    if (got.error == net::IoError::kReset) co_return false;
    const std::string_view message(block_.data(), got.bytes);
    if (is_dns_response_to(message, question)) {
      note(true);
      port_->send(message, client);
      co_return true;
    }
    ++stray;
  }
  co_return false;
}

net::Task<void> DnsProxy::accept() {
  for (;;) {
    auto client = co_await listener_->accept();
    if (!client) co_return;
    connections_.spawn(serve(std::move(*client)));
    while (connections_.active() >= options_.max_connections) co_await loop_.sleep(20ms);
  }
}

net::Task<void> DnsProxy::serve(std::unique_ptr<net::Socket> client) {
  for (;;) {
    client->set_read_deadline(loop_.now() + options_.idle);
    const std::string question = co_await read_message(*client);
    if (!is_dns_question(question)) co_return;
    std::string response = co_await ask_by_tcp(question);
    note(!response.empty());
    if (response.empty()) response = dns_server_failure(question);
    client->set_write_deadline(loop_.now() + options_.idle);
    const std::string framed = with_length(response);
    const net::IoResult written = co_await client->write(framed);
    if (!written.ok()) co_return;
  }
}

net::Task<std::string> DnsProxy::ask_by_tcp(const std::string& question) {
  for (const net::Address& server : options_.servers) {
    std::string response = co_await ask_by_tcp(question, server);
    if (is_dns_response_to(response, question)) co_return response;
  }
  co_return std::string();
}

net::Task<std::string> DnsProxy::ask_by_tcp(const std::string& question, const net::Address& server) {
  net::ConnectOptions how;
  how.deadline = loop_.now() + options_.timeout;
  auto socket = co_await net::connect(loop_, server, how);
  if (!socket) co_return std::string();
  (*socket)->set_write_deadline(how.deadline);
  (*socket)->set_read_deadline(how.deadline);
  const std::string framed = with_length(question);
  const net::IoResult written = co_await (*socket)->write(framed);
  if (!written.ok()) co_return std::string();
  co_return co_await read_message(**socket);
}

/// One line when the servers stop responding, one when they respond again.
void DnsProxy::note(bool resolved) {
  if (resolved != failing_) return;
  failing_ = !resolved;
  std::string servers;
  for (const net::Address& each : options_.servers)
    servers += (servers.empty() ? "" : ", ") + each.to_string();
  if (failing_)
    WEFT_LOG(kWarn, "dns", "no server of /etc/resolv.conf responds to the pod's questions",
             {"servers", servers});
  else
    WEFT_LOG(kInfo, "dns", "a server responds to the pod's questions again", {"servers", servers});
}

}  // namespace weft::pod
