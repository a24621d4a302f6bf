#include "control/monitoring/monitoring.h"

#include "http/server.h"

namespace weft::control {

namespace {

/// Of the port that proxies connect to: docs/limits.md says what each limit is.
std::string connections_text(const http::grpc::ServerCounts& counts) {
  std::string text = "# TYPE weft_control_xds_connections gauge\n" +
                     Metrics::line("weft_control_xds_connections", {}, counts.open) +
                     "# TYPE weft_control_xds_strangers gauge\n" +
                     Metrics::line("weft_control_xds_strangers", {}, counts.strangers) +
                     "# TYPE weft_control_xds_closed_total counter\n";
  const std::pair<std::string_view, std::uint64_t> reasons[] = {
      {"limit", counts.closed_at_limit}, {"silent", counts.closed_as_silent}, {"full", counts.rejected}};
  for (const auto& [reason, count] : reasons)
    text += Metrics::line("weft_control_xds_closed_total", {{"reason", reason}}, count);
  return text;
}

}  // namespace

net::Task<void> Monitoring::handle(http::ServerExchange& exchange) {
  const std::string target = exchange.request().path;
  const std::string path(http::path_of(target));
  int status = 200;
  std::string body = "ok\n";
  std::string_view type = "text/plain; charset=utf-8";
  if (exchange.request().method != "GET" && exchange.request().method != "HEAD") {
    status = 405;
    body = "only GET is served here\n";
  } else if (path == "/ready") {
    const State state = problems_();
    if (!state.serves) status = 503;
    if (!state.serves || !state.problems.empty()) body = state.serves ? "ok, but\n" : "";
    for (const std::string& each : state.problems) body += each + "\n";
  } else if (path == "/metrics") {
    type = "text/plain; version=0.0.4; charset=utf-8";
    body = metrics_text();
  } else if (path != "/healthz") {
    status = 404;
    body = "no such path; there are /healthz, /ready and /metrics\n";
  }
  (void)co_await http::respond(exchange, status, type, body);
}

std::string Monitoring::metrics_text() const {
  const AdsServer& ads = plane_.ads();
  std::string text = "# TYPE pilot_xds gauge\n" + Metrics::line("pilot_xds", {}, ads.proxies().size());
  std::string pushes, accepted, rejected;
  for (Type type : kAllTypes) {
    const AdsServer::Counts& counts = ads.counts(type);
    Metrics::Labels labels = {{"type", short_name(type)}};
    pushes += Metrics::line("pilot_xds_pushes", labels, counts.pushes);
    accepted += Metrics::line("weft_control_xds_accepted_total", labels, counts.accepted);
    rejected += Metrics::line("pilot_total_xds_rejects", labels, counts.rejected);
  }
  text += "# TYPE pilot_xds_pushes counter\n" + pushes;
  text += "# TYPE weft_control_xds_accepted_total counter\n" + accepted;
  text += "# TYPE pilot_total_xds_rejects counter\n" + rejected;
  text += "# TYPE weft_control_xds_over_limit_total counter\n" +
          Metrics::line("weft_control_xds_over_limit_total", {}, ads.over_limit());
  if (xds_) text += connections_text(xds_->counts());
  std::string objects, failures;
  for (const api::KindInfo* kind : plane_.cache().kinds()) {
    objects += Metrics::line("weft_control_objects", {{"kind", kind->kind}}, plane_.cache().count(kind));
    failures += Metrics::line("weft_control_api_failures_total", {{"kind", kind->kind}},
                              plane_.cache().failures(kind));
  }
  text += "# TYPE weft_control_objects gauge\n" + objects;
  text += "# TYPE weft_control_api_failures_total counter\n" + failures;
  return text + metrics_.text();
}

}  // namespace weft::control
