#pragma once

#include "http/exchange.h"
#include "http/h1/server_connection.h"
#include "proxy/listener/compiled_listener.h"
#include "proxy/request/http_stream.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class DownstreamConnection;

/// The HTTP connection below its requests: codec, limits, drain, what is rejected before it is a request.
/// Each request is an HttpStream of its own.
///
/// Owner: its DownstreamConnection, for as long as HTTP is spoken. Thread: the worker's loop.
class HttpService final : private http::h1::ServerConnection::Observer {
 public:
  explicit HttpService(DownstreamConnection& connection);
  net::Task<void> run();
  void drain();
  void take_leave();

  // what its streams use

  DownstreamConnection& connection() { return connection_; }
  HttpCounters& counters() { return counters_; }
  /// What the next request goes by.
  const std::shared_ptr<const CompiledChain>& chain() const { return chain_; }
  void begin(HttpStream& stream) { stream_ = &stream; }
  void end() { stream_ = nullptr; }
  /// For the stream that begins: an empty one, with the memory of the last.
  http::ResponseHead& response_head() {
    response_.clear();
    return response_;
  }

 private:
  /// From the next request on this connection goes by that chain.
  void follow(std::shared_ptr<const CompiledChain> chain);
  net::Task<void> handle(http::ServerExchange& exchange);
  void on_refused(const http::h1::Refusal& refusal, const http::RequestHead& head) override;

  DownstreamConnection& connection_;
  std::shared_ptr<const CompiledChain> chain_;
  const HttpConfig* config_;  ///< of chain_
  http::h1::ServerConnectionOptions options_;
  http::h1::ServerConnection codec_;
  HttpCounters& counters_;
  HttpStream* stream_ = nullptr;  ///< the request that is served now
  http::ResponseHead response_;   ///< lent to stream_
};

}  // namespace weft::proxy
