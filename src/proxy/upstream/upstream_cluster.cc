#include "proxy/upstream/upstream_cluster.h"

#include <algorithm>
#include <optional>

#include "base/log.h"
#include "net/cancellable.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kMaxOriginalDestinations = 1024;
constexpr Duration kLookAgain = 50ms;

Error upstream_error(Code code, std::string text) {
  return Error::upstream(code, Retry::kElsewhere, std::move(text));
}

/// The first that can reach `to`; the configured one when none can, so that the error names it.
const net::Address& source_towards(const ClusterConfig& config, const net::Address& to) {
  static const net::Address kNone;
  for (const net::Address& each : config.bind_sources)
    if (each.family() == to.family()) return each;
  return config.bind_sources.empty() ? kNone : config.bind_sources[0];
}

void keep_family(std::vector<net::Address>& addresses, ClusterConfig::DnsFamily family) {
  using Family = ClusterConfig::DnsFamily;
  const bool any_v4 = std::ranges::any_of(addresses, &net::Address::is_v4);
  const bool drop_v6 = family == Family::kV4Only || (family == Family::kV4Preferred && any_v4);
  if (drop_v6) std::erase_if(addresses, [](const net::Address& each) { return !each.is_v4(); });
  if (family == Family::kV6Only) std::erase_if(addresses, &net::Address::is_v4);
}

BalancePolicy policy_of(const ClusterConfig& config, std::uint32_t overprovisioning_percent) {
  return {.balance = config.balance,
          .least_request_choices = config.least_request_choices,
          .panic_percent = config.panic_threshold_percent,
          .locality_weights = config.locality_weights,
          .overprovisioning_percent = overprovisioning_percent};
}

using Connected = Result<Connection>;

net::Task<void> keep(net::Task<Connected> connecting, std::optional<Connected>& into) {
  into = co_await connecting;
}

/// What `connecting` comes to, or kCancelled as soon as it is cancelled; the stream is then closed.
net::Task<Connected> while_wanted(net::Loop& loop, net::Task<Connected> connecting,
                                  WaitingLine::Handle* waiting) {
  if (!waiting) co_return co_await connecting;
  std::optional<Connected> made;
  co_await net::run_cancellable(loop, waiting->connect, keep(std::move(connecting), made));
  if (!made) co_return fail(upstream_error(Code::kCancelled, "cancelled"));
  co_return std::move(*made);
}

}  // namespace

UpstreamCluster::UpstreamCluster(net::Loop& loop, Random& random, net::DnsResolver& dns, Connector connector,
                                 const CompiledCluster& from)
    : loop_(loop),
      random_(random),
      dns_(dns),
      connector_(std::move(connector)),
      config_(from.config),
      share_(std::make_shared<ClusterShare>(from.usage)),
      balancer_(policy_of(*config_, kOverprovisioningPercent)),
      sweep_timer_(loop, [this] { sweep(); }),
      dns_timer_(loop, [this] { resolve(); }),
      look_again_timer_(loop, [this] { look_again(); }) {
  if (config_->discovery == ClusterConfig::Discovery::kOriginalDestination) share_->kinds_by_endpoint = true;
  if (by_name())
    dns_timer_.arm(loop_.now());
  else if (from.endpoints)
    set_endpoints(*from.endpoints);
}

UpstreamCluster::~UpstreamCluster() {
  for (auto& [text, endpoint] : endpoints_) endpoint->retire();
}

bool UpstreamCluster::can_become(const ClusterConfig& config) const {
  return config.name == config_->name && config.discovery == config_->discovery &&
         config.bind_sources.all() == config_->bind_sources.all() && config.spoken == config_->spoken &&
         config.http2 == config_->http2 && config.transport == config_->transport;
}

void UpstreamCluster::begin_with_endpoints_of(const UpstreamCluster& before) {
  // Where clients meant to go is no set of endpoints to choose from.
  if (!by_name() || before.config_->discovery == ClusterConfig::Discovery::kOriginalDestination) return;
  Endpoints same;
  for (const auto& [text, endpoint] : before.endpoints_) {
    Locality& locality = same.localities.emplace_back();
    locality.priority = endpoint->priority();
    locality.weight = endpoint->locality().weight;
    locality.endpoints.push_back(endpoint->config());
  }
  set_endpoints(same);
}

