#include "control/ads/session.h"

#include <algorithm>

#include "base/strings.h"
#include "control/translation/route_table.h"
#include "xds/proto/discovery.pb.h"

namespace weft::control {
namespace {

constexpr std::size_t kMaxReason = 2000;
/// Bytes of a reason that are searched, once for each name. Our own proxies say at most 16 KiB.
constexpr std::size_t kMaxSearched = 64 * 1024;
constexpr std::size_t kMaxDoubts = 8;

bool asks_by_name(Type type) { return !xds::row_of(type).complete; }

/// Stands for a resource with nothing in it: silence would keep a proxy waiting that asked for it.
ResourcePtr nothing(std::string_view name) {
  return std::make_shared<const Resource>(Resource{std::string(name), {}});
}

using NameSet = std::set<std::string, std::less<>>;

/// What of `resources` a reason is about. Proxies say it in words: ours put the name into quotes, Envoy names
/// clusters and listeners without. One that names nothing may be about any of them.
NameSet named_in(std::string_view reason, const ResourceTable& resources, bool bare) {
  NameSet quoted, named, all;
  for (const ResourcePtr& each : resources) {
    const std::string& name = each->name;
    if (reason.find("'" + name + "'") != reason.npos) quoted.insert(name);
    if (bare && reason.find(name) != reason.npos) named.insert(name);
    all.insert(name);
  }
  return !quoted.empty() ? quoted : !named.empty() ? named : all;
}

/// The names behind "CDS 'name'", as our proxies list what they rejected, that were sent in whichever
/// response.
NameSet listed_in(std::string_view reason, Type type, const ResourceTable& sent) {
  const std::string opening = std::string(short_name(type)) + " '";
  NameSet names;
  for (std::size_t at = reason.find(opening); at != reason.npos; at = reason.find(opening, at)) {
    at += opening.size();
    std::string name(reason.substr(at, reason.find('\'', at) - at));
    if (sent.contains(name)) names.insert(std::move(name));
  }
  return names;
}

/// `sent` as it is said most cheaply: by `target` itself when it has nothing else.
ResourceTablePtr shared_form(const ResourceTablePtr& sent, const ResourceTablePtr& target) {
  return std::ranges::equal(*sent, *target) ? target : sent;
}

ResourceTablePtr asked_of(const ResourceTablePtr& table, const AskedNames& names) {
  return filtered(table, [&](const ResourcePtr& each) { return names.contains(each->name); });
}

/// What of `now` has changed since `before`; nullopt when they have not the same names.
std::optional<std::vector<ResourcePtr>> changed_in(const ResourceTable& before, const ResourceTable& now) {
  std::vector<ResourcePtr> changed;
  auto old = before.begin();
  for (const ResourcePtr& each : now) {
    const ResourcePtr& there = *old++;
    if (there == each) continue;
    if (there->name != each->name) return std::nullopt;
    if (!same(there, each)) changed.push_back(each);
  }
  return changed;
}

/// Null: it accepts.
template <class Request>
const std::string* rejection_in(const Request& request) {
  return request.has_error_detail() ? &request.error_detail().message() : nullptr;
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
  if (state.awaiting || late) on_verdict(state, *type, rejection_in(request));
  subscribe(state, *type, request, repeated);
  after_request(state, first);
}

void Session::on_request(const DeltaRequest& request) {
  const auto type = type_of(request.type_url());
  if (!type) return;
  Channel& state = channel(*type);
  const bool first = !state.subscribed;
  // One without a nonce speaks of no response. Which names come and go holds whatever it speaks of.
  const bool of_the_last =
      !first && !request.response_nonce().empty() && request.response_nonce() == state.nonce;
  if (of_the_last && (state.awaiting || request.has_error_detail()))
    on_verdict(state, *type, rejection_in(request));
  subscribe(state, *type, request);
  after_request(state, first);
}

void Session::after_request(Channel& state, bool first) {
  // What comes when its stage has passed gets its response in another round.
  if (stage_ != Stage::kIdle) asked_again_ = true;
  if (first) {
    state.subscribed = state.must_respond = true;
    if (stage_ != Stage::kIdle) stage_ = Stage::kClusters;
  }
  advance();
}

void Session::on_verdict(Channel& state, Type type, const std::string* rejection) {
  state.awaiting = false;
  if (rejection)
    on_rejected(state, type, *rejection);
  else
    on_accepted(state, type);
}

void Session::on_accepted(Channel& state, Type type) {
  state.rejected = false;
  state.unsure.clear();
  // What stands rejected beside it the proxy still has not.
  const bool all = state.doubts.empty() || !asks_by_name(type);
  state.held = all ? state.sent : state.held->with({state.last->begin(), state.last->end()});
  state.report.acked = state.report.sent;
  if (!asks_by_name(type)) state.doubts.clear();
  for (Doubt& doubt : state.doubts)
    std::erase_if(doubt.resources, [&](const auto& entry) { return state.last->contains(entry.first); });
  drop_settled(state.doubts, state.report);
}

void Session::on_rejected(Channel& state, Type type, std::string_view reason) {
  reason = cut(reason, kMaxSearched);
  state.rejected = true;
  state.report.nacked = state.report.sent;
  state.report.reason = std::string(cut(reason, kMaxReason));
  // A complaint about what was sent again is one about any of it.
  if (state.last->empty()) state.last = state.sent;
  Doubt doubt{{type, state.base, state.report.sent, state.report.reason}, {}};
  NameSet names = listed_in(reason, type, *state.sent);
  if (names.empty()) names = named_in(reason, *state.last, !asks_by_name(type));
  for (const std::string& name : names) doubt.resources.emplace(name, rejected(state, name));
  if (protocol_ == AdsProtocol::kDelta && !asks_by_name(type)) doubt_forms(state);
  const bool said_before = stands_rejected(state, doubt);
  if (state.report.sent == active_generation_ && !said_before) rejected_now_ = true;
  hold_all_but(state, type, doubt);
  if (said_before) return;
  std::erase_if(state.doubts, [&](const Doubt& one) { return one.rejection.upto == doubt.rejection.upto; });
  state.doubts.push_back(std::move(doubt));
  if (state.doubts.size() > kMaxDoubts) join_oldest(state, type);
}

bool Session::is_doubted(const Channel& state, const Resource& form) {
  return std::ranges::any_of(state.doubts, [&](const Doubt& doubt) {
    const auto found = doubt.resources.find(form.name);
    return found != doubt.resources.end() && found->second.form && same_message(*found->second.form, form) &&
           !state.last->contains(form.name);
  });
}

/// The proxy has taken what was sent, but for what is doubted.
void Session::hold_all_but(Channel& state, Type type, const Doubt& doubt) {
  std::vector<ResourcePtr> taken;
  Names gone;
  for (const ResourcePtr& each : *state.sent) {
    if (!doubt.resources.contains(each->name)) {
      // What was rejected before, and not sent again, it still has not.
      if (!is_doubted(state, *each)) taken.push_back(each);
    } else if (same(state.held->find(each->name), each)) {
      gone.push_back(each->name);  // it was acknowledged, and then turned out not to be possible
    }
  }
  state.held = state.held->with(std::move(taken), gone);
  // A list without a name takes it away, whatever else of the list is rejected.
  if (!asks_by_name(type))
    state.held =
        filtered(state.held, [&](const ResourcePtr& each) { return state.sent->contains(each->name); });
}

/// By state of the world a list says it all again. By delta that is done for what the proxy may have in one
/// form or another: what came with something rejected, and what turned out late not to be possible.
void Session::doubt_forms(Channel& state) {
  for (const ResourcePtr& each : *state.last) state.unsure.insert(each->name);
  state.unsure.merge(named_in(state.report.reason, *state.sent, true));
}

/// A resource that was rejected before has had its last good form since before that.
Session::Rejected Session::rejected(const Channel& state, const std::string& name) const {
  for (const Doubt& doubt : state.doubts)
    if (const auto found = doubt.resources.find(name); found != doubt.resources.end())
      return {state.sent->find(name), found->second.before};
  return {state.sent->find(name), state.before};
}

/// Told apart less well, both still stand, for what is still wanted.
void Session::join_oldest(Channel& state, Type type) const {
  Doubt& second = state.doubts[1];
  second.rejection.after = state.doubts[0].rejection.after;
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
    for (const Doubt& doubt : state.doubts) least = std::min(least, doubt.rejection.after);
  return least;
}

const Session::Rejection* Session::rejection_of(std::uint64_t since) const {
  for (const Channel& state : channels_)
    for (const Doubt& doubt : state.doubts)
      if (doubt.rejection.blames(since)) return &doubt.rejection;
  return nullptr;
}

bool Session::runs(std::uint64_t since) const { return since <= settled_ && !rejection_of(since); }

bool Session::any_doubted() const {
  return std::ranges::any_of(channels_, [](const Channel& state) { return !state.doubts.empty(); });
}

/// What the proxy is not to run any more cannot stand in the way of what it is to run.
void Session::erase_unwanted(Doubt& doubt, Type type) const {
  const ResourceTable& wanted = (*active_)[type];
  const AskedNames& asked = channel(type).names;
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
                               [&](const auto& entry) { return !state.held->contains(entry.first); });
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
    state.must_respond = state.must_respond || repeated;
    return;
  }
  const bool changed = state.names.assign(request.resource_names());
  // The same names again, with nothing of ours unanswered: the proxy made a cluster or a listener again and
  // waits for what belongs to it.
  if (repeated && !changed) state.resend_all = true;
  if (changed) names_changed(state);
}

