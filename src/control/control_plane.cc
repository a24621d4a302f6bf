#include "control/control_plane.h"

#include <algorithm>
#include <charconv>
#include <ctime>

#include "api/json_text.h"
#include "base/log.h"
#include "base/strings.h"
#include "control/remarks/on_write.h"
#include "http/server.h"
#include "http/while_wanted.h"
#include "store/api_path.h"

namespace weft::control {
namespace {

constexpr Duration kMissedAgain = 500ms;
constexpr Duration kRemarksAfter = 2s;
constexpr std::uint64_t kDefaultTimeout = 30;
constexpr std::uint64_t kMaxTimeout = 3600;
constexpr Duration kCheapPush = 50ms;
constexpr Duration kCheapLook = 1ms;
constexpr Duration kMaxRest = 2s;
constexpr int kMaxQuiets = 5;
constexpr int kMaxBusyQuiets = 50;

/// That this thread has used: what else the machine does is no reason to go slower.
Duration cpu_time_of_thread() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

/// What translation reads; changes of other kinds concern no proxy.
std::uint64_t configuration_changes(const ObjectCache& cache) {
  using namespace kinds;
  std::uint64_t sum = 0;
  for (const api::KindInfo* kind :
       {service(), pod(), endpoint_slice(), ingress(), ingress_class(), gateway(), virtual_service(),
        destination_rule(), name_space(), gateway_class(), api_gateway(), http_route(), reference_grant()})
    sum += cache.changes(kind);
  return sum;
}

std::optional<std::uint64_t> number_parameter(std::string_view target, std::string_view name,
                                              std::uint64_t otherwise) {
  auto text = http::query_parameter(target, name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

/// "<REST path of an object>,<another>"; nothing when it is not that.
std::optional<std::vector<api::Key>> keys_in(std::string_view text) {
  std::vector<api::Key> keys;
  for (const std::string_view each : split(text, ',')) {
    const auto path = store::parse_api_path(each);
    if (!path || path->name.empty()) return std::nullopt;
    keys.push_back({path->kind, path->ns, path->name});
  }
  return keys;
}

net::Task<void> answer(http::ServerExchange& exchange, int status, api::Json body) {
  std::string text = api::json_text(body) + "\n";
  // A client that has gone misses its response; there is no one else to tell.
  (void)co_await http::respond(exchange, status, "application/json", text);
}

api::Json problem(std::string message) { return {{"message", std::move(message)}}; }

}  // namespace

ControlPlane::ControlPlane(net::Loop& loop, store::Store& store, std::unique_ptr<Authenticator> authenticator,
                           ControlPlaneOptions options)
    : loop_(loop),
      progress_(loop),
      look_again_(options.look_again),
      quiet_(options.quiet),
      authenticator_(std::move(authenticator)),
      cache_(
          loop, store, [this] { on_change(); }, std::move(options.cache)),
      cpu_time_(options.cpu_time ? std::move(options.cpu_time) : cpu_time_of_thread),
      controllers_(
          loop, store, cache_, std::move(options.controllers), [this] { progress_.notify_all(); }, cpu_time_,
          options.random),
      ads_(loop, *authenticator_, [this] { on_progress(); }),
      ground_(options.ground),
      remark_timer_(loop, [this] { remark_log_.note(remarks()); }),
      push_timer_(loop, [this] { push_if_proxies_are_ready(); }),
      rejections_timer_(loop, [this] { tell_rejections(); }) {
  controllers_.set_read_push_context(
      [this](const ObjectSnapshotPtr& snapshot) { return push_context_of(snapshot); });
}

void ControlPlane::start() { cache_.start(); }

net::Task<void> ControlPlane::ready() {
  while (!cache_.synced() || ads_.generation() == 0) co_await progress_.wait(kNever);
}

void ControlPlane::on_change() {
  if (!cache_.synced()) return;
  // Proxies first: what controllers write comes back here as another change.
  push_when_due();
  controllers_.notice();
  progress_.notify_all();
  // A batch of objects names what comes later in it: what is still missing then is worth a line.
  if (!remark_timer_.armed()) remark_timer_.arm(loop_.now() + kRemarksAfter);
}

/// The first change after a while is pushed at once; those that follow it closely are likely to be some of
/// many, and are gathered: until it is quiet, and as long as proxies are busy with what they were sent, for
/// there they would wait as well. One that has kept a push waiting for as long as any may is not waited for
/// again before it has caught up. What a push took in CPU time, when it took much, is left free three times
/// before the next one.
void ControlPlane::push_when_due() {
  const TimePoint now = loop_.now();
  if (now < next_push_) return push_timer_.arm(next_push_);
  if (!gathering_since_ && now >= last_push_ + quiet_) return push();
  if (!gathering_since_) gathering_since_ = now;
  push_timer_.arm(std::min(now + quiet_, *gathering_since_ + kMaxQuiets * quiet_));
}

void ControlPlane::push_if_proxies_are_ready() {
  const bool busy = gathering_since_ && !Receipts::is_settled(ads_, ads_.generation(), not_waited_for_);
  if (busy && loop_.now() < *gathering_since_ + kMaxBusyQuiets * quiet_)
    return push_timer_.arm(loop_.now() + quiet_);
  if (busy) not_waited_for_ = ads_.generation();
  push();
}

/// From those read last, whatever that was for: most of both is the same.
std::shared_ptr<const PushContext> ControlPlane::push_context_of(const ObjectSnapshotPtr& snapshot) {
  const std::uint64_t generation = configuration_changes(cache_);
  if (!read_)
    read_ = std::make_shared<const PushContext>(snapshot, generation);
  else if (read_->snapshot != snapshot)
    read_ = std::make_shared<const PushContext>(snapshot, generation, *read_);
  return read_;
}

std::map<api::Key, Remarks> ControlPlane::remarks() {
  return all_remarks(*push_context_of(cache_.snapshot()), ground_);
}

std::map<api::Key, Remarks> ControlPlane::remarks_on(const std::vector<api::Key>& keys) {
  const auto push = push_context_of(cache_.snapshot());
  std::set<const api::Object*> wanted;
  for (const api::Key& key : keys) wanted.insert(push->snapshot->find(key).get());
  return remarks_on_those(*push, ground_,
                          [&](const api::Object& object) { return wanted.contains(&object); });
}

Remarks ControlPlane::remarks_on_write(const api::ObjectPtr& object) const {
  return pushed_ ? control::remarks_on_write(*pushed_, object, ground_) : Remarks();
}

void ControlPlane::on_progress() {
  if (cache_.synced()) tell_rejections();
  progress_.notify_all();
}

/// A look goes through all proxies that rejected something and all objects, and each request of a proxy may
/// change what it finds. What it took in CPU time, when that is much, is left free four times before the
/// next.
void ControlPlane::tell_rejections() {
  if (loop_.now() < next_rejections_) return rejections_timer_.arm(next_rejections_);
  look_for_rejections();
}

void ControlPlane::look_for_rejections() {
  rejections_timer_.disarm();
  const Duration begin = cpu_time_();
  auto rejections = receipts_.rejections(ads_);
  const Duration cost = cpu_time_() - begin;
  controllers_.set_rejections(std::move(rejections));
  if (cost > kCheapLook) next_rejections_ = loop_.now() + cost + std::min<Duration>(cost * 4, kMaxRest);
}

bool ControlPlane::has_pushed_everything() const {
  return configuration_changes(cache_) == ads_.generation();
}

void ControlPlane::push() {
  push_timer_.disarm();
  gathering_since_.reset();
  std::uint64_t generation = configuration_changes(cache_);
  if (generation == ads_.generation()) return;
  const Duration begin = cpu_time_();
  std::shared_ptr<const PushContext> push = push_context_of(cache_.snapshot());
  tell_conflicts(push->registry);
  receipts_.update(*push);
  pushed_ = push;
  ads_.update(std::move(push));
  const Duration cost = cpu_time_() - begin;
  // The loop's time is that at which its turn began.
  last_push_ = loop_.now() + cost;
  if (cost > kCheapPush) next_push_ = loop_.now() + std::min<Duration>(cost * 4, kMaxRest);
  tell_rejections();
}

/// Each when it appears.
void ControlPlane::tell_conflicts(const Registry& registry) {
  for (const PortConflict& conflict : registry.port_conflicts())
    if (!std::ranges::binary_search(conflicts_told_, conflict))
      WEFT_LOG(kWarn, "control", "two Services say different things of one port of a pod",
               {"conflict", to_text(conflict)});
  conflicts_told_ = registry.port_conflicts();
}

net::Task<bool> ControlPlane::wait_for_controllers(std::uint64_t version, TimePoint deadline) {
  while (true) {
    bool seen = co_await cache_.has_seen(version);
    if (seen) break;
    if (loop_.now() >= deadline) co_return false;
    co_await progress_.wait(std::min(deadline, loop_.now() + look_again_));
  }
  while (true) {
    controllers_.notice_at_once();
    if (controllers_.idle()) break;
    if (loop_.now() >= deadline) co_return false;
    co_await progress_.wait(deadline);
  }
  co_return true;
}

net::Task<api::Json> ControlPlane::wait_applied(std::uint64_t version, TimePoint deadline,
                                                std::uint64_t since) {
  bool caught_up = co_await wait_for_controllers(version, deadline);
  push();
  std::uint64_t generation = ads_.generation();
  while (true) {
    // What the controllers could not write is not there, whatever the proxies have; it is tried again.
    const auto failures = controllers_.failures_since(since == 0 ? version : since);
    const bool for_good = std::ranges::any_of(failures, &ControllerManager::Failure::for_good);
    const bool applied = failures.empty() && Receipts::is_applied(ads_, generation);
    if (!caught_up || for_good || applied || Receipts::is_rejected(ads_, generation) ||
        loop_.now() >= deadline) {
      // Statuses are to say what this says.
      if (rejections_timer_.armed()) look_for_rejections();
      co_return progress_of(generation, caught_up, failures);
    }
    // That a sidecar has ended is no progress of any proxy, and may be all that was missing.
    co_await progress_.wait(std::min(deadline, loop_.now() + kMissedAgain));
  }
}

api::Json ControlPlane::progress_of(std::uint64_t generation, bool caught_up,
                                    const std::vector<ControllerManager::Failure>& failures) const {
  api::Json progress = Receipts::progress_json(ads_, generation);
  for (const ControllerManager::Failure& failure : failures) {
    progress["applied"] = false;
    progress["message"] = "not written: " + failure.text;
  }
  if (!caught_up) {
    progress["applied"] = false;
    progress["message"] = "the controllers have not caught up with this version";
  }
  return progress;
}

net::Task<void> ControlPlane::serve_applied(http::ServerExchange& exchange, std::string target) {
  auto version = number_parameter(target, "resourceVersion", 0);
  auto since = number_parameter(target, "since", 0);
  auto timeout = number_parameter(target, "timeoutSeconds", kDefaultTimeout);
  if (!version || !since || !timeout) {
    co_await answer(exchange, 400, problem("resourceVersion, since and timeoutSeconds are whole numbers"));
    co_return;
  }
  TimePoint deadline = loop_.now() + std::chrono::seconds(std::min(*timeout, kMaxTimeout));
  (void)co_await http::while_wanted(exchange, loop_, respond_applied(exchange, *version, deadline, *since));
}

net::Task<Result<void>> ControlPlane::respond_applied(http::ServerExchange& exchange, std::uint64_t version,
                                                      TimePoint deadline, std::uint64_t since) {
  api::Json progress = co_await wait_applied(version, deadline, since);
  int status = progress["applied"] == true ? 200 : progress["rejected"].empty() ? 504 : 409;
  co_await answer(exchange, status, std::move(progress));
  co_return Result<void>{};
}

net::Task<void> ControlPlane::serve_remarks(http::ServerExchange& exchange, std::string target) {
  const std::optional<std::string> of = http::query_parameter(target, "of");
  const std::optional<std::vector<api::Key>> keys = of ? keys_in(*of) : std::vector<api::Key>();
  if (!keys)
    co_await answer(
        exchange, 400,
        problem("of: \"" + *of + "\" is not a list of REST paths of objects with commas between them"));
  else
    co_await answer(exchange, 200, remarks_json(of ? remarks_on(*keys) : remarks()));
}

net::Task<void> ControlPlane::serve_mesh_api(http::ServerExchange& exchange) {
  std::string target = exchange.request().path;
  std::string path(http::path_of(target));
  if (exchange.request().method != "GET") {
    co_await answer(exchange, 405, problem("only GET is served here"));
  } else if (path == "/weft/v1/applied") {
    co_await serve_applied(exchange, target);
  } else if (path == "/weft/v1/proxies") {
    co_await answer(exchange, 200, Receipts::proxies_json(ads_));
  } else if (path == "/weft/v1/receipts") {
    co_await answer(exchange, 200, receipts_.to_json(ads_));
  } else if (path == "/weft/v1/remarks") {
    co_await serve_remarks(exchange, target);
  } else {
    co_await answer(exchange, 404, problem("no such path; there are applied, proxies, receipts and remarks"));
  }
}

}  // namespace weft::control
