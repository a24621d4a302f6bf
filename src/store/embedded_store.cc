#include "store/embedded_store.h"

#include <malloc.h>

#include <algorithm>
#include <unordered_set>

#include "api/admit.h"
#include "api/json_size.h"
#include "api/json_text.h"
#include "api/selector.h"
#include "base/log.h"
#include "base/utc.h"
#include "base/uuid.h"
#include "store/embedded_watcher.h"
#include "store/embedded_write.h"
#include "store/immutable_fields.h"

namespace weft::store {
namespace {

constexpr int kDefaultGrace = 30;
constexpr int kDefaultOfKind = -1;  // as a grace period
// Without them there is no place for what names none, and no ingress.
constexpr std::string_view kLastingNamespaces[] = {"default", "istio-system"};
constexpr int kMaxStatusDepth = 100;
constexpr std::int64_t kMaxGrace = 1'000'000;
// As text; less is not worth walking through the heap.
constexpr std::size_t kWorthGivingBack = 256 * 1024;
// Of writes that wait for the end of the turn; beyond, they are made at once.
constexpr std::size_t kMaxWaitingBytes = 4 * 1024 * 1024;

Error named(Code code, const api::Key& key, std::string_view what) {
  return Error::config(code, std::string(key.kind->plural) + " \"" + key.name + "\" " + std::string(what));
}

std::string version_text(std::uint64_t version) { return std::to_string(version); }

std::string random_suffix(Random& random) {
  static constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string out;
  for (int i = 0; i < 5; ++i) out.push_back(kLetters[random.below(kLetters.size())]);
  return out;
}

bool same_without(const api::Json& a, const api::Json& b) {
  api::Json left = a, right = b;
  for (api::Json* one : {&left, &right})
    for (const char* name : {"resourceVersion", "generation", "managedFields"})
      (*one)["metadata"].erase(name);
  return left == right;
}

/// What belongs to the store and not to the writer.
void keep_server_fields(api::Json& metadata, const api::Json& stored) {
  for (const char* name :
       {"uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    if (stored.contains(name))
      metadata[name] = stored[name];
    else
      metadata.erase(name);
  }
  metadata.erase("resourceVersion");
}

}  // namespace

Result<bool> selected(const Query& query, const api::Object& object) {
  if (object.kind != query.kind) return false;
  if (!query.ns.empty() && object.ns() != query.ns) return false;
  if (!query.name.empty() && object.name() != query.name) return false;
  if (query.label_selector.empty()) return true;
  WEFT_TRY(const api::LabelSelector selector, api::LabelSelector::parse(query.label_selector));
  return selector.matches(object.labels());
}

/// Writes are planned, have their result, and are not committed.
class EmbeddedStore::DryRun final : public Store {
 public:
  explicit DryRun(EmbeddedStore& store) : store_(store) {}
  net::Task<Result<api::ObjectPtr>> get(api::Key key) override { return store_.get(std::move(key)); }
  net::Task<Result<List>> list(Query query) override { return store_.list(std::move(query)); }
  net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) override {
    return store_.watch(std::move(query), from);
  }
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override {
    WEFT_CO_TRY(api::Object admitted, api::admit(std::move(object.body), store_.check_));
    Plan plan;
    co_return store_.plan_create(plan, std::move(admitted));
  }
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override {
    WEFT_CO_TRY(api::Object admitted, api::admit(std::move(object.body), store_.check_));
    Plan plan;
    co_return store_.plan_update(plan, std::move(admitted));
  }
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override {
    Plan plan;
    co_return store_.plan_status(plan, object);
  }
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds, std::string uid) override {
    Plan plan;
    co_return store_.plan_removal(plan, key, grace_period_seconds, uid);
  }

 private:
  EmbeddedStore& store_;
};

EmbeddedStore::EmbeddedStore(net::Loop& loop)
    : loop_(loop),
      expiry_(loop, [this] { forget_old_changes(); }),
      dry_run_(std::make_unique<DryRun>(*this)),
      end_of_turn_(loop, [this] { make_waiting_writes(); }) {}

