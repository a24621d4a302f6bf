#include "control/controllers/manager.h"

#include <algorithm>
#include <iterator>

#include "base/log.h"
#include "base/utc.h"
#include "control/json.h"
#include "control/translation/translate.h"

namespace weft::control {
namespace {

constexpr auto kRetryAfter = 500ms;
// A controller whose writes change what it reads forever would take the whole loop; it gets a turn now and
// then.
constexpr int kRoundsInARow = 50;
// A controller reads every object, so running it for each change of many would cost their number squared. Up
// to this much CPU time a run is followed by the next at once; after a longer one it rests three times as
// long.
constexpr Duration kCheapRun = 1ms;
constexpr std::size_t kWritesAtOnce = 32;
constexpr Duration kMaxRest = 2s;
// What a run overlooked, if there is such a thing, is not overlooked forever.
constexpr Duration kEverythingAgain = 10min;

std::string lasting_name(const api::Object& object) {
  const api::Json& owners = json::list(json::map(object.body, "metadata"), "ownerReferences");
  if (owners.empty()) return object.key().to_string();
  return std::string(object.kind->kind) + " of " + std::string(json::text(owners[0], "uid"));
}

}  // namespace

ControllerManager::ControllerManager(net::Loop& loop, store::Store& store, ObjectCache& cache,
                                     std::vector<Controller> controllers, std::function<void()> on_idle,
                                     std::function<Duration()> cpu_time, Random random)
    : loop_(loop),
      store_(store),
      cache_(cache),
      on_idle_(std::move(on_idle)),
      cpu_time_(std::move(cpu_time)),
      random_(random),
      retry_(loop, [this] { retry(); }),
      rest_(loop, [this] { notice(); }) {
  for (auto& controller : controllers) entries_.push_back({std::move(controller), 0});
}

std::uint64_t ControllerManager::changes_for(const Controller& controller) const {
  std::uint64_t sum = 1;
  for (const api::KindInfo* kind : controller.reads) sum += cache_.changes(kind);
  return sum;
}

bool ControllerManager::stale() const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) { return is_stale(entry); });
}

bool ControllerManager::due() const {
  return std::ranges::any_of(entries_, [&](const Entry& entry) { return is_due(entry); });
}

void ControllerManager::leadership_changed() {
  // What another leader has done meanwhile was not looked at here.
  for (Entry& entry : entries_) {
    entry.seen = 0;
    entry.attention.look_at_everything();
  }
  links_ = {};
  push_ = nullptr;
  notice();
}

void ControllerManager::notice() {
  if (!leads() || running_ || !cache_.synced()) return;
  if (!due()) return wake_after_rest();
  running_ = true;
  tasks_.spawn(run());
}

void ControllerManager::notice_at_once() {
  for (Entry& entry : entries_) entry.rests_until = {};
  notice();
}

void ControllerManager::wake_after_rest() {
  TimePoint first = kNever;
  for (const Entry& entry : entries_)
    if (is_stale(entry)) first = std::min(first, entry.rests_until);
  if (first != kNever) rest_.arm(first);
}

void ControllerManager::set_rejections(std::map<api::Key, std::string> rejections) {
  if (rejections == rejections_) return;
  std::vector<std::pair<api::Key, std::string>> others;
  std::ranges::set_symmetric_difference(rejections, rejections_, std::back_inserter(others));
  rejections_ = std::move(rejections);
  for (Entry& entry : entries_) {
    if (!entry.controller.reads_rejections) continue;
    for (const auto& [key, text] : others) entry.attention.look_again_at(key);
    entry.seen = 0;
  }
  notice();
}

net::Task<void> ControllerManager::run() {
  run_began_.reset();
  while (leads() && due()) {
    for (Entry& entry : entries_)
      if (leads() && is_due(entry)) co_await run_one(entry);
    if (++rounds_ % kRoundsInARow == 0) co_await loop_.sleep(kRetryAfter);
  }
  if (!stale()) rounds_ = 0;
  running_ = false;
  wake_after_rest();
  on_idle_();
}

/// Several controllers see one snapshot, each after what those before it have written.
const PushContext& ControllerManager::push_context_of(const ObjectSnapshotPtr& snapshot) {
  if (read_push_context_) {
    push_ = read_push_context_(snapshot);
  } else if (!push_) {
    push_ = std::make_shared<const PushContext>(snapshot);
  } else if (push_->snapshot != snapshot) {
    push_ = std::make_shared<const PushContext>(snapshot, push_->generation + 1, *push_);
  }
  return *push_;
}

