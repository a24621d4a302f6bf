#include "proxy/listener/tcp_service.h"

#include "proxy/listener/downstream_connection.h"
#include "proxy/listener/tunnel.h"
#include "proxy/worker.h"

namespace weft::proxy {
namespace {

constexpr int kTries = 2;

const WeightedCluster* draw(const TcpProxyConfig& config, Random& random) {
  std::uint64_t total = 0;
  for (const WeightedCluster& cluster : config.clusters) total += cluster.weight;
  if (config.clusters.size() == 1) return &config.clusters.front();
  std::uint64_t drawn = random.below(total);
  for (const WeightedCluster& cluster : config.clusters) {
    if (drawn < cluster.weight) return &cluster;
    drawn -= cluster.weight;
  }
  return nullptr;
}

net::Task<Result<UpstreamCluster::Dialed>> dial(UpstreamCluster& cluster, net::Address original_destination) {
  for (int tried = 1;; ++tried) {
    UpstreamCluster::Request request;
    request.original_destination = original_destination;
    auto dialed = co_await cluster.dial(request);
    if (dialed || tried == kTries || dialed.error().code == Code::kNotFound) co_return dialed;
  }
}

Flag flag_of(const Error& error) {
  switch (error.code) {
    case Code::kNotFound: return Flag::kNoHealthyUpstream;
    case Code::kExhausted: return Flag::kUpstreamOverflow;
    default: return Flag::kUpstreamConnectionFailure;
  }
}

}  // namespace

net::Task<void> serve_tcp(DownstreamConnection& connection, const CompiledChain& chain) {
  Worker& worker = connection.worker();
  net::Loop& loop = worker.loop();
  const std::shared_ptr<const CompiledListener> listener = connection.shared_listener();
  const TcpProxyConfig& config = *chain.tcp();
  RequestInfo info;
  info.connection = &connection.info();
  info.started_at = std::chrono::system_clock::now();
  info.started = loop.now();
  const WeightedCluster* const chosen = draw(config, worker.random());
  const std::shared_ptr<UpstreamCluster> cluster = chosen ? worker.cluster(chosen->cluster) : nullptr;
  if (cluster)
    info.cluster = cluster->shared_config();
  else if (chosen)
    info.missing_cluster = chosen->cluster;
  if (!cluster) {
    info.flags.set(Flag::kNoCluster);
    connection.socket().close(true);
  } else {
    auto dialed = co_await dial(*cluster, connection.original_destination());
    if (!dialed) {
      info.flags.set(flag_of(dialed.error()));
      info.upstream_failure = dialed.error().text;
      connection.socket().close(true);
    } else {
      info.upstream_host = dialed->endpoint->text();
      info.upstream_local_address = dialed->socket->local_address().to_string();
      const TunnelResult result =
          co_await tunnel(connection.socket(), *dialed->socket, {}, {}, config.idle_timeout);
      info.bytes_received = result.bytes_from_client;
      info.bytes_sent = result.bytes_from_server;
      if (result.client_broke) info.flags.set(Flag::kDownstreamTerminated);
      if (result.server_broke) info.flags.set(Flag::kUpstreamTermination);
    }
  }
  info.ended = loop.now();
  worker.logs().write(chain.logs, info);
}

}  // namespace weft::proxy