Store& EmbeddedStore::dry_run() { return *dry_run_; }

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(net::Loop& loop, std::string directory,
                                                           Disk& disk) {
  std::unique_ptr<EmbeddedStore> store(new EmbeddedStore(loop));
  auto journal = Journal::open(
      std::move(directory), [&](std::string_view record) { return store->replay(record); }, disk);
  if (!journal) return fail(std::move(journal).error());
  store->journal_ = std::make_unique<Journal>(std::move(*journal));
  store->history_ = History(store->version_);
  store->opened_at_ = store->version_;
  WEFT_CHECK(store->begin());
  return store;
}

EmbeddedStore::~EmbeddedStore() {
  for (Watcher* watcher : watchers_) watcher->orphan();
  for (Write* write : waiting_writes_) {
    write->fail_with(Error::internal(Code::kUnavailable, "the store has closed"));
    write->finish();
  }
}

/// A change is {"version": N, "put": {...}} or {"version": N, "erase": [apiVersion, kind, namespace, name]};
/// a record is a change, or a list of those that became true together.
Result<void> EmbeddedStore::replay(std::string_view record) {
  const api::Json parsed = api::parse_json(record);
  if (!parsed.is_array()) return replay_change(parsed);
  for (const api::Json& change : parsed) WEFT_CHECK(replay_change(change));
  return {};
}

Result<void> EmbeddedStore::replay_change(const api::Json& change) {
  const auto reject = [] { return fail(Error::internal(Code::kInvalid, "a record that is not ours")); };
  const std::int64_t version = api::json_integer(change, "version", -1, 0);
  if (version < 0) return reject();
  version_ = std::max(version_, static_cast<std::uint64_t>(version));
  const api::Json& put = api::json_member(change, "put");
  const api::Json& erased = api::json_member(change, "erase");
  if (put.is_object()) {
    auto object = std::make_shared<api::Object>();
    object->body = put;
    object->kind = api::find_kind(api::json_string(put, "apiVersion"), api::json_string(put, "kind"));
    if (!object->kind || object->name().empty()) return reject();
    place(std::move(object));
  } else if (erased.is_array() && erased.size() == 4 &&
             std::ranges::all_of(erased, [](const api::Json& name) { return name.is_string(); })) {
    const api::KindInfo* kind = api::find_kind(erased[0].get<std::string>(), erased[1].get<std::string>());
    if (kind) displace({kind, erased[2].get<std::string>(), erased[3].get<std::string>()});
  }
  return {};
}

Result<void> EmbeddedStore::begin() {
  Batch batch;
  for (const char* name : {"default", "istio-system"}) {
    const api::KindInfo* kind = api::find_kind("v1", "Namespace");
    if (objects_.contains({kind, "", name})) continue;
    api::Json body = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
    WEFT_TRY(api::Object object, api::admit(std::move(body)));
    Plan plan;
    WEFT_CHECK(plan_create(plan, std::move(object)));
    enter(std::move(plan), Journal::Safe::kFromPowerLoss, batch);
  }
  return commit(std::move(batch));
}

void EmbeddedStore::enqueue(Write& write) {
  waiting_writes_.push_back(&write);
  waiting_bytes_ += write.size();
  if (waiting_bytes_ > kMaxWaitingBytes)
    make_waiting_writes();
  else
    end_of_turn_.schedule();
}

/// Together when the disk takes them so; otherwise each by itself, so that none fails for another's sake.
void EmbeddedStore::make_waiting_writes() {
  end_of_turn_.cancel();
  waiting_bytes_ = 0;
  const std::vector<Write*> writes = std::exchange(waiting_writes_, {});
  if (!make(writes) && writes.size() > 1)
    for (Write* const& write : writes) static_cast<void>(make({&write, 1}));
  for (Write* write : writes) write->finish();
}

/// Each is planned against what those before it have changed. Error: nothing of it is true.
Result<void> EmbeddedStore::make(std::span<Write* const> writes) {
  Batch batch;
  for (Write* write : writes) {
    Plan plan;
    if (write->plan(plan, writes.size() == 1)) enter(std::move(plan), write->safe(), batch);
  }
  auto done = commit(std::move(batch));
  if (!done)
    for (Write* write : writes) write->fail_with(done.error());
  return done;
}