void Session::subscribe(Channel& state, Type type, const DeltaRequest& request) {
  if (!state.subscribed) {
    for (const auto& [name, version] : request.initial_resource_versions()) state.known.push_back(name);
    sort_names(state.known);
  }
  if (!asks_by_name(type)) return;
  // A name that it asks for already: it has lost what it had, or could not use what it was sent.
  Names lost;
  for (const std::string& name : request.resource_names_subscribe())
    if (state.names.contains(name)) lost.push_back(name);
  sort_names(lost);
  state.resend.insert(lost.begin(), lost.end());
  if (!lost.empty()) state.held = state.held->with({}, lost);
  if (!state.names.change(request.resource_names_subscribe(), request.resource_names_unsubscribe())) return;
  names_changed(state);
  state.held = asked_of(state.held, state.names);
}

std::size_t Session::names(Type type) const { return channel(type).names.all().size(); }

std::size_t Session::name_bytes(Type type) const { return channel(type).names.own_bytes(); }

void Session::names_changed(Channel& state) {
  state.compared = nullptr;
  state.sent = asked_of(state.sent, state.names);
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
      // A proxy that has routes may be using any cluster it has.
      const Channel& state = channel(Type::kCluster);
      ResourceTablePtr clusters = merged(active_->table(Type::kCluster), state.held);
      if (!state.rejected) clusters = merged(clusters, state.sent);
      send_complete(Type::kCluster, clusters);
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
      send_complete(Type::kListener, active_->table(Type::kListener));
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
      send_complete(Type::kCluster, needed_clusters());
      stage_ = Stage::kPruned;
      return true;
    case Stage::kPruned:
      if (!settled(Type::kCluster)) return false;
      rejected_now_ = false;
      stage_ = target_generation_ != active_generation_ || (asked_again_ && owes()) ? Stage::kClusters
                                                                                    : Stage::kIdle;
      return true;
  }
  return false;
}

