#include "proxy/request/http_service.h"

#include "proxy/listener/downstream_connection.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

http::ServerSessionOptions options_of(const HttpConfig& config) {
  http::ServerSessionOptions options;
  options.limits.head_bytes = config.max_request_headers_bytes;
  options.limits.fields = config.max_request_headers_count;
  options.limits.request_line_bytes = config.max_request_headers_bytes;
  options.accept_http10 = config.accept_http10;
  options.idle_timeout = config.idle_timeout;
  options.header_timeout = config.request_headers_timeout;
  options.body_timeout =
      config.stream_idle_timeout.count() ? config.stream_idle_timeout : config.stall_timeout;
  options.request_timeout = config.request_timeout;
  options.max_requests = config.max_requests_per_connection;
  options.server_name = config.server_name;
  options.http2 = config.http2;
  // Behind an edge, or another's edge, clients are other proxies, which send the requests of many.
  options.http2.of_many = !config.use_remote_address || config.trusted_hops > 0;
  options.drain_timeout = config.drain_timeout;
  return options;
}

/// Where the first bytes were looked at already, they are not asked again.
http::Protocol protocol_of(const HttpConfig& config, std::string_view sniffed) {
  if (config.codec != http::Protocol::kAuto || sniffed.empty()) return config.codec;
  return sniffed == "h2c" || sniffed == "h2" ? http::Protocol::kHttp2 : http::Protocol::kHttp1;
}

}  // namespace

HttpService::HttpService(DownstreamConnection& connection)
    : connection_(connection),
      chain_(connection.current_chain()),
      config_(chain_->http()),
      options_(options_of(*config_)),
      session_(http::make_server_session(protocol_of(*config_, connection.application_protocol()),
                                         connection.stream(), options_, this)),
      counters_(connection.facts().counters.http[config_->stat_prefix]) {
  const DrainState& drain_state = connection.facts().drain;
  if (drain_state.draining && connection.stream().quiet())
    drain();
  else if (drain_state.draining || drain_state.drains(*connection.listener().config) ||
           connection.left_behind())
    begin_graceful_drain();  // what has come already is served
}

net::Task<void> HttpService::run() {
  ++counters_.downstream_cx_total;
  ++counters_.downstream_cx_active;
  struct Active {
    HttpCounters& counters;
    ~Active() { --counters.downstream_cx_active; }
  } active{counters_};
  const http::Handler handler = [this](http::ServerExchange& exchange) { return handle(exchange); };
  co_await session_->serve(handler);
}

void HttpService::drain() { session_->drain(); }

void HttpService::begin_graceful_drain() { session_->end_with_next_response(); }

void HttpService::follow(std::shared_ptr<const CompiledChain> chain) {
  chain_ = std::move(chain);
  config_ = chain_->http();
  options_ = options_of(*config_);
  session_->follow_options();
}

net::Task<void> HttpService::handle(http::ServerExchange& exchange) {
  if (!connection_.goes_by(chain_.get())) follow(connection_.current_chain());
  return HttpStream::serve(*this, exchange);
}

void HttpService::on_body_rejected(const http::Rejection&) { ++counters_.downstream_cx_protocol_error; }

void HttpService::on_connection_rejected() { ++counters_.downstream_cx_protocol_error; }

/// There is no stream to write the line of such a request.
void HttpService::on_head_rejected(const http::Rejection& rejection, const http::RequestHead& head) {
  ++counters_.downstream_cx_protocol_error;
  ++counters_.downstream_rq_total;
  if (rejection.status == 408) ++counters_.downstream_rq_timeout;
  RequestInfo info;
  info.connection = &connection_.info();
  info.request = &head;
  info.started_at = std::chrono::system_clock::now();
  info.started = info.ended = connection_.stream().loop().now();
  info.status = rejection.status;
  info.flags.set(Flag::kDownstreamProtocolError);
  info.details_text = (head.version == http::Version::k2 ? "http2" : "http1") +
                      std::string(".rejected{").append(rejection.rule) + "}";
  count_status(counters_, rejection.status);
  connection_.facts().logs.write(connection_.current_chain()->logs, info);
}

}  // namespace weft::proxy
