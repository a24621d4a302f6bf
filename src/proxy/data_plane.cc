#include "proxy/data_plane.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "proxy/json_string.h"

namespace weft::proxy {
namespace {

/// Half of the descriptors are for clients: each request needs one more upstream.
std::uint32_t connections_by_descriptors() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<std::uint32_t>(std::min<rlim_t>(limit.rlim_cur / 2, 1'000'000));
}

bool listens_at(const ListenerConfig& listener, const net::Address& address) {
  return listener.bind_to_port &&
         (listener.address == address || std::ranges::count(listener.additional_addresses, address) > 0);
}

/// Two sockets of one address would each take a part of its connections.
Result<void> expect_addresses_of_their_own(const Snapshot& snapshot) {
  std::map<std::string, std::string_view> owners;
  for (const auto& [name, listener] : snapshot.listeners) {
    if (!listener->bind_to_port) continue;
    std::vector<net::Address> all = listener->additional_addresses;
    all.push_back(listener->address);
    for (const net::Address& address : all) {
      const auto [owner, added] = owners.try_emplace(address.to_string(), name);
      if (!added && owner->second != name)
        return fail(Error::config(Code::kConflict, "listener '" + name + "': " + owner->first +
                                                       " is the address of listener '" +
                                                       std::string(owner->second) + "' too"));
    }
  }
  return {};
}

/// Where and how its sockets listen.
std::string binding_of(const ListenerConfig& listener) {
  std::string text = listener.address.to_string();
  for (const net::Address& more : listener.additional_addresses) text += "," + more.to_string();
  if (!listener.ipv4_compatible) text += " without IPv4";
  return text;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(net::Loop& main, ServerOptions options) {
  auto plane = std::make_unique<DataPlane>(main, std::move(options));
  plane->start_workers();
  return std::unique_ptr<Server>(std::move(plane));
}

DataPlane::DataPlane(net::Loop& main, ServerOptions options)
    : main_(main), options_(std::move(options)), started_(main.now()) {
  options_.concurrency = std::max(1u, options_.concurrency);
  const std::uint32_t by_descriptors = connections_by_descriptors();
  if (options_.limits.max_connections == 0) options_.limits.max_connections = by_descriptors;
  options_.limits.max_connections = std::max(1u, options_.limits.max_connections / options_.concurrency);
}

DataPlane::~DataPlane() { stop(); }

void DataPlane::start_workers() {
  for (unsigned i = 0; i < options_.concurrency; ++i)
    threads_.push_back(std::make_unique<WorkerThread>(i, options_.limits));
  for (auto& thread : threads_) {
    workers_.push_back(&thread->worker());
    thread->start();
  }
}

void DataPlane::stop() {
  alive_.reset();
  workers_.clear();
  threads_.clear();
  for (const InheritedListener& one : options_.inherited) ::close(one.fd);
  options_.inherited.clear();
}

int DataPlane::inherited(const net::Address& address) const {
  for (const InheritedListener& one : options_.inherited)
    if (one.address == address) return one.fd;
  return -1;
}

bool DataPlane::is_bound(const net::Address& address) const {
  return current_ && std::ranges::any_of(current_->source->listeners, [&](const auto& entry) {
           return listens_at(*entry.second, address);
         });
}

Result<void> DataPlane::bind(const ListenerConfig& listener, const net::Address& address, Sockets& into) {
  const int given = inherited(address);
  // Sockets of before, of this listener or another, are open until the workers have changed over.
  const bool again = bound_.contains(listener.name) || is_bound(address);
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (given >= 0) {
      net::Fd copy(::fcntl(given, F_DUPFD_CLOEXEC, 0));
      if (!copy)
        return fail(
            Error::internal(Code::kExhausted, "cannot use the inherited socket: " + errno_text(errno)));
      into[i].push_back({listener.name, std::move(copy), true});
      continue;
    }
    auto fd = net::make_listening_fd(address, {.reuse_port = again || workers_.size() > 1,
                                               .transparent = listener.transparent,
                                               .v6_only = !listener.ipv4_compatible});
    if (!fd) return fail(std::move(fd).error().with_context("listener '" + listener.name + "'"));
    // Said only now, a port in use by another program is still found out.
    const int on = 1;
    ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    into[i].push_back({listener.name, std::move(*fd), false});
  }
  return {};
}

Result<DataPlane::Sockets> DataPlane::bind_new(const Snapshot& snapshot) {
  WEFT_CHECK(expect_addresses_of_their_own(snapshot));
  Sockets sockets(workers_.size());
  for (const auto& [name, listener] : snapshot.listeners) {
    if (!listener->bind_to_port) continue;
    const auto bound = bound_.find(name);
    if (bound != bound_.end() && bound->second == binding_of(*listener)) continue;
    WEFT_CHECK(bind(*listener, listener->address, sockets));
    for (const net::Address& more : listener->additional_addresses)
      WEFT_CHECK(bind(*listener, more, sockets));
  }
  return sockets;
}

void DataPlane::apply(SnapshotPtr snapshot, std::function<void(Result<void>)> done) {
  auto compiled = CompiledSnapshot::compile(snapshot, current_.get());
  if (!compiled) {
    main_.defer([done = std::move(done), error = std::move(compiled).error()] { done(fail(error)); });
    return;
  }
  auto sockets = bind_new(*snapshot);
  if (!sockets) {
    main_.defer([done = std::move(done), error = std::move(sockets).error()] { done(fail(error)); });
    return;
  }
  current_ = *compiled;
  bound_.clear();
  for (const auto& [name, listener] : snapshot->listeners)
    if (listener->bind_to_port) bound_[name] = binding_of(*listener);
  auto by_worker = std::make_shared<Sockets>(std::move(*sockets));
  auto next = std::make_shared<std::size_t>(0);
  std::map<const Worker*, std::size_t> place;
  for (std::size_t i = 0; i < workers_.size(); ++i) place[workers_[i]] = i;
  on_all([next_snapshot = *compiled, by_worker,
          place](Worker& worker) { worker.apply(next_snapshot, std::move((*by_worker)[place.at(&worker)])); },
         [done = std::move(done)] { done({}); });
}

void DataPlane::on_all(std::function<void(Worker&)> work, std::function<void()> done) {
  struct Round {
    std::function<void(Worker&)> work;
    std::function<void()> done;
    std::size_t open;
  };
  auto round = std::make_shared<Round>(Round{std::move(work), std::move(done), workers_.size()});
  for (Worker* const worker : workers_) {
    worker->loop().post([this, round, worker, alive = std::weak_ptr<char>(alive_)] {
      round->work(*worker);
      main_.post([round, alive] {
        if (--round->open > 0) return;
        // What the caller gave ends on the caller's thread: a worker may be the last to let go of the round.
        const auto finish = std::exchange(round->done, {});
        if (!alive.expired()) finish();
      });
    });
  }
}

void DataPlane::Draining::end() {
  if (std::exchange(over, true)) return;
  for (const auto& each : std::exchange(done, {})) each();
}

/// A second drain is the same one, until the earlier of both limits.
void DataPlane::drain(Milliseconds limit, std::function<void()> done) {
  draining_ = true;
  const TimePoint until = main_.now() + limit;
  if (drain_) {
    if (drain_->over) return main_.defer(std::move(done));
    drain_->done.push_back(std::move(done));
    return drain_timer_->arm(std::min(until, drain_timer_->when()));
  }
  drain_ = std::make_shared<Draining>();
  drain_->open = workers_.size();
  drain_->done.push_back(std::move(done));
  drain_timer_ = std::make_unique<net::Timer>(main_, [drain = drain_] {
    // Held by a copy: who is told may end the plane, and this timer with all that it holds.
    std::shared_ptr(drain)->end();
  });
  drain_timer_->arm(until);
  for (Worker* const worker : workers_) {
    worker->loop().post([this, drain = drain_, worker, alive = std::weak_ptr<char>(alive_)] {
      worker->stop_accepting();
      worker->drain_connections();
      worker->when_idle([this, drain, alive] {
        main_.post([drain, alive] {
          if (--drain->open == 0 && !alive.expired()) drain->end();
        });
      });
    });
  }
}

void DataPlane::begin_graceful_drain(DrainScope drain_scope) {
  draining_ = true;
  on_all([drain_scope](Worker& worker) { worker.begin_graceful_drain(drain_scope); }, [] {});
}

void DataPlane::count_open(std::function<void(OpenWork)> done) {
  auto by_worker = std::make_shared<std::vector<OpenWork>>(workers_.size());
  std::map<const Worker*, std::size_t> place;
  for (std::size_t i = 0; i < workers_.size(); ++i) place[workers_[i]] = i;
  on_all([by_worker, place](Worker& worker) { (*by_worker)[place.at(&worker)] = worker.open_work(); },
         [by_worker, done = std::move(done)] {
           OpenWork sum;
           for (const OpenWork& one : *by_worker) {
             sum.requests += one.requests;
             sum.connections += one.connections;
           }
           done(sum);
         });
}

void DataPlane::collect_stats(bool prometheus, std::function<void(std::string)> done) {
  auto sheets = std::make_shared<std::vector<StatsSnapshot>>(workers_.size());
  std::map<const Worker*, std::size_t> place;
  for (std::size_t i = 0; i < workers_.size(); ++i) place[workers_[i]] = i;
  on_all([sheets, place](Worker& worker) { (*sheets)[place.at(&worker)] = worker.stats(); },
         [this, sheets, prometheus, done = std::move(done)] {
           StatsSnapshot sum;
           for (const StatsSnapshot& sheet : *sheets) sum.merge(sheet);
           sum.add("server.live", 1, StatsSnapshot::Kind::kGauge);
           sum.add("server.state", ready() ? 0 : 2, StatsSnapshot::Kind::kGauge);
           sum.add("server.concurrency", workers_.size(), StatsSnapshot::Kind::kGauge);
           const auto uptime =
               std::chrono::duration_cast<std::chrono::seconds>(main_.now() - started_).count();
           sum.add("server.uptime", static_cast<std::uint64_t>(uptime), StatsSnapshot::Kind::kGauge);
           done(prometheus ? sum.prometheus() : sum.plain());
         });
}

void DataPlane::collect_clusters(bool json, std::function<void(std::string)> done) {
  using Views = std::vector<Worker::EndpointView>;
  auto views = std::make_shared<std::vector<Views>>(workers_.size());
  std::map<const Worker*, std::size_t> place;
  for (std::size_t i = 0; i < workers_.size(); ++i) place[workers_[i]] = i;
  on_all([views, place](Worker& worker) { (*views)[place.at(&worker)] = worker.endpoint_views(); },
         [views, json, done = std::move(done)] {
           std::map<std::string, std::map<std::string, Worker::EndpointView>> sums;
           for (const Views& of_worker : *views) {
             for (const Worker::EndpointView& view : of_worker) {
               auto& cluster = sums[view.cluster];
               if (view.address.empty()) continue;
               const auto [place_of, added] = cluster.try_emplace(view.address, view);
               if (added) continue;
               place_of->second.connections += view.connections;
               place_of->second.active += view.active;
               place_of->second.total += view.total;
             }
           }
           std::string out = json ? "{\"cluster_statuses\":[" : "";
           bool first = true;
           for (const auto& [name, endpoints] : sums) {
             if (json)
               out +=
                   std::string(first ? "" : ",") + "{\"name\":" + json_string(name) + ",\"host_statuses\":[";
             first = false;
             bool first_host = true;
             for (const auto& [address, view] : endpoints) {
               const std::string health = view.healthy ? "healthy" : "/failed_eds_health";
               if (json) {
                 out += std::string(first_host ? "" : ",") + "{\"address\":" + json_string(address) +
                        ",\"weight\":" + std::to_string(view.weight) +
                        ",\"priority\":" + std::to_string(view.priority) +
                        ",\"cx_active\":" + std::to_string(view.connections) +
                        ",\"rq_active\":" + std::to_string(view.active) +
                        ",\"rq_total\":" + std::to_string(view.total) + ",\"health\":\"" + health + "\"}";
                 first_host = false;
                 continue;
               }
               const std::string line = name + "::" + address + "::";
               out += line + "cx_active::" + std::to_string(view.connections) + "\n" + line +
                      "rq_active::" + std::to_string(view.active) + "\n" + line +
                      "rq_total::" + std::to_string(view.total) + "\n" + line + "health_flags::" + health +
                      "\n" + line + "weight::" + std::to_string(view.weight) + "\n" + line +
                      "priority::" + std::to_string(view.priority) + "\n";
             }
             if (json) out += "]}";
           }
           done(json ? out + "]}" : out);
         });
}

void DataPlane::flush_logs(std::function<void()> done) {
  on_all([](Worker& worker) { worker.logs().flush(); }, std::move(done));
}

std::string DataPlane::listeners_text(bool json) const {
  std::string out = json ? "{\"listener_statuses\":[" : "";
  bool first = true;
  if (current_) {
    for (const auto& [name, listener] : current_->source->listeners) {
      const std::string address = listener->address.to_string();
      if (json)
        out += std::string(first ? "" : ",") + "{\"name\":" + json_string(name) +
               ",\"local_address\":" + json_string(address) + "}";
      else
        out += name + "::" + address + "\n";
      first = false;
    }
  }
  return json ? out + "]}" : out;
}

}  // namespace weft::proxy