/// Gives the changes their versions and makes them true for the plans that follow. Readers see nothing of it
/// before commit(), since nothing else runs meanwhile.
void EmbeddedStore::enter(Plan plan, Journal::Safe safe, Batch& batch) {
  if (safe == Journal::Safe::kFromPowerLoss && !plan.changes.empty()) batch.safe = safe;
  for (Change& change : plan.changes) {
    const api::Key key = change.object->key();
    change.version = ++version_;
    // No other owner has it yet.
    const_cast<api::Object&>(*change.object).body["metadata"]["resourceVersion"] = version_text(version_);
    std::string text = api::json_text(change.object->body);
    change.size = text.size();
    batch.record.append(batch.record.empty() ? "" : ",")
        .append(R"({"version":)")
        .append(version_text(version_));
    if (change.type == EventType::kDeleted) {
      batch.record.append(R"(,"erase":)")
          .append(api::json_text(api::Json{key.kind->api_version(), key.kind->kind, key.ns, key.name}));
      displace(key);
    } else {
      batch.record.append(R"(,"put":)").append(text);
      place(change.object);
    }
    batch.record.append("}");
    batch.texts.push_back(std::move(text));
    batch.changes.push_back(std::move(change));
  }
}

void EmbeddedStore::place(api::ObjectPtr object) {
  api::ObjectPtr& at = objects_[object->key()];
  if (at) dependents_.remove(*at);
  dependents_.add(*object);
  at = std::move(object);
}

void EmbeddedStore::displace(const api::Key& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  dependents_.remove(*found->second);
  objects_.erase(found);
}

void EmbeddedStore::take_back(const Batch& batch) {
  for (auto change = batch.changes.rbegin(); change != batch.changes.rend(); ++change)
    if (change->before)
      place(change->before);
    else
      displace(change->object->key());
  version_ -= batch.changes.size();
}

/// On disk first, then for readers and watchers.
Result<void> EmbeddedStore::commit(Batch batch) {
  if (batch.changes.empty()) return {};
  const bool list = batch.changes.size() > 1;
  auto written = journal_->append(list ? "[" + batch.record + "]" : batch.record, batch.safe);
  if (!written) {
    take_back(batch);
    return written;
  }
  for (std::size_t i = 0; i < batch.changes.size(); ++i) publish(batch.changes[i], std::move(batch.texts[i]));
  snapshot_when_due();
  return {};
}

void EmbeddedStore::publish(const Change& change, std::string text) {
  newest_[change.object->kind] = change.version;
  for (Watcher* watcher : watchers_) watcher->offer(change);
  history_.add(change, std::move(text), loop_.now());
  if (!expiry_.armed()) expiry_.arm(history_.next_expiry());
}

std::optional<Progress> EmbeddedStore::progress(const api::KindInfo* kind) const {
  const auto newest = newest_.find(kind);
  return Progress{version_, newest == newest_.end() ? opened_at_ : newest->second};
}

/// The changes are safe in the journal already: when there is no room for a snapshot they stay there.
void EmbeddedStore::snapshot_when_due() {
  if (!journal_->wants_snapshot()) return;
  const auto written = journal_->snapshot(objects_.size(), [this](const Journal::Emit& emit) {
    const std::string head = R"({"version":)" + version_text(version_) + R"(,"put":)";
    for (const auto& [key, object] : objects_) emit(head + api::json_text(object->body) + "}");
  });
  if (!written)
    WEFT_LOG(kWarn, "store", "the journal grows on: no snapshot", {"error", written.error().text});
}

void EmbeddedStore::forget_old_changes() {
  forgotten_bytes_ += history_.expire(loop_.now());
  expiry_.arm(history_.next_expiry());
  if (history_.size() != 0 || forgotten_bytes_ < kWorthGivingBack) return;
  forgotten_bytes_ = 0;
  // What many small objects leave behind is free in the heap, and not in the system.
  ::malloc_trim(0);
}

Result<api::ObjectPtr> EmbeddedStore::find(const api::Key& key) const {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return fail(named(Code::kNotFound, key, "not found"));
  return found->second;
}