void UpstreamCluster::update(const CompiledCluster& from) {
  const ConfigPtr before = std::exchange(config_, from.config);
  const bool other_names = before->dns_hosts != config_->dns_hosts ||
                           before->dns_family != config_->dns_family ||
                           before->dns_ttl_decides != config_->dns_ttl_decides ||
                           before->dns_overprovisioning_percent != config_->dns_overprovisioning_percent;
  if (by_name() && other_names) ask_for_other_names(*before);
  if (!by_name() && from.endpoints)
    set_endpoints(*from.endpoints);
  else
    balancer_.set_policy(policy_of(*config_, balancer_.policy().overprovisioning_percent));
  while (beyond_limit() && close_longest_idle()) {
  }
  if (before->idle_timeout != config_->idle_timeout) sweep();
  if (before->dns_refresh != config_->dns_refresh && dns_timer_.armed() && !ttl_holds_)
    dns_timer_.arm(std::min(dns_timer_.when(), loop_.now() + config_->dns_refresh));
  share_->wake_each_kind();
}

/// Endpoints that stay keep their connections; the others close theirs as they come back.
void UpstreamCluster::set_endpoints(const Endpoints& endpoints) {
  std::map<std::string, std::shared_ptr<EndpointPool>> next;
  std::vector<std::shared_ptr<EndpointPool>> list;
  LocalityShare share;
  for (const Locality& locality : endpoints.localities) {
    share.weight = locality.weight;
    for (const Endpoint& endpoint : locality.endpoints) {
      const std::string text = endpoint.address.to_string();
      auto& place = next[text];
      if (place) continue;
      const auto known = endpoints_.find(text);
      if (known != endpoints_.end()) {
        place = known->second;
        place->update(endpoint, locality.priority, share);
      } else {
        place = std::make_shared<EndpointPool>(loop_, share_, endpoint, locality.priority, share);
      }
      list.push_back(place);
    }
    ++share.index;
  }
  std::swap(endpoints_, next);
  for (const auto& [text, endpoint] : next)
    if (!endpoints_.contains(text)) endpoint->retire();
  balancer_.set_endpoints(std::move(list), policy_of(*config_, endpoints.overprovisioning_percent));
  share_->wake_each_kind();
}

/// What is known of names that stay holds on, with what is said of them now.
void UpstreamCluster::ask_for_other_names(const ClusterConfig& before) {
  const auto answers = std::exchange(resolved_, {});
  resolved_.resize(config_->dns_hosts.size());
  bool known = false;
  for (std::size_t i = 0; i < resolved_.size(); ++i)
    for (std::size_t j = 0; j < answers.size(); ++j)
      if (before.dns_hosts[j].name == config_->dns_hosts[i].name &&
          before.dns_hosts[j].port == config_->dns_hosts[i].port) {
        resolved_[i] = answers[j];
        known = known || !answers[j].empty();
      }
  ++names_;
  dns_timer_.arm(loop_.now());
  if (known) use_answers();
}

/// Asks for every name again. What a name has answered holds at once, whatever the others do, and until it
/// answers again. Until the first of new names has answered, the endpoints of those before them stay.
void UpstreamCluster::resolve() {
  resolved_.resize(config_->dns_hosts.size());
  struct Round {
    std::size_t open;
    std::chrono::seconds ttl{0};
    bool failed = false;
  };
  auto round = std::make_shared<Round>(config_->dns_hosts.size());
  for (std::size_t i = 0; i < config_->dns_hosts.size(); ++i) {
    const ClusterConfig::DnsHost& host = config_->dns_hosts[i];
    dns_.resolve(host.name, host.port,
                 [weak = weak_from_this(), this, round, names = names_, i](auto addresses) {
                   const auto alive = weak.lock();
                   if (!alive || names != names_) return;
                   if (addresses) {
                     if (addresses->ttl.count() && (!round->ttl.count() || addresses->ttl < round->ttl))
                       round->ttl = addresses->ttl;
                     take_answer(i, std::move(addresses->list));
                   } else {
                     WEFT_LOG(kWarn, "cluster", "a name does not resolve", {"cluster", config_->name},
                              {"error", addresses.error().text});
                     // That there is no such name is an answer; a server that does not answer says nothing.
                     if (addresses.error().code == Code::kNotFound) take_answer(i, {});
                     round->failed = true;
                   }
                   if (--round->open > 0) return;
                   if (std::ranges::all_of(resolved_, [](const auto& each) { return each.empty(); }))
                     set_endpoints({});
                   Duration rest = config_->dns_refresh;
                   ttl_holds_ = config_->dns_ttl_decides && round->ttl.count() && !round->failed;
                   if (config_->dns_ttl_decides && round->ttl.count())
                     rest = round->failed ? std::min<Duration>(rest, round->ttl) : Duration(round->ttl);
                   dns_timer_.arm(loop_.now() + rest);
                 });
  }
}

