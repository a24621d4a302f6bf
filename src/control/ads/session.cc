#include "control/ads/session.h"

#include <algorithm>

#include "base/strings.h"
#include "xds/proto/discovery.pb.h"
#include "xds/proto/endpoint.pb.h"
#include "xds/proto/route.pb.h"

namespace weft::control {
namespace {

constexpr std::size_t kMaxReason = 2000;
constexpr std::size_t kMaxDoubts = 8;

std::optional<Type> type_of(std::string_view url) {
  for (Type type : kAllTypes)
    if (type_url(type) == url) return type;
  return std::nullopt;
}

bool asks_by_name(Type type) { return type == Type::kEndpoint || type == Type::kRoute; }

/// Stands for a resource of any name with nothing in it: silence would keep a proxy waiting that asked for
/// it, and names that do not exist are to cost nothing.
const ResourcePtr& nothing() {
  static const ResourcePtr kNothing = std::make_shared<const Resource>();
  return kNothing;
}

std::string empty_resource(Type type, const std::string& name) {
  if (type == Type::kEndpoint) {
    envoy::config::endpoint::v3::ClusterLoadAssignment assignment;
    assignment.set_cluster_name(name);
    return assignment.SerializeAsString();
  }
  envoy::config::route::v3::RouteConfiguration table;
  table.set_name(name);
  return table.SerializeAsString();
}

using Names = std::set<std::string, std::less<>>;

/// What of `names` a reason is about. Proxies say it in words: ours put the name into quotes, Envoy names
/// clusters and listeners without. One that names nothing may be about any of them.
Names named_in(std::string_view reason, const Names& names, bool bare) {
  Names quoted, named;
  for (const std::string& name : names) {
    if (reason.find("'" + name + "'") != reason.npos) quoted.insert(name);
    if (bare && reason.find(name) != reason.npos) named.insert(name);
  }
  return !quoted.empty() ? quoted : !named.empty() ? named : names;
}

bool same(const ResourcePtr& a, const ResourcePtr& b) { return a == b || (a && b && a->bytes == b->bytes); }

ResourcePtr find(const Resources& resources, const std::string& name) {
  auto found = resources.find(name);
  return found == resources.end() ? nullptr : found->second;
}

}  // namespace

Session::TypeReport Session::report(Type type) const { return channel(type).report; }

void Session::offer(ResourceSetPtr target, std::uint64_t generation) {
  target_ = std::move(target);
  target_generation_ = generation;
  advance();
}

void Session::on_request(const Request& request) {
  auto type = type_of(request.type_url());
  // Types that we have nothing of stay unanswered, as every control plane does with types it does not know.
  if (!type) return;
  Channel& state = channel(*type);
  bool first = !state.subscribed;
  // Said before the proxy had our last response: what it says after will tell.
  if (!first && request.response_nonce() != state.nonce) return;
  // A proxy may find out after its acknowledgement that it cannot do what it has taken: a port is in use.
  const bool late = !first && !state.awaiting && request.has_error_detail();
  const bool repeated = !first && !state.awaiting && !late;
  if (state.awaiting || late) on_verdict(state, *type, request);
  subscribe(state, *type, request, repeated);
  // What comes when its stage has passed is answered in another round.
  if (stage_ != Stage::kIdle) asked_again_ = true;
  if (first) {
    state.subscribed = state.must_answer = true;
    if (stage_ != Stage::kIdle) stage_ = Stage::kClusters;
  }
  advance();
}

void Session::on_verdict(Channel& state, Type type, const Request& request) {
  state.awaiting = false;
  if (request.has_error_detail())
    on_rejected(state, type, request);
  else
    on_accepted(state, type);
}

void Session::on_accepted(Channel& state, Type type) {
  state.rejected = false;
  state.held = state.sent;
  state.report.acked = state.report.sent;
  if (!asks_by_name(type)) state.doubts.clear();
  for (Doubt& doubt : state.doubts)
    std::erase_if(doubt.resources, [&](const auto& entry) { return state.last.contains(entry.first); });
  drop_settled(state.doubts, state.report);
}

void Session::on_rejected(Channel& state, Type type, const Request& request) {
  state.rejected = true;
  state.report.nacked = state.report.sent;
  state.report.reason = std::string(cut(request.error_detail().message(), kMaxReason));
  // A complaint about what was sent again is one about any of it.
  if (state.last.empty())
    for (const auto& [name, resource] : state.sent) state.last.insert(name);
  Doubt doubt{{type, state.base, state.report.sent, state.report.reason}, {}};
  for (const std::string& name : named_in(state.report.reason, state.last, !asks_by_name(type)))
    doubt.resources.emplace(name, rejected(state, name));
  const bool said_before = stands_rejected(state, doubt);
  if (state.report.sent == active_generation_ && !said_before) refused_now_ = true;
  for (const auto& [name, resource] : state.sent) {
    if (!doubt.resources.contains(name)) {
      state.held[name] = resource;
    } else if (same(find(state.held, name), resource)) {
      state.held.erase(name);  // it was acknowledged, and then turned out not to be possible
    }
  }
  // A list without a name takes it away, whatever else of the list is rejected.
  if (!asks_by_name(type))
    std::erase_if(state.held, [&](const auto& entry) { return !state.sent.contains(entry.first); });
  if (said_before) return;
  std::erase_if(state.doubts, [&](const Doubt& one) { return one.refusal.upto == doubt.refusal.upto; });
  state.doubts.push_back(std::move(doubt));
  if (state.doubts.size() > kMaxDoubts) join_oldest(state, type);
}

/// A resource that was rejected before has had its last good form since before that.
Session::Rejected Session::rejected(const Channel& state, const std::string& name) const {
  for (const Doubt& doubt : state.doubts)
    if (const auto found = doubt.resources.find(name); found != doubt.resources.end())
      return {find(state.sent, name), found->second.before};
  return {find(state.sent, name), state.before};
}

/// Told apart less well, both still stand, for what is still wanted.
void Session::join_oldest(Channel& state, Type type) const {
  Doubt& second = state.doubts[1];
  second.refusal.after = state.doubts[0].refusal.after;
  second.resources.merge(state.doubts[0].resources);
  state.doubts.erase(state.doubts.begin());
  erase_unwanted(state.doubts.front(), type);
  drop_settled(state.doubts, state.report);
}

/// Lists of clusters and listeners are sent whole: what stands rejected goes out again as it was, and its
/// rejection says nothing of what has changed beside it.
bool Session::stands_rejected(const Channel& state, const Doubt& doubt) {
  return !doubt.resources.empty() && std::ranges::all_of(doubt.resources, [&](const auto& rejected) {
    return std::ranges::any_of(state.doubts, [&](const Doubt& one) {
      const auto found = one.resources.find(rejected.first);
      return found != one.resources.end() && same(found->second.form, rejected.second.form);
    });
  });
}

std::uint64_t Session::running() const {
  std::uint64_t least = settled_;
  for (const Channel& state : channels_)
    for (const Doubt& doubt : state.doubts) least = std::min(least, doubt.refusal.after);
  return least;
}

const Session::Refusal* Session::refusal_of(std::uint64_t since) const {
  for (const Channel& state : channels_)
    for (const Doubt& doubt : state.doubts)
      if (doubt.refusal.blames(since)) return &doubt.refusal;
  return nullptr;
}

bool Session::runs(std::uint64_t since) const { return since <= settled_ && !refusal_of(since); }

bool Session::any_doubted() const {
  return std::ranges::any_of(channels_, [](const Channel& state) { return !state.doubts.empty(); });
}

/// What the proxy is not to run any more cannot stand in the way of what it is to run.
void Session::erase_unwanted(Doubt& doubt, Type type) const {
  const Resources& wanted = (*active_)[type];
  const Names& asked = channel(type).names;
  std::erase_if(doubt.resources, [&](const auto& entry) {
    return !wanted.contains(entry.first) || (asks_by_name(type) && !asked.contains(entry.first));
  });
}

void Session::forget_unwanted() {
  for (Type type : kAllTypes) {
    Channel& state = channel(type);
    for (Doubt& doubt : state.doubts) erase_unwanted(doubt, type);
    drop_settled(state.doubts, state.report);
  }
}

/// Whether a cluster was rejected of which the proxy has no other form: a route to it would lead nowhere.
bool Session::lacks_clusters() const {
  const Channel& state = channel(Type::kCluster);
  return std::ranges::any_of(state.doubts, [&](const Doubt& doubt) {
    return std::ranges::any_of(doubt.resources,
                               [&](const auto& entry) { return !state.held.contains(entry.first); });
  });
}

void Session::drop_settled(std::vector<Doubt>& doubts, TypeReport& report) {
  std::erase_if(doubts, [](const Doubt& doubt) { return doubt.resources.empty(); });
  if (!doubts.empty()) return;
  report.nacked = 0;
  report.reason.clear();
}

void Session::subscribe(Channel& state, Type type, const Request& request, bool repeated) {
  if (!asks_by_name(type)) {
    state.must_answer = state.must_answer || repeated;
    return;
  }
  Names names(request.resource_names().begin(), request.resource_names().end());
  // The same names again, with nothing of ours unanswered: the proxy made a cluster or a listener anew and
  // waits for what belongs to it.
  if (repeated && names == state.names) state.resend = names;
  state.names = std::move(names);
  std::erase_if(state.sent, [&](const auto& entry) { return !state.names.contains(entry.first); });
}

void Session::advance() {
  if (stage_ == Stage::kIdle && target_) {
    bool wanted = std::ranges::any_of(channels_, [](const Channel& c) { return c.subscribed; });
    if (wanted) stage_ = Stage::kClusters;
  }
  while (stage_ != Stage::kIdle && step()) {
  }
}

/// One step of the push; false when it has to wait for the proxy.
bool Session::step() {
  switch (stage_) {
    case Stage::kIdle: return false;
    case Stage::kClusters: {
      asked_again_ = false;
      active_ = target_;
      active_generation_ = target_generation_;
      Resources clusters = (*active_)[Type::kCluster];
      // A proxy that has routes may be using any cluster it has.
      const Channel& state = channel(Type::kCluster);
      clusters.insert(state.held.begin(), state.held.end());
      if (!state.rejected) clusters.insert(state.sent.begin(), state.sent.end());
      send_clusters(clusters);
      stage_ = Stage::kEndpoints;
      return true;
    }
    case Stage::kEndpoints:
      if (channel(Type::kCluster).subscribed && !covers(Type::kEndpoint, Type::kCluster)) return false;
      send_asked(Type::kEndpoint);
      // At first there is no traffic to protect, and a proxy may well accept clusters only together with its
      // listeners.
      if (settled_ != 0 && (!settled(Type::kCluster) || !settled(Type::kEndpoint))) return false;
      stage_ = Stage::kListeners;
      if (lacks_clusters()) hold_back();
      return true;
    case Stage::kListeners:
      send_listeners();
      stage_ = Stage::kRoutes;
      return true;
    case Stage::kRoutes:
      if (channel(Type::kListener).subscribed && !covers(Type::kRoute, Type::kListener)) return false;
      send_asked(Type::kRoute);
      whole_ = active_;
      stage_ = Stage::kSettle;
      return true;
    case Stage::kSettle:
      if (!std::ranges::all_of(kAllTypes, [&](Type type) { return settled(type); })) return false;
      finish_push();
      stage_ = Stage::kPrune;
      return true;
    case Stage::kPrune:
      send_clusters(needed_clusters());
      stage_ = Stage::kPruned;
      return true;
    case Stage::kPruned:
      if (!settled(Type::kCluster)) return false;
      refused_now_ = false;
      stage_ = target_generation_ != active_generation_ || (asked_again_ && owes()) ? Stage::kClusters
                                                                                    : Stage::kIdle;
      return true;
  }
  return false;
}

/// The clusters of what the proxy is to run, and of what it may be running in its place.
Resources Session::needed_clusters() const {
  Resources needed = (*active_)[Type::kCluster];
  const Channel& clusters = channel(Type::kCluster);
  std::set<const ResourceSet*> seen;
  const auto add = [&](const ResourceSetPtr& set) {
    if (!set || set == active_ || !seen.insert(set.get()).second) return;
    for (const auto& [name, resource] : (*set)[Type::kCluster])
      if (const ResourcePtr held = find(clusters.held, name)) needed.try_emplace(name, held);
  };
  if (refused_now_) add(whole_);
  for (const Channel& state : channels_)
    for (const Doubt& doubt : state.doubts)
      for (const auto& [name, rejected] : doubt.resources) add(rejected.before);
  return needed;
}

/// Routes may name clusters that were refused: what the proxy has stays as it is.
void Session::hold_back() {
  stage_ = Stage::kSettle;
  refused_now_ = true;
  if (auto& doubts = channel(Type::kCluster).doubts; !doubts.empty())
    doubts.back().refusal.upto = active_generation_;
}

void Session::finish_push() {
  // A proxy that has not got its listeners yet runs nothing of ours.
  bool complete = channel(Type::kCluster).subscribed && channel(Type::kListener).subscribed;
  if (!complete || refused_now_) return;
  forget_unwanted();
  settled_ = active_generation_;
}

bool Session::settled(Type type) const { return !channel(type).awaiting; }

/// Whether the proxy asks for everything that its clusters or listeners need.
bool Session::covers(Type type, Type needed_by) const {
  const Channel& from = channel(needed_by);
  const Resources& in_use = from.rejected ? from.held : from.sent;
  const auto& names = channel(type).names;
  return std::ranges::all_of(in_use, [&](const auto& entry) {
    // What came with something rejected the proxy may use, or may not.
    return (from.rejected && from.last.contains(entry.first)) ||
           std::ranges::all_of(entry.second->needs,
                               [&](const std::string& name) { return names.contains(name); });
  });
}

/// A cluster whose definition changes, or that was away, is created again by the proxy and needs its
/// endpoints again; a listener that was away needs its routes. The proxy may still be asking for them by the
/// names of before, and then has nothing new to ask.
void Session::note_recreated(Type type, const Resources& resources) {
  Channel& needed = channel(type == Type::kCluster ? Type::kEndpoint : Type::kRoute);
  for (const auto& [name, resource] : resources) {
    const ResourcePtr before = find(channel(type).sent, name);
    if (before && (type == Type::kListener || same(before, resource))) continue;
    for (const std::string& need : resource->needs)
      if (needed.names.contains(need)) needed.resend.insert(need);
  }
}

/// Whether something that the proxy asked for is unanswered.
bool Session::owes() const {
  return std::ranges::any_of(kAllTypes, [&](Type type) {
    const Channel& state = channel(type);
    const auto unsent = [&](const std::string& name) { return !state.sent.contains(name); };
    return state.must_answer || !state.resend.empty() ||
           (asks_by_name(type) && std::ranges::any_of(state.names, unsent));
  });
}

void Session::send_clusters(const Resources& clusters) {
  Channel& state = channel(Type::kCluster);
  if (!state.subscribed || (!state.must_answer && same_resources(state.sent, clusters))) return;
  note_recreated(Type::kCluster, clusters);
  send_all(Type::kCluster, clusters);
}

void Session::send_listeners() {
  Channel& state = channel(Type::kListener);
  const Resources& listeners = (*active_)[Type::kListener];
  if (!state.subscribed || (!state.must_answer && same_resources(state.sent, listeners))) return;
  note_recreated(Type::kListener, listeners);
  send_all(Type::kListener, listeners);
}

/// A response that is everything there is; new in it is what the proxy does not hold.
void Session::send_all(Type type, const Resources& resources) {
  Channel& state = channel(type);
  std::vector<const Resources::value_type*> all;
  Names changed;
  for (const auto& entry : resources) {
    all.push_back(&entry);
    if (!same(find(state.held, entry.first), entry.second)) changed.insert(entry.first);
  }
  state.sent = resources;
  emit(type, all, std::move(changed));
}

/// Of what the proxy asks for: what is new or has changed since it was sent.
void Session::send_asked(Type type) {
  Channel& state = channel(type);
  if (!state.subscribed) return;
  std::vector<const Resources::value_type*> changed;
  Names names;
  for (const std::string& name : state.names) {
    ResourcePtr before = find(state.sent, name);
    ResourcePtr now = find((*active_)[type], name);
    if (!now) now = before ? before : nothing();
    if (same(before, now) && !state.resend.contains(name)) continue;
    const auto place = state.sent.insert_or_assign(name, std::move(now)).first;
    changed.push_back(&*place);
    names.insert(name);
  }
  state.resend.clear();
  if (!changed.empty() || state.must_answer) emit(type, changed, std::move(names));
}

void Session::emit(Type type, const std::vector<const Resources::value_type*>& resources, Names changed) {
  Channel& state = channel(type);
  state.last = std::move(changed);
  state.base = settled_;
  state.before = whole_;
  state.must_answer = false;
  state.awaiting = true;
  state.rejected = false;
  state.nonce = std::to_string(++nonces_);
  state.report.sent = active_generation_;
  Response response;
  response.set_type_url(std::string(type_url(type)));
  response.set_version_info(std::to_string(active_generation_));
  response.set_nonce(state.nonce);
  for (const auto* entry : resources) {
    auto& any = *response.add_resources();
    any.set_type_url(std::string(type_url(type)));
    any.set_value(entry->second == nothing() ? empty_resource(type, entry->first) : entry->second->bytes);
  }
  send_(response);
}

}  // namespace weft::control