api::ObjectPtr EmbeddedStore::put(Plan& plan, api::Object object, EventType type) const {
  object.body["metadata"]["resourceVersion"] = "0";  // until it is committed
  auto made = std::make_shared<api::Object>(std::move(object));
  const auto before = objects_.find(made->key());
  plan.add({type, made, before == objects_.end() ? nullptr : before->second});
  return made;
}

Result<api::ObjectPtr> EmbeddedStore::plan_create(Plan& plan, api::Object object) {
  api::Json& metadata = object.body["metadata"];
  if (const std::string prefix = api::json_string(metadata, "generateName");
      object.name().empty() && !prefix.empty())
    metadata["name"] = prefix + random_suffix(random_);
  const api::Key key = object.key();
  if (key.name.empty()) return fail(Error::config(Code::kInvalid, "metadata.name: required"));
  if (objects_.contains(key)) return fail(named(Code::kConflict, key, "already exists"));
  if (key.kind->namespaced) {
    const auto owner = objects_.find({api::find_kind("v1", "Namespace"), "", key.ns});
    if (owner == objects_.end())
      return fail(Error::config(Code::kNotFound, "namespaces \"" + key.ns + "\" not found"));
  }
  // It would never be removed: who makes it has not seen yet that its owner went.
  if (!has_owner(object))
    return fail(Error::config(Code::kNotFound, "the owner of " + key.to_string() +
                                                   " (metadata.ownerReferences) is not there any more"));
  std::string uid;
  append_uuid(uid, random_);
  metadata["uid"] = std::move(uid);
  metadata["creationTimestamp"] = utc_now();
  metadata["generation"] = std::uint64_t{1};
  // What was read from another object and written as a new one: it is not ending, and nothing of it has run.
  metadata.erase("deletionTimestamp");
  metadata.erase("deletionGracePeriodSeconds");
  object.body.erase("status");
  // As Kubernetes does it, so that no pod is seen without a phase.
  if (key.kind->kind == "Pod" && key.kind->group.empty()) object.body["status"] = {{"phase", "Pending"}};
  return put(plan, std::move(object), EventType::kAdded);
}

/// The owner that one of `object`'s references names; null when it is not there.
const api::Object* EmbeddedStore::owner_of(const api::Object& object, const api::Json& reference) const {
  const api::KindInfo* const kind =
      api::find_kind(api::json_string(reference, "apiVersion"), api::json_string(reference, "kind"));
  if (!kind) return nullptr;
  const auto owner = objects_.find(
      {kind, kind->namespaced ? std::string(object.ns()) : "", api::json_string(reference, "name")});
  const bool same = owner != objects_.end() && owner->second->uid() == api::json_string(reference, "uid");
  return same ? owner->second.get() : nullptr;
}

/// Whether an owner that it names is there, or it names none. Of kinds that are not served nothing is known.
bool EmbeddedStore::has_owner(const api::Object& object) const {
  const api::Json& references =
      api::json_member(api::json_member(object.body, "metadata"), "ownerReferences");
  if (!references.is_array() || references.empty()) return true;
  return std::ranges::any_of(references, [&](const api::Json& reference) {
    const bool known =
        api::find_kind(api::json_string(reference, "apiVersion"), api::json_string(reference, "kind"));
    return !known || owner_of(object, reference);
  });
}

/// Who read an object means that one, and not the next of its name.
Result<void> EmbeddedStore::check_uid(std::string_view wanted, const api::Object& stored) {
  if (wanted.empty() || wanted == stored.uid()) return {};
  return fail(named(Code::kConflict, stored.key(),
                    "is another one than is meant: its uid is " + std::string(stored.uid()) + ", not " +
                        std::string(wanted)));
}

Result<void> EmbeddedStore::check_version(const api::Object& wanted, const api::Object& stored) const {
  WEFT_CHECK(check_uid(wanted.uid(), stored));
  const std::uint64_t version = wanted.resource_version();
  if (version == 0 || version == stored.resource_version()) return {};
  return fail(Error::config(
      Code::kConflict,
      "Operation cannot be fulfilled on " + std::string(stored.kind->plural) + " \"" +
          std::string(stored.name()) +
          "\": the object has been modified; please apply your changes to the latest version and try again"));
}