void UpstreamCluster::take_answer(std::size_t host, std::vector<net::Address> addresses) {
  if (resolved_[host] == addresses) return;
  resolved_[host] = std::move(addresses);
  use_answers();
}

void UpstreamCluster::use_answers() {
  std::map<std::pair<std::uint32_t, std::uint32_t>, Locality> localities;
  for (std::size_t i = 0; i < resolved_.size(); ++i) {
    const ClusterConfig::DnsHost& name = config_->dns_hosts[i];
    std::vector<net::Address> addresses = resolved_[i];
    keep_family(addresses, config_->dns_family);
    if (config_->discovery == ClusterConfig::Discovery::kLogicalDns && addresses.size() > 1)
      addresses.resize(1);
    Locality& locality = localities[{name.priority, name.locality}];
    locality.priority = name.priority;
    locality.weight = name.locality_weight;
    for (const net::Address& address : addresses)
      locality.endpoints.push_back(
          {.address = address, .weight = name.weight, .health = name.health, .hostname = name.name});
  }
  Endpoints found;
  found.overprovisioning_percent = config_->dns_overprovisioning_percent;
  for (auto& [key, locality] : localities) found.localities.push_back(std::move(locality));
  set_endpoints(found);
}

std::shared_ptr<EndpointPool> UpstreamCluster::endpoint_at(const net::Address& address) {
  const std::string text = address.to_string();
  if (const auto known = endpoints_.find(text); known != endpoints_.end()) return known->second;
  if (endpoints_.size() >= kMaxOriginalDestinations) make_room();
  return endpoints_
      .emplace(text,
               std::make_shared<EndpointPool>(loop_, share_, Endpoint{.address = address, .hostname = {}}, 0))
      .first->second;
}

/// Forgets the destinations that no request uses now.
void UpstreamCluster::make_room() {
  std::erase_if(endpoints_, [](const auto& entry) {
    if (!entry.second->at_rest()) return false;
    entry.second->retire();
    return true;
  });
}

Result<std::shared_ptr<EndpointPool>> UpstreamCluster::pick(const Request& request) {
  if (config_->discovery == ClusterConfig::Discovery::kOriginalDestination) {
    if (request.original_destination.is_ip()) return endpoint_at(request.original_destination);
  } else if (auto picked = balancer_.pick(random_, request.avoid)) {
    return picked;
  }
  ++share_->counters.upstream_cx_none_healthy;
  return fail(upstream_error(Code::kNotFound, "no healthy upstream"));
}

net::Task<Result<Lease>> UpstreamCluster::lease(Request request) {
  request.fresh = request.fresh || request.tunnel;
  const bool stream = request.protocol == http::Protocol::kHttp2 && !request.tunnel;
  return stream ? lease_stream(std::move(request)) : lease_connection(std::move(request));
}

Result<Place> UpstreamCluster::take_pending() {
  Place pending = Place::take(share_->usage->pending, config_->max_pending_requests);
  if (pending) return pending;
  ++share_->counters.upstream_rq_pending_overflow;
  return fail(upstream_error(Code::kExhausted, "too many pending requests"));
}

net::Task<Result<Lease>> UpstreamCluster::lease_connection(Request request) {
  const ConnectionUse use = request.tunnel ? ConnectionUse::kTcp : ConnectionUse::kHttp1;
  std::optional<WaitingLine::Turn> turn;
  std::shared_ptr<EndpointPool> endpoint;
  for (;;) {
    if (!endpoint) {
      WEFT_CO_TRY(endpoint, pick(request));
    }
    // An idle connection is also a place for who stands in line, whatever they need.
    if (!request.fresh && (turn || share_->waiting.empty())) {
      if (auto pooled = endpoint->take(http::Protocol::kHttp1)) {
        turn.reset();
        co_return Lease(*this, std::move(pooled));
      }
    }
    ConnectionPlace place = take_place_in_turn(endpoint, use, turn.has_value());
    if (place) {
      turn.reset();
      auto connected = co_await connect(endpoint->config().address, request.deadline, request.waiting);
      if (!connected && is_unreached(connected.error(), request)) endpoint->note_unreached();
      if (!connected && request.unreached) *request.unreached = std::move(endpoint);
      WEFT_CO_TRY(Connection made, std::move(connected));
      if (request.tunnel)
        co_return Lease(*this, std::make_shared<UpstreamConnection>(std::move(made), std::move(place)));
      co_return Lease(*this, std::make_shared<UpstreamConnection>(std::move(made), http::Protocol::kHttp1,
                                                                  config_->http2, std::move(place)));
    }
    if (auto other = elsewhere(request, *endpoint, use, turn.has_value())) {
      endpoint = std::move(other);
      continue;
    }
    WEFT_CO_CHECK(co_await wait_in_line(turn, request, endpoint->kind_in_line(use)));
    endpoint.reset();  // another may have room by then
  }
}

