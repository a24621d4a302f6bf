#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/address.h"
#include "net/loop.h"
#include "net/socket.h"
#include "net/task.h"

namespace weft::pod::testing {

/// A question for the address of a name of one label (RFC 1035, 4.1).
std::string dns_question(const std::string& name, unsigned char id);

/// A name server on loopback, UDP and TCP, that knows every name.
class NameServer final : private net::ReadyHandler {
 public:
  explicit NameServer(net::Loop& loop);
  net::Address address() const { return listener_->local_address(); }
  static std::string response_to(std::string question);

  bool silent = false;                       ///< never responds
  int loses = 0;                             ///< this many questions by UDP
  std::vector<std::string> before_response;  ///< datagrams that each response by UDP follows
  std::vector<std::string> asked;

 private:
  void on_ready(Ready ready) override;
  net::Task<void> accept();
  net::Task<void> serve(std::unique_ptr<net::Socket> client);

  bool bind(net::Loop& loop);

  std::unique_ptr<net::Listener> listener_;
  net::Fd fd_;
  net::FdWatch watch_;
  net::TaskScope tasks_;
};

}  // namespace weft::pod::testing
