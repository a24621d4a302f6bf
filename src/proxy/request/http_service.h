#pragma once

#include "http/server_session.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/request/http_stream.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class DownstreamConnection;

/// The HTTP connection below its requests: session, limits, drain, what is rejected before it is a request.
/// Each request is an HttpStream of its own.
///
/// Owner: its DownstreamConnection, for as long as HTTP is spoken. Thread: the worker's loop.
class HttpService final : private http::ServerSession::Observer {
 public:
  explicit HttpService(DownstreamConnection& connection);
  net::Task<void> run();
  void drain();
  void begin_graceful_drain();

  // what its streams use

  DownstreamConnection& connection() { return connection_; }
  HttpCounters& counters() { return counters_; }
  /// What the next request goes by.
  const std::shared_ptr<const CompiledChain>& chain() const { return chain_; }

 private:
  /// From the next request on this connection goes by that chain.
  void follow(std::shared_ptr<const CompiledChain> chain);
  net::Task<void> handle(http::ServerExchange& exchange);
  void on_head_rejected(const http::Rejection& rejection, const http::RequestHead& head) override;
  void on_body_rejected(const http::Rejection& rejection) override;
  void on_connection_rejected() override;

  DownstreamConnection& connection_;
  std::shared_ptr<const CompiledChain> chain_;
  const HttpConfig* config_;  ///< of chain_
  http::ServerSessionOptions options_;
  std::unique_ptr<http::ServerSession> session_;
  HttpCounters& counters_;
};

}  // namespace weft::proxy