net::Task<Result<void>> UpstreamCluster::wait_in_line(std::optional<WaitingLine::Turn>& turn,
                                                      const Request& request,
                                                      std::shared_ptr<WaitingLine::Kind> kind) {
  if (!turn) {
    WEFT_CO_TRY(Place pending, take_pending());
    turn.emplace(loop_, share_->waiting, std::move(pending), share_->counters, request.waiting);
    ++share_->counters.upstream_cx_overflow;
  }
  // An arming that is there stays: a request that comes later must not put off those that wait.
  if (!look_again_timer_.armed()) look_again_timer_.arm(loop_.now() + kLookAgain);
  const bool in_time = co_await turn->wait(request.deadline, std::move(kind));
  if (!in_time) co_return fail(upstream_error(Code::kTimeout, "no connection came free in time"));
  co_return Result<void>{};
}

/// For one that has found nothing to take at `endpoint`. Nobody overtakes those who wait for the same.
ConnectionPlace UpstreamCluster::take_place_in_turn(const std::shared_ptr<EndpointPool>& endpoint,
                                                    ConnectionUse use, bool woken) {
  if (woken || share_->waiting.empty())
    if (ConnectionPlace place = take_place(endpoint, use)) return place;
  if (!woken && endpoint->waited_for(use)) return {};
  return take_first_place(endpoint, use);
}

/// For one that has found no room at `endpoint`: another that has some; null when it has to wait.
std::shared_ptr<EndpointPool> UpstreamCluster::elsewhere(const Request& request, const EndpointPool& endpoint,
                                                         ConnectionUse use, bool woken) {
  if (config_->discovery == ClusterConfig::Discovery::kOriginalDestination) return nullptr;
  if (!woken && endpoint.waited_for(use)) return nullptr;
  return balancer_.pick_with_room(random_, use, loop_.now(), request.avoid);
}

/// Within the limit, if need be in the place of an idle connection: there or elsewhere, none that is idle is
/// of use to the request.
ConnectionPlace UpstreamCluster::take_place(const std::shared_ptr<EndpointPool>& endpoint,
                                            ConnectionUse use) {
  do {
    if (auto place = ConnectionPlace::take(endpoint, use, config_->max_connections)) return place;
  } while (close_longest_idle());
  return {};
}

/// Without any connection of its use to its endpoint a request would wait for something that never comes.
ConnectionPlace UpstreamCluster::take_first_place(const std::shared_ptr<EndpointPool>& endpoint,
                                                  ConnectionUse use) {
  if (endpoint->connections(use) > 0) return {};
  ++share_->counters.upstream_cx_overflow;
  return ConnectionPlace::beyond(endpoint, use);
}

/// Whether a connection may be made within the limit.
bool UpstreamCluster::has_place() const {
  return share_->usage->connections.load(std::memory_order_relaxed) < config_->max_connections ||
         std::ranges::any_of(
             endpoints_, [](const auto& each) { return each.second->idle_connections() > 0; });
}

/// False: there is none.
bool UpstreamCluster::close_longest_idle() {
  EndpointPool* longest = nullptr;
  for (const auto& [text, endpoint] : endpoints_) {
    if (endpoint->idle_connections() == 0) continue;
    if (!longest || endpoint->idle_since() < longest->idle_since()) longest = endpoint.get();
  }
  if (longest) longest->close_longest_idle();
  return longest != nullptr;
}

bool UpstreamCluster::beyond_limit() const {
  return share_->usage->connections.load(std::memory_order_relaxed) > config_->max_connections;
}

