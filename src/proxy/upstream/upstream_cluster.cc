#include "proxy/upstream/upstream_cluster.h"

#include <algorithm>

#include "base/log.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kMostOriginalDestinations = 1024;

Error upstream_error(Code code, std::string text) {
  return Error::upstream(code, Retry::kElsewhere, std::move(text));
}

/// The first that can reach `to`; the configured one when none can, so that the error names it.
const net::Address& source_towards(const ClusterConfig& config, const net::Address& to) {
  if (config.bind_source.empty() || config.bind_source.family() == to.family()) return config.bind_source;
  for (const net::Address& each : config.extra_bind_sources)
    if (each.family() == to.family()) return each;
  return config.bind_source;
}

}  // namespace

/// A request waiting for a connection to come back; first come, first served.
struct UpstreamCluster::Turn {
  UpstreamCluster& cluster;
  net::Timer timer;
  std::coroutine_handle<> handle;
  bool in_time = false;

  Turn(UpstreamCluster& owner, TimePoint deadline)
      : cluster(owner), timer(owner.loop_, [this] { end_wait(); }) {
    timer.arm(deadline);
    cluster.waiting_.push_back(this);
    ++cluster.counters_->upstream_rq_pending_active;
    ++cluster.counters_->upstream_rq_pending_total;
  }
  ~Turn() {
    std::erase(cluster.waiting_, this);
    --cluster.counters_->upstream_rq_pending_active;
  }
  void end_wait() {
    in_time = std::find(cluster.waiting_.begin(), cluster.waiting_.end(), this) == cluster.waiting_.end();
    if (handle) std::exchange(handle, {}).resume();
  }
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { handle = waiting; }
  bool await_resume() const noexcept { return in_time; }
};

UpstreamCluster::UpstreamCluster(net::Loop& loop, Random& random, DnsResolver& dns, std::uint32_t socket_mark,
                                 ConfigPtr config)
    : loop_(loop),
      random_(random),
      dns_(dns),
      socket_mark_(socket_mark),
      config_(std::move(config)),
      balancer_(config_->balance, config_->least_request_choices),
      sweep_timer_(loop, [this] { sweep(); }),
      dns_timer_(loop, [this] { resolve(); }) {
  if (by_name())
    dns_timer_.arm(loop_.now());
  else if (config_->endpoints)
    set_endpoints(*config_->endpoints);
}

bool UpstreamCluster::by_name() const {
  return config_->discovery == ClusterConfig::Discovery::kStrictDns ||
         config_->discovery == ClusterConfig::Discovery::kLogicalDns;
}

UpstreamCluster::~UpstreamCluster() {
  for (auto& [text, endpoint] : endpoints_) endpoint->retire();
}

bool UpstreamCluster::can_become(const ClusterConfig& config) const {
  return config.name == config_->name && config.discovery == config_->discovery &&
         config.bind_source == config_->bind_source &&
         config.extra_bind_sources == config_->extra_bind_sources && config.http2 == config_->http2 &&
         config.dns_hosts == config_->dns_hosts;
}

void UpstreamCluster::update(ConfigPtr config) {
  const bool rebalance =
      config->balance != config_->balance || config->least_request_choices != config_->least_request_choices;
  config_ = std::move(config);
  if (rebalance) balancer_ = LoadBalancer(config_->balance, config_->least_request_choices);
  if (!by_name() && config_->endpoints) {
    set_endpoints(*config_->endpoints);
  } else if (rebalance) {
    std::vector<std::shared_ptr<EndpointPool>> all;
    for (const auto& [text, endpoint] : endpoints_) all.push_back(endpoint);
    balancer_.set_endpoints(std::move(all));
  }
  while (!waiting_.empty() && counters_->upstream_cx_active < config_->max_connections) wake_one();
}

/// Endpoints that stay keep their connections; the others close theirs as they come back.
void UpstreamCluster::set_endpoints(const Endpoints& endpoints) {
  std::map<std::string, std::shared_ptr<EndpointPool>> next;
  std::vector<std::shared_ptr<EndpointPool>> list;
  for (const Locality& locality : endpoints.localities) {
    for (const Endpoint& endpoint : locality.endpoints) {
      const std::string text = endpoint.address.to_string();
      auto& place = next[text];
      if (place) continue;
      const auto known = endpoints_.find(text);
      if (known != endpoints_.end()) {
        place = known->second;
        place->update(endpoint, locality.priority);
      } else {
        place = std::make_shared<EndpointPool>(loop_, endpoint, locality.priority);
      }
      list.push_back(place);
    }
  }
  std::swap(endpoints_, next);
  for (const auto& [text, endpoint] : next)
    if (!endpoints_.contains(text)) endpoint->retire();
  balancer_.set_endpoints(std::move(list));
}

/// Asks for every name again; the last answers stay when one fails.
void UpstreamCluster::resolve() {
  struct Round {
    std::size_t open = 0;
    bool failed = false;
    Endpoints found;
  };
  auto round = std::make_shared<Round>();
  round->open = config_->dns_hosts.size();
  round->found.localities.emplace_back();
  const bool one_only = config_->discovery == ClusterConfig::Discovery::kLogicalDns;
  for (const auto& [host, port] : config_->dns_hosts) {
    dns_.resolve(host, port, [weak = weak_from_this(), this, round, one_only, name = host](auto addresses) {
      const auto alive = weak.lock();
      if (!alive) return;
      if (!addresses) {
        round->failed = true;
        WEFT_LOG(kWarn, "cluster", "a name does not resolve", {"cluster", config_->name},
                 {"error", addresses.error().text});
      } else {
        for (const net::Address& address : *addresses) {
          round->found.localities.front().endpoints.push_back({.address = address, .hostname = name});
          if (one_only) break;
        }
      }
      if (--round->open == 0 && (!round->failed || endpoints_.empty())) set_endpoints(round->found);
      dns_timer_.arm(loop_.now() + config_->dns_refresh);
    });
  }
}

