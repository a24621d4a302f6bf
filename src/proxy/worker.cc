#include "proxy/worker.h"

#include <algorithm>

#include "base/log.h"
#include "proxy/listener/downstream_connection.h"

namespace weft::proxy {

/// A listener's socket on this worker. It outlives changes of the listener's configuration.
struct Worker::Accepting {
  std::string name;
  std::vector<std::unique_ptr<net::Listener>> sockets;
  net::TaskScope tasks;
};

Worker::Worker(net::Loop& loop, Options options)
    : loop_(loop),
      limits_(options.limits),
      connector_(options.connector ? std::move(options.connector) : kernel_connector(limits_.socket_mark)),
      random_(options.random),
      logs_(loop_),
      dns_(loop_) {}

Worker::~Worker() = default;

void Worker::end_everything() {
  accepting_.clear();
  tasks_.cancel_all();
  clusters_.clear();
  logs_.flush();
}

void Worker::apply(CompiledSnapshotPtr next, std::vector<NewSocket> sockets) {
  const CompiledSnapshotPtr before = std::exchange(snapshot_, std::move(next));
  update_clusters();
  std::erase_if(accepting_, [&](const auto& entry) {
    const auto found = snapshot_->listeners.find(entry.first);
    return found == snapshot_->listeners.end() || !found->second->config->bind_to_port;
  });
  // New sockets for a listener that is already there: its address has changed.
  for (const NewSocket& socket : sockets) accepting_.erase(socket.listener);
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
  if (before && !has_listeners_of(*before)) tell_connections(before);
}

/// Whether every listener of before is there unchanged, and its connections have nothing to look for.
bool Worker::has_listeners_of(const CompiledSnapshot& before) const {
  return std::ranges::all_of(before.listeners, [&](const auto& entry) {
    const auto found = snapshot_->listeners.find(entry.first);
    return found != snapshot_->listeners.end() && found->second == entry.second;
  });
}

void Worker::tell_connections(const CompiledSnapshotPtr& before) {
  for (const std::uint64_t id : connection_ids())
    if (DownstreamConnection* const one = connection(id)) one->meet(before);
}

/// For whoever ends connections while he goes through them.
std::vector<std::uint64_t> Worker::connection_ids() const {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  return ids;
}

void Worker::update_clusters() {
  std::map<std::string, std::shared_ptr<UpstreamCluster>, std::less<>> next;
  for (const auto& [name, config] : snapshot_->source->clusters) {
    const auto known = clusters_.find(name);
    if (known != clusters_.end() && &known->second->config() == config.get()) {
      next[name] = known->second;
    } else if (known != clusters_.end() && known->second->can_become(*config)) {
      known->second->update(config);
      next[name] = known->second;
    } else {
      auto& made = next[name] = std::make_shared<UpstreamCluster>(loop_, random_, dns_, connector_, config,
                                                                  snapshot_->usage.at(name));
      if (known != clusters_.end()) made->begin_with_endpoints_of(*known->second);
    }
  }
  clusters_ = std::move(next);
}

net::Task<void> Worker::accept_all(Worker& worker, Accepting& accepting) {
  net::Listener& listener = *accepting.sockets.back();
  const std::string name = accepting.name;
  for (;;) {
    auto socket = co_await listener.accept();
    if (!socket) co_return;
    const auto found = worker.snapshot_->listeners.find(name);
    if (found == worker.snapshot_->listeners.end()) co_return;
    const ListenerConfig& config = *found->second->config;
    const bool redirected = config.use_original_destination || config.original_destination_filter;
    worker.serve(accepted_connection(std::move(*socket), redirected), name);
  }
}

void Worker::serve(AcceptedConnection accepted, const std::string& listener) {
  const auto found = snapshot_->listeners.find(listener);
  if (found == snapshot_->listeners.end()) return accepted.stream->close(true);
  ListenerCounters& counters = listener_counters(listener);
  if (limits_.max_connections && connections_.size() >= limits_.max_connections) {
    ++counters.downstream_cx_overflow;
    return accepted.stream->close(true);
  }
  ++counters.downstream_cx_total;
  tasks_.spawn(run(*this, std::move(accepted), found->second));
}

net::Task<void> Worker::run(Worker& worker, AcceptedConnection accepted,
                            std::shared_ptr<const CompiledListener> listener) {
  ListenerCounters& counters = worker.listener_counters(listener->config->name);
  ++counters.downstream_cx_active;
  {
    DownstreamConnection connection(worker, std::move(accepted), std::move(listener));
    co_await connection.run();
  }
  --counters.downstream_cx_active;
}

std::uint64_t Worker::add_connection(DownstreamConnection& connection) {
  const std::uint64_t id = next_connection_++;
  connections_[id] = &connection;
  return id;
}

void Worker::remove_connection(std::uint64_t id) {
  connections_.erase(id);
  if (connections_.empty() && when_idle_) loop_.defer(std::exchange(when_idle_, {}));
}

DownstreamConnection* Worker::connection(std::uint64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second;
}

std::shared_ptr<UpstreamCluster> Worker::cluster(std::string_view name) const {
  const auto found = clusters_.find(name);
  return found == clusters_.end() ? nullptr : found->second;
}

void Worker::stop_accepting() { accepting_.clear(); }

void Worker::drain_connections() {
  draining_ = true;
  for (const std::uint64_t id : connection_ids())
    if (DownstreamConnection* const one = connection(id)) one->drain();
}

void Worker::take_leave(Leaving leaving) {
  if (leaving_ != Leaving::kAll) leaving_ = leaving;
  for (const auto& [id, connection] : connections_)
    if (is_leaving(*connection->listener().config)) connection->take_leave();
}

bool Worker::is_leaving(const ListenerConfig& listener) const {
  return leaving_ && (*leaving_ == Leaving::kAll || listener.direction == Direction::kInbound);
}

OpenWork Worker::open_work() const {
  OpenWork open;
  for (const auto& [prefix, counters] : http_counters_) open.requests += counters.downstream_rq_active;
  open.connections = connections_.size();
  return open;
}

void Worker::when_idle(std::function<void()> action) {
  if (connections_.empty())
    loop_.defer(std::move(action));
  else
    when_idle_ = std::move(action);
}

StatSheet Worker::stats() const {
  StatSheet sheet;
  for (const auto& [prefix, counters] : http_counters_) sheet.add_http(prefix, counters);
  for (const auto& [name, counters] : listener_counters_) sheet.add_listener(name, counters);
  for (const auto& [name, cluster] : clusters_) sheet.add_cluster(cluster->stat_name(), cluster->counters());
  sheet.add("access_log.lines_dropped", logs_.dropped());
  return sheet;
}

std::vector<Worker::EndpointView> Worker::endpoint_views() const {
  std::vector<EndpointView> views;
  for (const auto& [name, cluster] : clusters_) {
    for (const auto& [text, endpoint] : cluster->endpoints())
      views.push_back({name, text, endpoint->connections, endpoint->active_requests, endpoint->total_requests,
                       endpoint->weight(), endpoint->priority(),
                       endpoint->config().health == Health::kHealthy});
    if (cluster->endpoints().empty()) views.push_back({.cluster = name, .address = {}});
  }
  return views;
}

}  // namespace weft::proxy
