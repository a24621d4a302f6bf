#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "local/service_table.h"
#include "net/loop.h"
#include "net/socket.h"

namespace weft::local {

/// The response to one question of DNS (RFC 1035 §4) about the Services of `table`, in the names of
/// Kubernetes' DNS specification 1.1:
///
/// * A of `service.namespace.svc.cluster.local`: its address, headless: its ready endpoints';
/// * A of `10-244-0-5.service.namespace.svc.cluster.local`: that endpoint of a headless Service;
/// * SRV of `_port._tcp.service.namespace.svc.cluster.local`.
///
/// Names that are there have no records of other types; any other name is not there (NXDOMAIN): nothing is
/// asked of others. At most 512 bytes, what does not fit is left out; `turn` says which of many records comes
/// first. Empty: these bytes are not a question, and get no response.
std::string dns_response(std::string_view question, const ServiceTable& table, std::size_t turn = 0);

/// Cluster DNS of one machine, over UDP: stateless, so it holds nothing per client.
///
/// Owner: PodRuntime; what `table` gives outlives it. Thread: the loop's. How it ends: the destructor.
class NameServer final : private net::ReadyHandler {
 public:
  NameServer(net::Loop& loop, const ServiceTable& table) : loop_(loop), table_(table) {}
  /// In the calling thread's network namespace.
  Result<void> start(const net::Address& at);
  /// Where it listens.
  net::Address address() const;

 private:
  void on_ready(Ready) override;

  net::Loop& loop_;
  const ServiceTable& table_;
  net::Fd fd_;
  net::FdWatch watch_;
  net::Timer rest_{loop_, [this] { on_ready({}); }};
  std::size_t turn_ = 0;
  std::array<char, 512> block_;
};

}  // namespace weft::local