/// The clusters of what the proxy is to run, and of what it may be running in its place.
ResourceTablePtr Session::needed_clusters() const {
  ResourceTablePtr needed = active_->table(Type::kCluster);
  const Channel& clusters = channel(Type::kCluster);
  std::set<const ResourceSet*> seen;
  const auto add = [&](const ResourceSetPtr& set) {
    if (!set || set == active_ || !seen.insert(set.get()).second) return;
    const ResourceTable& names = (*set)[Type::kCluster];
    needed = merged(
        needed, filtered(clusters.held, [&](const ResourcePtr& each) { return names.contains(each->name); }));
  };
  if (rejected_now_) add(whole_);
  for (const Channel& state : channels_)
    for (const Doubt& doubt : state.doubts)
      for (const auto& [name, rejected] : doubt.resources) add(rejected.before);
  return needed;
}

/// Routes may name clusters that were rejected: what the proxy has stays as it is.
void Session::hold_back() {
  stage_ = Stage::kSettle;
  rejected_now_ = true;
  if (auto& doubts = channel(Type::kCluster).doubts; !doubts.empty())
    doubts.back().rejection.upto = active_generation_;
}

void Session::finish_push() {
  // A proxy that has not got its listeners yet runs nothing of ours.
  bool complete = channel(Type::kCluster).subscribed && channel(Type::kListener).subscribed;
  if (!complete || rejected_now_) return;
  forget_unwanted();
  settled_ = active_generation_;
}

