#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/task.h"

namespace weft::pod {

/// Resolves the questions to port 53 that capture turns to the sidecar (`weft capture --redirect-dns`), by
/// asking the servers the pod would have asked. It knows no names of its own.
///
/// Each question has a socket of its own, so that the kernel chooses its port and only the server asked can
/// respond; what comes back must have the question's id and name. Servers are asked one after the other,
/// twice around over UDP; when none responds the client gets SERVFAIL. Responses go on as they are, truncated
/// ones too: a client then asks by TCP. A response is one message: of a zone transfer that takes several
/// (AXFR, RFC 5936) the client gets the first, and has to ask from an application whose DNS is not captured.
///
/// Bounds: `Options`; who comes above them gets SERVFAIL over UDP, and waits in the kernel over TCP.
/// Owner: Program. Thread: the main loop. How it ends: the destructor; open questions get no response.
class DnsProxy {
 public:
  struct Options {
    net::Address at;                    ///< UDP and TCP; with port 0 each has its own, for tests
    std::vector<net::Address> servers;  ///< in the order in which they are asked
    Duration timeout = 2s;              ///< of one server, once
    Duration idle = 10s;                ///< of a client's TCP connection
    std::size_t max_questions = 512;    ///< over UDP, at one time
    std::size_t max_connections = 32;   ///< over TCP, at one time
  };
  /// Errors: the address is taken, or is not of this machine; its text names it.
  static Result<std::unique_ptr<DnsProxy>> open(net::Loop& loop, Options options);
  ~DnsProxy();

  net::Address udp_address() const;
  net::Address tcp_address() const;

 private:
  /// The UDP socket that clients ask.
  class Port final : private net::ReadyHandler {
   public:
    Port(DnsProxy& owner, net::Fd fd) : owner_(owner), fd_(std::move(fd)) {}
    Result<void> start() { return watch_.start(owner_.loop_, fd_.get(), *this); }
    void send(std::string_view message, const net::Address& to) const;
    net::Address address() const;

   private:
    void on_ready(Ready ready) override;
    DnsProxy& owner_;
    net::Fd fd_;
    net::FdWatch watch_;
  };

  DnsProxy(net::Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}
  void take(std::string_view message, const net::Address& client);
  net::Task<void> respond(std::string question, net::Address client);
  net::Task<bool> ask(const std::string& question, const net::Address& server, const net::Address& client);
  net::Task<void> accept();
  net::Task<void> serve(std::unique_ptr<net::Socket> client);
  net::Task<std::string> ask_by_tcp(const std::string& question);
  net::Task<std::string> ask_by_tcp(const std::string& question, const net::Address& server);
  void note(bool resolved);

  net::Loop& loop_;
  Options options_;
  std::vector<char> block_ = std::vector<char>(65536);  ///< between two suspensions, for all
  std::unique_ptr<Port> port_;
  std::unique_ptr<net::Listener> listener_;
  bool failing_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  net::TaskScope questions_;
  net::TaskScope connections_;
  net::TaskScope accepting_;
};

}  // namespace weft::pod
