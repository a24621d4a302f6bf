#include "proxy/filters/router/router.h"

#include "proxy/filters/router/forward.h"
#include "proxy/listener/downstream_connection.h"
#include "proxy/request/http_stream.h"
#include "proxy/request/request_headers.h"
#include "proxy/worker_facts.h"

namespace weft::proxy {
namespace {

const RedirectAction& redirect_to_tls() {
  static const RedirectAction kAction = [] {
    RedirectAction action;
    action.scheme = "https";
    return action;
  }();
  return kAction;
}

net::Task<void> redirect(HttpStream& stream, const RedirectAction& action) {
  http::ResponseHead& response = stream.response();
  response.clear();
  response.headers.add("location",
                       redirect_location(*stream.route().route->config, action, stream.request()));
  LocalReply local = local_reply(LocalReplyKind::kDirectResponse);
  local.status = action.status;
  return stream.reply(local);
}

net::Task<void> respond(HttpStream& stream, const DirectAction& action) {
  http::ResponseHead& response = stream.response();
  response.clear();
  // RFC 9110 §10.2.2: what was created, or where to go instead, is named; without another address it is this
  // one.
  if (action.status == 201 || (action.status >= 300 && action.status < 400 && action.status != 304))
    response.headers.add(
        "location", redirect_location(*stream.route().route->config, RedirectAction{}, stream.request()));
  LocalReply local = local_reply(LocalReplyKind::kDirectResponse);
  local.status = action.status;
  local.body = action.body;
  return stream.reply(local);
}

net::Task<void> forward(HttpStream& stream, const ForwardAction& action) {
  if (!count_forward(stream.request())) {
    LocalReply local = local_reply(LocalReplyKind::kMaxForwards);
    if (stream.request().method == "OPTIONS") local.status = 200;
    co_await stream.reply(local);
    co_return;
  }
  std::string name;
  if (!action.cluster_header.empty()) {
    name = stream.request().headers.get(action.cluster_header).value_or("");
  } else if (const auto* chosen = draw_cluster(*stream.route().route, stream.random())) {
    name = chosen->config->cluster;
    stream.choose(chosen);
  }
  std::shared_ptr<UpstreamCluster> cluster = stream.connection().facts().clusters.find(name);
  if (!cluster) {
    if (stream.chosen()) stream.info().missing_cluster = std::move(name);
    LocalReply local = local_reply(LocalReplyKind::kClusterMissing);
    local.status = action.cluster_not_found_status;
    co_await stream.reply(local);
    co_return;
  }
  stream.info().cluster = cluster->shared_config();
  const Result<RequestTime> time = RequestTime::of(action, stream.request());
  if (!time) {
    co_await stream.reply(LocalReplyKind::kGrpcTimeoutMalformed);
    co_return;
  }
  Forward forwarding(stream, std::move(cluster), action, *time);
  co_await forwarding.run();
}

}  // namespace

net::Task<void> run_route(HttpStream& stream) {
  const RoutingTable::Found& found = stream.route();
  if (!found.route) {
    ++stream.counters().no_route;
    return stream.reply(stream.has_routes() ? LocalReplyKind::kRouteMissing : LocalReplyKind::kRoutesMissing);
  }
  if (found.host->config->require_tls && !came_by_tls(stream.request().headers)) {
    // What only TLS may say is not said, say Strict-Transport-Security (RFC 6797 §7.2).
    stream.forget_response_rules();
    return redirect(stream, redirect_to_tls());
  }
  const Route& route = *found.route->config;
  if (const auto* redirection = std::get_if<RedirectAction>(&route.action))
    return redirect(stream, *redirection);
  if (const auto* made = std::get_if<DirectAction>(&route.action)) return respond(stream, *made);
  return forward(stream, std::get<ForwardAction>(route.action));
}

}  // namespace weft::proxy