Result<api::ObjectPtr> EmbeddedStore::plan_update(Plan& plan, api::Object object) const {
  WEFT_TRY(api::ObjectPtr stored, find(object.key()));
  WEFT_CHECK(check_version(object, *stored));
  WEFT_CHECK(check_immutable_fields(object, *stored));
  keep_server_fields(object.body["metadata"], stored->body["metadata"]);
  if (stored->body.contains("status"))
    object.body["status"] = stored->body["status"];
  else
    object.body.erase("status");
  if (same_without(object.body, stored->body)) return stored;
  if (object.spec() != stored->spec()) object.body["metadata"]["generation"] = stored->generation() + 1;
  return put(plan, std::move(object), EventType::kModified);
}

Result<api::ObjectPtr> EmbeddedStore::plan_status(Plan& plan, const api::Object& object) const {
  WEFT_TRY(api::ObjectPtr stored, find(object.key()));
  WEFT_CHECK(check_version(object, *stored));
  api::Object next = *stored;
  const api::Json& status = api::json_member(object.body, "status");
  // A record and a list put levels of their own around it, and have to be readable again.
  if (api::deeper_than(status, kMaxStatusDepth))
    return fail(Error::config(Code::kInvalid, "status: nested more than 100 levels deep"));
  if (status.is_object())
    next.body["status"] = status;
  else if (status.is_null())
    next.body.erase("status");
  else
    return fail(Error::config(Code::kInvalid, "status: must be a map"));
  if (next.body == stored->body) return stored;
  return put(plan, std::move(next), EventType::kModified);
}

Result<api::ObjectPtr> EmbeddedStore::plan_removal(Plan& plan, const api::Key& key, int grace_period_seconds,
                                                   std::string_view uid) const {
  WEFT_TRY(api::ObjectPtr stored, find(key));
  WEFT_CHECK(check_uid(uid, *stored));
  if (key.kind->kind == "Namespace" &&
      std::ranges::find(kLastingNamespaces, key.name) != std::end(kLastingNamespaces))
    return fail(Error::config(Code::kDenied, "namespaces \"" + key.name +
                                                 "\" is forbidden: this namespace may not be deleted; delete "
                                                 "what is in it"));
  if (plan_end(plan, stored, grace_period_seconds)) plan_dependents(plan, *stored);
  return stored;
}

/// A Pod that something runs is marked first; its runtime removes it for good with a grace period of 0.
/// Whether the object itself goes.
bool EmbeddedStore::plan_end(Plan& plan, api::ObjectPtr& stored, int grace_period_seconds) const {
  const bool graceful = stored->kind->kind == "Pod" && grace_period_seconds != 0;
  if (graceful) {
    const api::Json& known = stored->body["metadata"];
    const bool marked_already = known.contains("deletionTimestamp");
    const std::int64_t wanted =
        grace_period_seconds > 0
            ? grace_period_seconds
            : api::json_integer(stored->spec(), "terminationGracePeriodSeconds", kDefaultGrace, 0, kMaxGrace);
    // A grace that was given may be made shorter, and no longer.
    if (marked_already && (grace_period_seconds < 0 ||
                           wanted >= api::json_integer(known, "deletionGracePeriodSeconds", 0, 0, kMaxGrace)))
      return false;
    api::Object marked = *stored;
    if (!marked_already) marked.body["metadata"]["deletionTimestamp"] = utc_now();
    marked.body["metadata"]["deletionGracePeriodSeconds"] = wanted;
    stored = put(plan, std::move(marked), EventType::kModified);
    return false;
  }
  plan.add({EventType::kDeleted, std::make_shared<api::Object>(*stored), stored});
  return true;
}

