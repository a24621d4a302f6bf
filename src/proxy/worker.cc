#include "proxy/worker.h"

#include <algorithm>
#include <set>

#include "base/log.h"
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
  update_clusters(before.get());
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

std::shared_ptr<UpstreamCluster> Worker::make_cluster(const CompiledCluster& from) {
  return std::make_shared<UpstreamCluster>(loop_, random_, dns_, connector_, from);
}

/// What has not been asked for has nothing to be brought up to date, but for names: those are resolved before
/// they are needed.
void Worker::update_clusters(const CompiledSnapshot* before) {
  const NamedList<CompiledCluster>& list = snapshot_->clusters.list();
  if (before && list.is_shared_with(before->clusters.list())) return;
  for (auto each = clusters_.begin(); each != clusters_.end();) {
    const CompiledClusterPtr now = list.find(each->first);
    if (!now) {
      each = clusters_.erase(each);
      continue;
    }
    MadeCluster& made = (each++)->second;
    if (made.from == now) continue;
    if (made.cluster->can_become(*now->config)) {
      made.cluster->update(*now);
    } else {
      const auto old = std::exchange(made.cluster, make_cluster(*now));
      made.cluster->begin_with_endpoints_of(*old);
    }
    made.from = now;
  }
  for (const CompiledClusterPtr& named : snapshot_->clusters.by_name()) {
    if (clusters_.contains(named->name())) continue;
    const auto made = make_cluster(*named);
    const auto old = before ? before->clusters.list().find(named->name()) : nullptr;
    if (old) made->begin_with_endpoints_of(*make_cluster(*old));
    clusters_.emplace(named->name(), MadeCluster{made, named});
  }
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

std::shared_ptr<UpstreamCluster> Worker::cluster(std::string_view name) {
  if (const auto found = clusters_.find(name); found != clusters_.end()) return found->second.cluster;
  CompiledClusterPtr from = snapshot_ ? snapshot_->clusters.list().find(name) : nullptr;
  if (!from) return nullptr;
  auto made = make_cluster(*from);
  clusters_.emplace(name, MadeCluster{made, std::move(from)});
  return made;
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
  for_each_cluster([&](const CompiledCluster& from, const UpstreamCluster* made) {
    sheet.add_cluster(stat_name_of(*from.config), made ? made->counters() : ClusterCounters());
  });
  sheet.add("access_log.lines_dropped", logs_.dropped());
  return sheet;
}

template <class Visit>
void Worker::for_each_cluster(Visit visit) const {
  if (!snapshot_) return;
  for (const CompiledClusterPtr& each : snapshot_->clusters.list()) {
    const auto made = clusters_.find(each->name());
    visit(*each, made == clusters_.end() ? nullptr : made->second.cluster.get());
  }
}

std::vector<Worker::EndpointView> Worker::endpoint_views() const {
  std::vector<EndpointView> views;
  for_each_cluster([&](const CompiledCluster& from, const UpstreamCluster* made) {
    const std::size_t before = views.size();
    const std::string& name = from.config->name;
    if (made)
      for (const auto& [text, endpoint] : made->endpoints())
        views.push_back({name, text, endpoint->connections, endpoint->active_requests,
                         endpoint->total_requests, endpoint->weight(), endpoint->priority(),
                         endpoint->config().health == Health::kHealthy});
    else if (from.endpoints)
      add_unused(views, name, *from.endpoints);
    if (views.size() == before) views.push_back({.cluster = name, .address = {}});
  });
  return views;
}

}  // namespace weft::proxy
