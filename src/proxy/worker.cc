#include "proxy/worker.h"

#include <algorithm>
#include <set>

#include "base/log.h"
#include "http/turns.h"
#include "proxy/listener/downstream_connection.h"

namespace weft::proxy {

/// A listener's socket on this worker. It outlives changes of the listener's configuration.
struct Worker::Accepting {
  std::string name;
  std::vector<std::unique_ptr<net::Listener>> sockets;
  net::TaskScope tasks;
};

namespace {

/// The endpoints of a cluster that no request has asked for, as they would be then: of two with one address
/// the first.
void add_unused(std::vector<Worker::EndpointView>& views, const std::string& cluster,
                const Endpoints& endpoints) {
  std::set<std::string> seen;
  for (const Locality& locality : endpoints.localities)
    for (const Endpoint& endpoint : locality.endpoints) {
      const auto [address, added] = seen.insert(endpoint.address.to_string());
      if (added)
        views.push_back({.cluster = cluster,
                         .address = *address,
                         .weight = endpoint.weight,
                         .priority = locality.priority,
                         .healthy = endpoint.health == Health::kHealthy});
    }
}

}  // namespace

Worker::Worker(net::Loop& loop, Options options)
    : loop_(loop),
      limits_(options.limits),
      random_(options.random),
      logs_(loop_),
      clusters_(loop_, random_,
                options.connector ? std::move(options.connector) : kernel_connector(limits_.socket_mark)),
      connections_(loop_) {}

Worker::~Worker() = default;

void Worker::end_everything() {
  accepting_.clear();
  tasks_.cancel_all();
  clusters_.clear();
  logs_.flush();
}

void Worker::apply(CompiledSnapshotPtr next, std::vector<NewSocket> sockets) {
  const CompiledSnapshotPtr before = std::exchange(snapshot_, std::move(next));
  clusters_.update(snapshot_->clusters);
  std::erase_if(accepting_, [&](const auto& entry) {
    const auto found = snapshot_->listeners.find(entry.first);
    return found == snapshot_->listeners.end() || !found->second->config->bind_to_port;
  });
  // New sockets for a listener that is already there: its address has changed.
  for (const NewSocket& socket : sockets)
    if (const auto changed = accepting_.find(socket.listener); changed != accepting_.end()) {
      serve_waiting(*changed->second);
      accepting_.erase(changed);
    }
  for (NewSocket& socket : sockets) {
    auto& accepting = accepting_[socket.listener];
    if (!accepting) accepting = std::make_unique<Accepting>(socket.listener);
    auto listener = net::Listener::adopt(loop_, std::move(socket.fd), socket.shared);
    if (!listener) {
      WEFT_LOG(kError, "worker", "cannot use a listening socket", {"listener", socket.listener},
               {"error", listener.error().text});
      continue;
    }
    accepting->sockets.push_back(std::move(*listener));
    accepting->tasks.spawn(accept_all(*this, *accepting));
  }
  if (before && !has_listeners_of(*before))
    connections_.for_each([&](DownstreamConnection& connection) { connection.meet(before); });
}

/// Whether every listener of before is there unchanged, and its connections have nothing to look for.
bool Worker::has_listeners_of(const CompiledSnapshot& before) const {
  return std::ranges::all_of(before.listeners, [&](const auto& entry) {
    const auto found = snapshot_->listeners.find(entry.first);
    return found != snapshot_->listeners.end() && found->second == entry.second;
  });
}

net::Task<void> Worker::accept_all(Worker& worker, Accepting& accepting) {
  net::Listener& listener = *accepting.sockets.back();
  const std::string name = accepting.name;
  for (unsigned accepted = 0;;) {
    auto socket = co_await listener.accept();
    if (!socket) co_return;
    worker.serve_accepted(std::move(*socket), name);
    if (++accepted % http::kConnectionsInATurn == 0) co_await worker.loop_.yield();
  }
}

void Worker::serve_accepted(std::unique_ptr<net::Socket> socket, const std::string& listener) {
  const auto found = snapshot_->listeners.find(listener);
  if (found == snapshot_->listeners.end()) return;
  const ListenerConfig& config = *found->second->config;
  const bool redirected = config.use_original_destination || config.original_destination_filter;
  serve(accepted_connection(std::move(socket), redirected), listener);
}

void Worker::serve(AcceptedConnection accepted, const std::string& listener) {
  const auto found = snapshot_->listeners.find(listener);
  if (found == snapshot_->listeners.end()) return accepted.stream->close(true);
  ListenerCounters& counters = counters_.listeners[listener];
  if (limits_.max_connections && connections_.size() >= limits_.max_connections) {
    ++counters.downstream_cx_overflow;
    return accepted.stream->close(true);
  }
  ++counters.downstream_cx_total;
  tasks_.spawn(run(*this, std::move(accepted), found->second));
}

net::Task<void> Worker::run(Worker& worker, AcceptedConnection accepted,
                            std::shared_ptr<const CompiledListener> listener) {
  ListenerCounters& counters = worker.counters_.listeners[listener->config->name];
  ++counters.downstream_cx_active;
  {
    DownstreamConnection connection(worker.facts_, std::move(accepted), std::move(listener));
    co_await connection.run();
  }
  --counters.downstream_cx_active;
}

/// A connection that waits in a queue was made before the listener closes, which would reset it and the
/// request that its client has sent. Bounded, as a flood may fill the queue faster than it is emptied.
void Worker::serve_waiting(const Accepting& accepting) {
  for (const auto& listener : accepting.sockets)
    for (int taken = 0; taken < net::ListenOptions().backlog; ++taken) {
      auto socket = listener->accept_waiting();
      if (!socket) break;
      serve_accepted(std::move(socket), accepting.name);
    }
}

void Worker::stop_accepting() {
  for (const auto& [name, accepting] : accepting_) serve_waiting(*accepting);
  accepting_.clear();
}

void Worker::drain_connections() {
  drain_.draining = true;
  connections_.for_each([](DownstreamConnection& connection) { connection.drain(); });
}

void Worker::begin_graceful_drain(DrainScope drain_scope) {
  if (drain_.drain_scope != DrainScope::kAll) drain_.drain_scope = drain_scope;
  connections_.for_each([&](DownstreamConnection& connection) {
    if (drain_.drains(*connection.listener().config)) connection.begin_graceful_drain();
  });
}

OpenWork Worker::open_work() const {
  OpenWork open;
  for (const auto& [prefix, counters] : counters_.http) open.requests += counters.downstream_rq_active;
  open.connections = connections_.size();
  return open;
}

StatsSnapshot Worker::stats() const {
  StatsSnapshot sheet;
  for (const auto& [prefix, counters] : counters_.http) sheet.add_http(prefix, counters);
  for (const auto& [prefix, counters] : counters_.tcp) sheet.add_tcp(prefix, counters);
  for (const auto& [name, counters] : counters_.listeners) sheet.add_listener(name, counters);
  clusters_.for_each([&](const CompiledCluster& from, const UpstreamCluster* made) {
    sheet.add_cluster(stat_name_of(*from.config), made ? made->counters() : ClusterCounters());
  });
  sheet.add("access_log.lines_dropped", logs_.dropped());
  return sheet;
}

std::vector<Worker::EndpointView> Worker::endpoint_views() const {
  std::vector<EndpointView> views;
  clusters_.for_each([&](const CompiledCluster& from, const UpstreamCluster* made) {
    const std::size_t before = views.size();
    const std::string& name = from.config->name;
    if (made)
      for (const auto& [text, endpoint] : made->endpoints())
        views.push_back({name, text, endpoint->connections(), endpoint->active_requests,
                         endpoint->total_requests, endpoint->weight(), endpoint->priority(),
                         endpoint->config().health == Health::kHealthy});
    else if (from.endpoints)
      add_unused(views, name, *from.endpoints);
    if (views.size() == before) views.push_back({.cluster = name, .address = {}});
  });
  return views;
}

}  // namespace weft::proxy