bool Session::settled(Type type) const { return !channel(type).awaiting; }

/// Whether the proxy asks for everything that its clusters or listeners need.
bool Session::covers(Type type, Type needed_by) {
  const Channel& from = channel(needed_by);
  AskedNames& names = channel(type).names;
  if (!from.rejected) return names.cover(from.sent);
  return std::ranges::all_of(*from.held, [&](const ResourcePtr& each) {
    // What came with something rejected the proxy may use, or may not.
    return from.last->contains(each->name) ||
           std::ranges::all_of(each->needs, [&](const std::string& name) { return names.contains(name); });
  });
}

/// A cluster whose definition changes, or that was away, is created again by the proxy and needs its
/// endpoints again; a listener that was away needs its routes. The proxy may still be asking for them by the
/// names of before, and then has nothing new to ask.
void Session::note_recreated(Type type, const ResourceTable& resources) {
  Channel& needed = channel(type == Type::kCluster ? Type::kEndpoint : Type::kRoute);
  for (const ResourcePtr& each : resources) {
    const ResourcePtr& before = channel(type).sent->find(each->name);
    if (before && (type == Type::kListener || same(before, each))) continue;
    for (const std::string& need : each->needs)
      if (needed.names.contains(need)) needed.resend.insert(need);
  }
}

/// Whether something that the proxy asked for is unanswered.
bool Session::owes() const {
  return std::ranges::any_of(kAllTypes, [&](Type type) {
    const Channel& state = channel(type);
    const auto unsent = [&](std::string_view name) { return !state.sent->contains(name); };
    // What the present names were compared for has all been sent.
    return state.must_respond || state.resend_all || !state.resend.empty() ||
           (asks_by_name(type) && !state.compared && std::ranges::any_of(state.names.all(), unsent));
  });
}

/// A response that is everything there is; new in it is what the proxy does not hold.
void Session::send_complete(Type type, const ResourceTablePtr& resources) {
  Channel& state = channel(type);
  if (!state.subscribed) return;
  if (!state.must_respond && !has_stale(type, *resources) && same_resources(*state.sent, *resources)) {
    if (state.held == state.sent) state.held = resources;
    state.sent = resources;
    return;
  }
  note_recreated(type, *resources);
  emit(type, resources, filtered(resources, [&](const ResourcePtr& each) {
         return !same(state.held->find(each->name), each) || state.unsure.contains(each->name);
       }));
}

/// Whether what it had when the stream began is to go now. Until it runs all of the present configuration it
/// may be using any of those clusters.
bool Session::may_drop_known(Type type) const {
  return type != Type::kCluster || (stage_ == Stage::kPrune && settled_ == active_generation_);
}