std::shared_ptr<EndpointPool> UpstreamCluster::endpoint_at(const net::Address& address) {
  const std::string text = address.to_string();
  if (const auto known = endpoints_.find(text); known != endpoints_.end()) return known->second;
  if (endpoints_.size() >= kMostOriginalDestinations)
    std::erase_if(endpoints_, [](const auto& entry) { return entry.second->connections == 0; });
  return endpoints_
      .emplace(text, std::make_shared<EndpointPool>(loop_, Endpoint{.address = address, .hostname = {}}, 0))
      .first->second;
}

Result<std::shared_ptr<EndpointPool>> UpstreamCluster::pick(const Request& request) {
  if (config_->discovery == ClusterConfig::Discovery::kOriginalDestination) {
    if (request.original_destination.is_ip()) return endpoint_at(request.original_destination);
  } else if (auto picked = balancer_.pick(random_, request.avoid)) {
    return picked;
  }
  ++counters_->upstream_cx_none_healthy;
  return fail(upstream_error(Code::kNotFound, "no healthy upstream"));
}

net::Task<Result<std::unique_ptr<UpstreamConnection>>> UpstreamCluster::acquire(Request request) {
  for (;;) {
    WEFT_CO_TRY(std::shared_ptr<EndpointPool> endpoint, pick(request));
    if (!request.fresh) {
      if (auto pooled = endpoint->take()) co_return pooled;
    }
    if (counters_->upstream_cx_active >= config_->max_connections) {
      ++counters_->upstream_cx_overflow;
      if (waiting_.size() >= config_->max_pending_requests) {
        ++counters_->upstream_rq_pending_overflow;
        co_return fail(upstream_error(Code::kExhausted, "too many pending requests"));
      }
      if (!co_await Turn(*this, request.deadline))
        co_return fail(upstream_error(Code::kTimeout, "no connection came free in time"));
      continue;
    }
    WEFT_CO_TRY(auto socket, co_await connect(*endpoint, request.deadline));
    co_return std::make_unique<UpstreamConnection>(std::move(socket), std::move(endpoint), counters_);
  }
}

net::Task<Result<std::unique_ptr<net::Socket>>> UpstreamCluster::connect(const EndpointPool& endpoint,
                                                                         TimePoint deadline) {
  const TimePoint limit = std::min(deadline, loop_.now() + config_->connect_timeout);
  const net::Address to = endpoint.config().address;
  // Counted while it is being made: many at once must not pass a limit that each of them alone keeps.
  struct Attempt {
    std::shared_ptr<ClusterCounters> counters;
    ~Attempt() { --counters->upstream_cx_active; }
  } attempt{counters_};
  ++counters_->upstream_cx_active;
  ++counters_->upstream_cx_total;
  auto socket = co_await net::connect(
      loop_, to, {.deadline = limit, .bind_source = source_towards(*config_, to), .mark = socket_mark_});
  if (socket) co_return std::move(socket);
  ++counters_->upstream_cx_connect_fail;
  if (socket.error().code == Code::kTimeout) ++counters_->upstream_cx_connect_timeout;
  co_return socket;
}

net::Task<Result<UpstreamCluster::Dialed>> UpstreamCluster::dial(Request request) {
  WEFT_CO_TRY(std::shared_ptr<EndpointPool> endpoint, pick(request));
  if (counters_->upstream_cx_active >= config_->max_connections) {
    ++counters_->upstream_cx_overflow;
    co_return fail(upstream_error(Code::kExhausted, "too many connections"));
  }
  WEFT_CO_TRY(auto socket, co_await connect(*endpoint, request.deadline));
  co_return Dialed{std::move(socket), std::move(endpoint)};
}

void UpstreamCluster::release(std::unique_ptr<UpstreamConnection> connection) {
  const std::uint32_t most = config_->max_requests_per_connection;
  const auto endpoint = connection->endpoint;
  if (most == 0 || connection->http.exchanges() < most) endpoint->put(std::move(connection));
  connection.reset();
  if (!waiting_.empty()) wake_one();
  if (endpoint->idle_connections() && config_->idle_timeout.count() && !sweep_timer_.armed())
    sweep_timer_.arm(loop_.now() + config_->idle_timeout);
}

void UpstreamCluster::wake_one() {
  Turn* const turn = waiting_.front();
  waiting_.pop_front();
  turn->timer.arm(loop_.now());  // resumed from the loop, not from inside whoever gave a connection back
}

void UpstreamCluster::sweep() {
  TimePoint next = kNever;
  const TimePoint before = loop_.now() - config_->idle_timeout;
  for (const auto& [text, endpoint] : endpoints_) next = std::min(next, endpoint->close_idle_before(before));
  if (next != kNever) sweep_timer_.arm(next + config_->idle_timeout);
}

}  // namespace weft::proxy
