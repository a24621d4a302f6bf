#pragma once

#include <memory>
#include <string>
#include <utility>

#include "http/exchange.h"
#include "proxy/upstream/endpoint_pool.h"

namespace weft::proxy {

class UpstreamCluster;

/// One exchange with an endpoint, lent by its cluster. How many exchanges go over a connection at once is the
/// pool's private matter: with HTTP/1 it is one.
///
/// Owner: the request; its cluster outlives it. Thread: the worker's loop. How it ends: give_back() or the
/// destructor; an exchange that is not over by then is cut, one that has sent nothing leaves no trace.
class Lease {
 public:
  Lease() = default;
  /// `connection` has room for one more.
  Lease(UpstreamCluster& cluster, std::shared_ptr<UpstreamConnection> connection);
  Lease(Lease&& other) = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { give_back(); }

  explicit operator bool() const { return connection_ != nullptr; }
  http::ClientExchange& exchange() { return *exchange_; }
  const std::shared_ptr<EndpointPool>& endpoint() const { return connection_->endpoint; }
  /// Other requests may be on the same connection (HTTP/2).
  bool shares_connection() const { return connection_->protocol == http::Protocol::kHttp2; }
  const std::string& local_address() const { return connection_->local_address; }
  void give_back();

 private:
  UpstreamCluster* cluster_ = nullptr;
  std::shared_ptr<UpstreamConnection> connection_;
  http::ClientExchange* exchange_ = nullptr;
};

}  // namespace weft::proxy