bool Session::has_stale(Type type, const ResourceTable& resources) const {
  const Names& known = channel(type).known;
  return may_drop_known(type) &&
         std::ranges::any_of(known, [&](const std::string& name) { return !resources.contains(name); });
}

/// What the proxy may have of a complete type and is not to have.
Names Session::gone(Type type, const ResourceTable& resources) const {
  const Channel& state = channel(type);
  Names names = may_drop_known(type) ? state.known : Names();
  for (const ResourceTablePtr& table : {state.held, state.sent})
    for (const ResourcePtr& each : *table) names.push_back(each->name);
  sort_names(names);
  std::erase_if(names, [&](const std::string& name) { return resources.contains(name); });
  return names;
}

/// Of what the proxy asks for: what is new or has changed since it was sent.
void Session::send_asked(Type type) {
  Channel& state = channel(type);
  const ResourceTablePtr& target = active_->table(type);
  const bool again = state.resend_all || !state.resend.empty();
  if (!state.subscribed || (state.compared == target && !again && !state.must_respond)) return;
  // The way of most changes: the proxy asks for all that there is, and has been sent the same names.
  const std::size_t asked = state.names.all().size();
  const bool all = !again && state.sent->size() == asked && target->size() == asked;
  auto found = all ? changed_in(*state.sent, *target) : std::nullopt;
  ResourceTablePtr changed =
      shared_form(std::make_shared<const ResourceTable>(found ? *found : unsent(state, *target)), target);
  // What is on its way it may reject, and is not heard any more once it is sent this.
  if (state.awaiting && !changed->empty())
    changed = asked_of(state.last->with({changed->begin(), changed->end()}), state.names);
  state.compared = target;
  const ResourceTablePtr base = again ? nullptr : state.held;
  state.resend_all = false;
  state.resend.clear();
  if (found)
    state.sent = target;
  else if (!changed->empty())
    state.sent = shared_form(state.sent->with({changed->begin(), changed->end()}), target);
  if (!changed->empty() || state.must_respond) emit(type, changed, changed, base);
}

std::vector<ResourcePtr> Session::unsent(const Channel& state, const ResourceTable& target) const {
  std::vector<ResourcePtr> changed;
  auto before = state.sent->begin();
  auto now = target.begin();
  for (const std::string_view name : state.names.all()) {
    while (before != state.sent->end() && (*before)->name < name) ++before;
    while (now != target.end() && (*now)->name < name) ++now;
    const bool was_sent = before != state.sent->end() && (*before)->name == name;
    const bool is_there = now != target.end() && (*now)->name == name;
    const bool again = state.resend_all || state.resend.contains(name);
    if (was_sent && !again && (!is_there || same(*before, *now))) continue;
    changed.push_back(is_there ? *now : was_sent ? *before : nothing(name));
  }
  return changed;
}

void Session::emit(Type type, ResourceTablePtr resources, ResourceTablePtr changed, ResourceTablePtr base) {
  Channel& state = channel(type);
  const bool delta = protocol_ == AdsProtocol::kDelta;
  Push push{.type = type, .protocol = protocol_};
  if (delta && !asks_by_name(type)) push.removed = gone(type, *resources);
  if (delta && type == Type::kRoute && table_changes_) push.base = std::move(base);
  push.resources = delta ? changed : resources;
  if (!asks_by_name(type)) state.sent = std::move(resources);
  if (may_drop_known(type)) state.known.clear();
  state.last = std::move(changed);
  state.base = settled_;
  state.before = whole_;
  state.must_respond = false;
  state.awaiting = true;
  state.rejected = false;
  state.nonce = std::to_string(++nonces_);
  state.report.sent = active_generation_;
  push.version = std::to_string(active_generation_);
  push.nonce = state.nonce;
  send_(std::move(push));
}

}  // namespace weft::control
