#include "proxy/listener/tcp_service.h"

#include <algorithm>
#include "proxy/listener/downstream_connection.h"
#include "proxy/listener/tunnel.h"
#include "proxy/worker_facts.h"

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

net::Task<Result<UpstreamCluster::Dialed>> dial(UpstreamCluster& cluster, net::Address original_destination,
                                                WaitingLine::Handle& waiting) {
  for (int tried = 1;; ++tried) {
    UpstreamCluster::Request request;
    request.original_destination = original_destination;
    request.waiting = &waiting;
    auto dialed = co_await cluster.dial(request);
    if (dialed || tried == kTries || dialed.error().code == Code::kNotFound ||
        dialed.error().code == Code::kCancelled)
      co_return dialed;
  }
}

Flag flag_of(const Error& error) {
  switch (error.code) {
    case Code::kNotFound: return Flag::kNoHealthyUpstream;
    case Code::kExhausted: return Flag::kUpstreamOverflow;
    default: return Flag::kUpstreamConnectionFailure;
  }
}

using Dialed = Result<UpstreamCluster::Dialed>;

/// One TCP connection from its chain to its line in the log.
///
/// Owner: the task that serves it. How it ends: finish().
struct Session {
  Session(DownstreamConnection& of, const CompiledChain& from)
      : connection(of),
        chain(from),
        facts(of.facts()),
        listener(of.shared_listener()),
        counters(facts.counters.tcp[from.tcp()->stat_prefix]) {
    ++counters.downstream_cx_total;
    info.connection = &connection.info();
    info.started_at = std::chrono::system_clock::now();
    info.started = facts.loop.now();
    const WeightedCluster* const chosen = draw(*chain.tcp(), facts.random);
    if (!chosen) return;
    cluster = facts.clusters.find(chosen->cluster);
    if (cluster)
      info.cluster = cluster->shared_config();
    else
      info.missing_cluster = chosen->cluster;
  }

  net::Task<Dialed> dial() {
    if (cluster) return proxy::dial(*cluster, connection.original_destination(), waiting);
    return no_cluster();
  }
  TunnelLimits limits() const {
    return {.idle = chain.tcp()->idle_timeout,
            .block = std::min(listener->config->buffer_limit, info.cluster->buffer_limit)};
  }
  net::Task<void> finish(Dialed dialed);
  /// When one side left before there was anything to copy.
  void give_up() {
    info.flags.set(Flag::kDownstreamTerminated);
    connection.stream().close();
    write_line();
  }
  void write_line() {
    info.ended = facts.loop.now();
    facts.logs.write(chain.logs, info);
  }

  DownstreamConnection& connection;
  const CompiledChain& chain;
  WorkerFacts& facts;
  std::shared_ptr<const CompiledListener> listener;
  TcpCounters& counters;
  std::shared_ptr<UpstreamCluster> cluster;
  WaitingLine::Handle waiting;
  RequestInfo info;

 private:
  static net::Task<Dialed> no_cluster() {
    co_return fail(Error::internal(Code::kNotFound, "the cluster is not there"));
  }
};

/// Copies until it is over, or ends the client when there is nothing to copy to.
net::Task<void> Session::finish(Dialed dialed) {
  if (!cluster) {
    info.flags.set(Flag::kNoCluster);
    ++counters.downstream_cx_no_route;
    connection.stream().close(true);
  } else if (!dialed) {
    info.flags.set(flag_of(dialed.error()));
    info.upstream_failure = dialed.error().text;
    connection.stream().close(true);
  } else {
    info.upstream_host = dialed->endpoint->text();
    info.upstream_local_address = dialed->connection.local.to_string();
    const TunnelResult result =
        co_await tunnel(connection.stream(), *dialed->connection.stream, {}, {}, limits());
    info.bytes_received = result.bytes_from_client;
    info.bytes_sent = result.bytes_from_server;
    counters.downstream_cx_rx_bytes_total += result.bytes_from_client;
    counters.downstream_cx_tx_bytes_total += result.bytes_from_server;
    if (result.client_broke) info.flags.set(Flag::kDownstreamTerminated);
    if (result.server_broke) info.flags.set(Flag::kUpstreamTermination);
  }
  write_line();
}

/// Who speaks first, while an upstream is connected to and after.
struct FirstWords {
  DownstreamConnection& connection;
  Session& session;
  std::optional<Dialed> dialed = {};
  TimePoint until = kNever;              ///< the idle timeout of the chain
  bool left = false;                     ///< the client, or the server, without a word
  bool client_known = false;             ///< its first bytes tell what it speaks
  const CompiledChain* chain = nullptr;  ///< for that; null when there is none
};

/// The SETTINGS frame by which a server of HTTP/2 may begin before its client has (RFC 9113 §3.4, §4.1).
bool is_http2_greeting(std::string_view bytes) {
  constexpr std::string_view kSettingsOfConnection("\x04\0\0\0\0\0", 6);
  return bytes.size() >= 9 && bytes.substr(3, 6) == kSettingsOfConnection;
}

/// What ends the other half of the race.
Result<void> decided() { return fail(Error::internal(Code::kCancelled, "it is known who speaks")); }

net::Task<Result<void>> wait_for_client(FirstWords& words) {
  const auto word = co_await words.connection.hear(words.until);
  words.left = word != DownstreamConnection::FirstWord::kKnown;
  words.client_known = !words.left;
  if (words.client_known) words.chain = words.connection.choose();
  // What stays as it was goes on to the upstream, which may still be on its way.
  if (words.chain == &words.session.chain && !words.dialed) co_return Result<void>{};
  co_return decided();
}

net::Task<Result<void>> wait_for_server(FirstWords& words) {
  words.dialed.emplace(co_await words.session.dial());
  if (!*words.dialed || words.client_known) co_return decided();
  net::Stream& server = *(*words.dialed)->connection.stream;
  server.set_read_deadline(words.until);
  char bytes[9];
  net::IoResult got = server.peek(bytes);
  while (got.error == net::IoError::kWouldBlock && co_await server.readable() == net::IoError::kNone)
    got = server.peek(bytes);
  server.unpeek();
  words.left = !got.ok();
  // Its client has yet to say that it speaks HTTP/2, and what is to happen with that is for the chains to
  // say.
  if (got.ok() && is_http2_greeting({bytes, got.bytes})) co_return Result<void>{};
  co_return decided();
}

}  // namespace

net::Task<void> serve_tcp(DownstreamConnection& connection, const CompiledChain& chain) {
  Session session(connection, chain);
  connection.stream().on_broken([&session] { session.waiting.give_up(); });
  Dialed dialed = co_await session.dial();
  connection.stream().on_broken({});
  if (!dialed && dialed.error().code == Code::kCancelled)
    session.give_up();
  else
    co_await session.finish(std::move(dialed));
}

net::Task<bool> serve_silent(DownstreamConnection& connection, const CompiledChain& chain) {
  Session session(connection, chain);
  FirstWords words{connection, session};
  if (const Duration idle = chain.tcp()->idle_timeout; idle != Duration::zero())
    words.until = connection.facts().loop.now() + idle;
  static_cast<void>(co_await net::both(wait_for_client(words), wait_for_server(words)));
  connection.stream().unpeek();
  if (words.client_known && words.chain != &chain) co_return words.chain != nullptr;
  if (words.left) {
    session.give_up();
  } else {
    connection.settle_as_tcp();
    co_await session.finish(std::move(*words.dialed));
  }
  co_return false;
}

}  // namespace weft::proxy