/// Another worker's connections take no notice of who waits here, but their places are counted.
void UpstreamCluster::look_again() {
  if (share_->waiting.empty()) return;
  // An endpoint that could not be reached may be tried again by now, too.
  share_->wake_each_kind();
  look_again_timer_.arm(loop_.now() + kLookAgain);
}

net::Task<Connected> UpstreamCluster::connect(net::Address to, TimePoint deadline,
                                              WaitingLine::Handle* waiting) {
  const TimePoint limit = std::min(deadline, loop_.now() + config_->connect_timeout);
  ClusterCounters& counters = share_->counters;
  ++counters.upstream_cx_total;
  Connected made = co_await while_wanted(loop_, reach(to, limit), waiting);
  if (made || made.error().code == Code::kCancelled) co_return made;
  ++counters.upstream_cx_connect_fail;
  if (made.error().code == Code::kTimeout) ++counters.upstream_cx_connect_timeout;
  // Without a descriptor, a port or a way there no limit of the cluster is reached, and another endpoint may
  // do.
  if (made.error().code == Code::kExhausted) made.error().code = Code::kRefused;
  co_return made;
}

/// Whether it says something of the endpoint, and not of a limit of the request.
bool UpstreamCluster::is_unreached(const Error& why, const Request& request) const {
  return why.code != Code::kCancelled && request.deadline > loop_.now();
}

/// The plain transport is a connection as it is, and costs no frame.
net::Task<Connected> UpstreamCluster::reach(net::Address to, TimePoint deadline) {
  auto raw = connector_(loop_, to, {.deadline = deadline, .bind_source = source_towards(*config_, to)});
  return config_->transport ? secure(std::move(raw), config_, deadline) : std::move(raw);
}

net::Task<Connected> UpstreamCluster::secure(net::Task<Connected> connecting, ConfigPtr config,
                                             TimePoint deadline) {
  WEFT_CO_TRY(Connection made, co_await std::move(connecting));
  WEFT_CO_TRY(made.stream, co_await (*config->transport)(std::move(made.stream), deadline));
  co_return made;
}

net::Task<Result<UpstreamCluster::Dialed>> UpstreamCluster::dial(Request request) {
  WEFT_CO_TRY(std::shared_ptr<EndpointPool> endpoint, pick(request));
  ConnectionPlace place = ConnectionPlace::take(endpoint, ConnectionUse::kTcp, config_->max_connections);
  if (!place) {
    ++share_->counters.upstream_cx_overflow;
    co_return fail(upstream_error(Code::kExhausted, "too many connections"));
  }
  WEFT_CO_TRY(Connection made,
              co_await connect(endpoint->config().address, request.deadline, request.waiting));
  co_return Dialed{std::move(place), std::move(endpoint), std::move(made)};
}

http::Protocol UpstreamCluster::protocol_for(http::Version downstream) const {
  using Spoken = ClusterConfig::Spoken;
  const bool http2 = config_->spoken == Spoken::kHttp2 ||
                     (config_->spoken == Spoken::kAsDownstream && downstream == http::Version::k2);
  return http2 ? http::Protocol::kHttp2 : http::Protocol::kHttp1;
}

bool UpstreamCluster::used_up(const UpstreamConnection& connection) const {
  const std::uint32_t max = config_->max_requests_per_connection;
  return max != 0 && connection.http->exchanges() >= max;
}

void UpstreamCluster::release(std::shared_ptr<UpstreamConnection> connection) {
  const auto endpoint = connection->endpoint;
  const ConnectionUse use = connection->place.use();
  const bool idle = connection->active == 0;
  // One that other requests use stays for those to come: they would wait for it.
  if (used_up(*connection) || (connection->active == 0 && beyond_limit()))
    endpoint->withdraw(*connection);
  else
    endpoint->put(std::move(connection));
  connection.reset();
  if (idle) share_->waiting.wake();
  endpoint->wake_in_line(use);
  if (endpoint->idle_connections() && config_->idle_timeout.count() && !sweep_timer_.armed())
    sweep_timer_.arm(loop_.now() + config_->idle_timeout);
}

void UpstreamCluster::sweep() {
  sweep_timer_.disarm();
  if (config_->idle_timeout.count() == 0) return;
  TimePoint next = kNever;
  const TimePoint before = loop_.now() - config_->idle_timeout;
  for (const auto& [text, endpoint] : endpoints_) next = std::min(next, endpoint->close_idle_before(before));
  if (next != kNever) sweep_timer_.arm(next + config_->idle_timeout);
}

}  // namespace weft::proxy