Plan ControllerManager::plan_for(Entry& entry) {
  const ObjectSnapshotPtr snapshot = cache_.snapshot();
  const auto& reads = entry.controller.reads;
  links_.follow(snapshot);
  if (loop_.now() - entry.looked_at_everything >= kEverythingAgain) entry.attention.look_at_everything();
  const std::optional<Scope> scope = entry.attention.scope(links_, *snapshot, reads);
  if (!scope) entry.looked_at_everything = loop_.now();
  PlanContext context{random_, utc_now(), rejections_, injection_};
  context.scope = scope ? &*scope : nullptr;
  context.links = &links_;
  context.push = [&]() -> const PushContext& { return push_context_of(snapshot); };
  Plan plan = entry.controller.plan(*snapshot, context);
  entry.attention.looked_at(*snapshot, reads, context.unsettled);
  return plan;
}

net::Task<void> ControllerManager::run_one(Entry& entry) {
  entry.seen = changes_for(entry.controller);
  const Duration begin = cpu_time_();
  Plan plan = plan_for(entry);
  const Duration end = cpu_time_(), cost = end - begin;
  // The loop's time is that at which its turn began: what was used since counts before the rest.
  if (!run_began_) run_began_ = begin;
  if (cost > kCheapRun)
    entry.rests_until = loop_.now() + (end - *run_began_) + std::min<Duration>(cost * 3, kMaxRest);
  Failures failures;
  for (auto next = plan.begin(); next != plan.end();) {
    if (!leads()) co_return;
    // Several on their way at once: a store that is asked for all of them writes them together.
    net::TaskScope writes;
    for (std::size_t i = 0; i < kWritesAtOnce && next != plan.end(); ++i)
      writes.spawn(carry_out_one(std::move(*next++), entry, failures));
    co_await writes.join();
  }
  entry.failures = std::move(failures);
  if (!entry.failures.empty() && !retry_.armed()) retry_.arm(loop_.now() + kRetryAfter);
}

net::Task<void> ControllerManager::carry_out_one(Change change, const Entry& entry, Failures& failures) {
  if (!leads()) co_return;
  const std::string name = change.object.key().to_string(), what = lasting_name(change.object);
  const std::optional<Error> failed = co_await carry_out(std::move(change));
  if (!failed) co_return;
  const auto before = entry.failures.find(what);
  failures[what] = {name + ": " + failed->text, failed->code == Code::kInvalid,
                    before == entry.failures.end() ? cache_.highest_version() : before->second.since};
}

std::vector<ControllerManager::Failure> ControllerManager::failures_since(std::uint64_t version) const {
  std::vector<Failure> found;
  for (const Entry& entry : entries_)
    for (const auto& [key, failure] : entry.failures)
      if (failure.since >= version) found.push_back(failure);
  return found;
}

net::Task<Result<api::ObjectPtr>> ControllerManager::write(Change change) {
  switch (change.kind) {
    case Change::Kind::kCreate: return store_.create(std::move(change.object));
    case Change::Kind::kUpdate: return store_.update(std::move(change.object));
    case Change::Kind::kUpdateStatus: return store_.update_status(std::move(change.object));
    case Change::Kind::kRemove: break;
  }
  return store_.remove(change.object.key());
}

net::Task<std::optional<Error>> ControllerManager::carry_out(Change change) {
  api::Key key = change.object.key();
  bool removing = change.kind == Change::Kind::kRemove;
  api::Json status;
  if (change.kind == Change::Kind::kUpdateStatus) {
    auto unkept = unkept_.find(key);
    if (unkept != unkept_.end() && unkept->second == change.object.resource_version()) co_return std::nullopt;
    status = change.object.status();
  }
  auto written = co_await write(std::move(change));
  if (!written) {
    if (written.error().code == Code::kConflict || written.error().code == Code::kNotFound)
      co_return std::nullopt;
    WEFT_LOG(kWarn, "control", "a controller's write failed", {"object", key.to_string()},
             {"error", written.error().text});
    co_return std::move(written).error();
  }
  note_kept(key, status, **written);
  if (removing && !is_terminating(**written)) {
    cache_.forget(key);
  } else {
    cache_.observe(*written);
  }
  co_return std::nullopt;
}

void ControllerManager::note_kept(const api::Key& key, const api::Json& wanted, const api::Object& written) {
  unkept_.erase(key);
  if (wanted.is_null() || json::same(wanted, written.status())) return;
  unkept_[key] = written.resource_version();
  WEFT_LOG(kWarn, "control", "the API server does not keep a status as it is written",
           {"object", key.to_string()});
}

/// What was not written is looked at again; the rest is as it was.
void ControllerManager::retry() {
  for (Entry& entry : entries_)
    if (!entry.failures.empty()) entry.seen = 0;
  notice();
}

}  // namespace weft::control