/// What the object owned goes with the last of its owners, and what that owned, and what was in a namespace
/// with the namespace. Only what goes, and what else it names as owners, is looked at.
void EmbeddedStore::plan_dependents(Plan& plan, const api::Object& removed) const {
  std::vector<api::ObjectPtr> going;
  if (removed.kind->kind == "Namespace")
    for (const api::KindInfo& kind : api::kinds())
      for (auto at = objects_.lower_bound({&kind, std::string(removed.name()), ""});
           kind.namespaced && at != objects_.end() && at->first.kind == &kind &&
           at->first.ns == removed.name();
           ++at)
        going.push_back(at->second);
  std::unordered_set<const api::Object*> gone;
  const auto add_owned_by = [&](const api::Object& owner) {
    if (owner.uid().empty()) return;
    gone.insert(&owner);
    for (const api::Key& key : dependents_.of(owner.uid())) {
      const api::ObjectPtr& each = objects_.find(key)->second;
      const api::Json& references =
          api::json_member(api::json_member(each->body, "metadata"), "ownerReferences");
      const bool stays = std::ranges::any_of(references, [&](const api::Json& reference) {
        const api::Object* const other = owner_of(*each, reference);
        return other && !gone.contains(other);
      });
      if (!stays) going.push_back(each);
    }
  };
  add_owned_by(removed);
  for (std::size_t next = 0; next < going.size(); ++next) {
    const api::ObjectPtr stored = going[next];
    api::ObjectPtr object = stored;
    if (!plan.keys.contains(object->key()) && plan_end(plan, object, kDefaultOfKind)) add_owned_by(*stored);
  }
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::get(api::Key key) { co_return find(key); }

net::Task<Result<List>> EmbeddedStore::list(Query query) {
  List list;
  list.resource_version = version_;
  for (auto at = objects_.lower_bound({query.kind, query.ns, ""}); at != objects_.end(); ++at) {
    const auto& [key, object] = *at;
    if (key.kind != query.kind || (!query.ns.empty() && key.ns != query.ns)) break;
    WEFT_CO_TRY(const bool wanted, selected(query, *object));
    if (wanted) list.items.push_back(object);
  }
  co_return list;
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::create(api::Object object) {
  WEFT_CO_TRY(api::Object admitted, api::admit(std::move(object.body), check_));
  co_return co_await Write(*this, Journal::Safe::kFromPowerLoss, api::json_bytes(admitted.body),
                           [this, &admitted](Plan& plan, bool last) {
                             return plan_create(plan, last ? std::move(admitted) : admitted);
                           });
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::update(api::Object object) {
  WEFT_CO_TRY(api::Object admitted, api::admit(std::move(object.body), check_));
  co_return co_await Write(*this, Journal::Safe::kFromPowerLoss, api::json_bytes(admitted.body),
                           [this, &admitted](Plan& plan, bool last) {
                             return plan_update(plan, last ? std::move(admitted) : admitted);
                           });
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::update_status(api::Object object) {
  // What runs is seen again after a crash: a status need not wait for the disk.
  co_return co_await Write(*this, Journal::Safe::kFromOurEnd, api::json_bytes(object.body),
                           [this, &object](Plan& plan, bool) { return plan_status(plan, object); });
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::remove(api::Key key, int grace_period_seconds,
                                                        std::string uid) {
  co_return co_await Write(*this, Journal::Safe::kFromPowerLoss, 0, [&, this](Plan& plan, bool) {
    return plan_removal(plan, key, grace_period_seconds, uid);
  });
}

net::Task<Result<std::unique_ptr<Watch>>> EmbeddedStore::watch(Query query, std::uint64_t from) {
  if (!query.label_selector.empty()) WEFT_CO_CHECK(api::LabelSelector::parse(query.label_selector));
  if (from > version_)
    co_return fail(Error::config(Code::kConflict, "too large resource version: " + version_text(from) +
                                                      ", current: " + version_text(version_)));
  if (from != 0 && !history_.reaches(from))
    co_return fail(Error::config(Code::kConflict, "too old resource version: " + version_text(from)));
  auto watcher = std::make_unique<Watcher>(*this, query);
  if (from == 0) {
    for (const auto& [key, object] : objects_)
      if (selected(query, *object).value_or(false))
        watcher->begin_with({EventType::kAdded, object, object->resource_version()});
  } else {
    history_.each_after(from, [&](const Change& change) { watcher->offer(change); });
  }
  co_return std::unique_ptr<Watch>(std::move(watcher));
}

}  // namespace weft::store
