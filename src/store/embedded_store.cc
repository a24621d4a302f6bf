#include "store/embedded_store.h"

#include <algorithm>
#include <ctime>

#include "api/admit.h"
#include "api/selector.h"

namespace weft::store {
namespace {

constexpr std::size_t kHistory = 10'000;
constexpr std::size_t kMostQueued = 10'000;
constexpr int kDefaultGrace = 30;

Error named(Code code, const api::Key& key, std::string_view what) {
  return Error::config(code, std::string(key.kind->plural) + " \"" + key.name + "\" " + std::string(what));
}

std::string version_text(std::uint64_t version) { return std::to_string(version); }

std::string make_uuid(Random& random) {
  char text[37];
  const std::uint64_t a = random.next(), b = random.next();
  std::snprintf(text, sizeof text, "%08llx-%04llx-4%03llx-%04llx-%012llx",
                static_cast<unsigned long long>(a >> 32), static_cast<unsigned long long>(a >> 16 & 0xffff),
                static_cast<unsigned long long>(a & 0xfff),
                static_cast<unsigned long long>((b >> 48 & 0x3fff) | 0x8000),
                static_cast<unsigned long long>(b & 0xffffffffffff));
  return text;
}

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

/// What belongs to the store and not to whoever writes.
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

std::string timestamp_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts));
}

Result<bool> selected(const Query& query, const api::Object& object) {
  if (object.kind != query.kind) return false;
  if (!query.ns.empty() && object.ns() != query.ns) return false;
  if (!query.name.empty() && object.name() != query.name) return false;
  if (query.label_selector.empty()) return true;
  WEFT_TRY(const api::LabelSelector selector, api::LabelSelector::parse(query.label_selector));
  return selector.matches(object.labels());
}

/// Changes queue here; a slow reader loses its watch, not the store its memory.
class EmbeddedStore::Watcher final : public Watch {
 public:
  Watcher(EmbeddedStore& store, Query query) : store_(&store), query_(std::move(query)) {
    store.watchers_.push_back(this);
  }
  ~Watcher() override {
    if (store_) std::erase(store_->watchers_, this);
  }

  void offer(const Change& change) {
    if (overflowed_) return;
    const bool now = change.type != EventType::kDeleted && selected(query_, *change.object).value_or(false);
    const bool before = change.before && selected(query_, *change.before).value_or(false);
    if (!now && !before) return;
    const EventType type = !now ? EventType::kDeleted : before ? EventType::kModified : EventType::kAdded;
    push({type,
          type == EventType::kDeleted && change.type != EventType::kDeleted ? change.before : change.object,
          change.version});
  }
  void push(Event event) {
    if (queue_.size() >= kMostQueued) {
      overflowed_ = true;
      queue_.clear();
    } else {
      queue_.push_back(std::move(event));
    }
    wake();
  }
  void orphan() {
    store_ = nullptr;
    wake();
  }

  net::Task<Result<Event>> next() override {
    for (;;) {
      if (!queue_.empty()) {
        Event event = std::move(queue_.front());
        queue_.pop_front();
        co_return event;
      }
      if (overflowed_)
        co_return fail(Error::internal(Code::kUnavailable, "the watch fell behind; list again"));
      if (!store_) co_return fail(Error::internal(Code::kUnavailable, "the store has closed"));
      co_await Wait{*this};
    }
  }

 private:
  struct Wait {
    Watcher& watcher;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { watcher.waiting_ = handle; }
    void await_resume() const noexcept {}
    ~Wait() { watcher.waiting_ = {}; }
  };
  void wake() {
    if (!waiting_ || scheduled_ || !loop_) return;
    scheduled_ = true;
    loop_->defer([this, alive = std::weak_ptr<char>(alive_)] {
      if (alive.expired()) return;
      scheduled_ = false;
      if (waiting_) std::exchange(waiting_, {}).resume();
    });
  }

  EmbeddedStore* store_;
  net::Loop* loop_ = &store_->loop_;
  Query query_;
  std::deque<Event> queue_;
  bool overflowed_ = false, scheduled_ = false;
  std::coroutine_handle<> waiting_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::open(net::Loop& loop, std::string directory) {
  std::unique_ptr<EmbeddedStore> store(new EmbeddedStore(loop));
  auto journal =
      Journal::open(std::move(directory), [&](std::string_view record) { return store->replay(record); });
  if (!journal) return fail(std::move(journal).error());
  store->journal_ = std::make_unique<Journal>(std::move(*journal));
  WEFT_CHECK(store->begin());
  return store;
}

EmbeddedStore::~EmbeddedStore() {
  for (Watcher* watcher : watchers_) watcher->orphan();
  if (journal_) static_cast<void>(journal_->sync());
}

/// {"version": N, "put": {...}} or {"version": N, "erase": [apiVersion, kind, namespace, name]}.
Result<void> EmbeddedStore::replay(std::string_view record) {
  const api::Json parsed = api::Json::parse(record, nullptr, false);
  const auto refuse = [] { return fail(Error::internal(Code::kInvalid, "a record that is not ours")); };
  if (!parsed.is_object() || !parsed.contains("version")) return refuse();
  const std::uint64_t version = parsed["version"].get<std::uint64_t>();
  version_ = std::max(version_, version);
  if (parsed.contains("put")) {
    auto object = std::make_shared<api::Object>();
    object->body = parsed["put"];
    object->kind = api::find_kind(object->body.value("apiVersion", ""), object->body.value("kind", ""));
    if (!object->kind) return refuse();
    objects_[object->key()] = std::move(object);
  } else if (parsed.contains("erase") && parsed["erase"].size() == 4) {
    const api::Json& erased = parsed["erase"];
    const api::KindInfo* kind = api::find_kind(erased[0].get<std::string>(), erased[1].get<std::string>());
    if (kind) objects_.erase({kind, erased[2].get<std::string>(), erased[3].get<std::string>()});
  }
  return {};
}

Result<void> EmbeddedStore::begin() {
  for (const char* name : {"default", "istio-system"}) {
    const api::KindInfo* kind = api::find_kind("v1", "Namespace");
    if (objects_.contains({kind, "", name})) continue;
    api::Json body = {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}};
    WEFT_TRY(api::Object object, api::admit(std::move(body)));
    WEFT_CHECK(create_now(std::move(object)));
  }
  return commit();
}

/// Makes what was written safe before anybody is told.
Result<void> EmbeddedStore::commit() {
  WEFT_CHECK(journal_->sync());
  if (!journal_->wants_snapshot()) return {};
  return journal_->snapshot([this](const std::function<void(std::string_view)>& emit) {
    for (const auto& [key, object] : objects_) {
      api::Json record;
      record["version"] = version_;
      record["put"] = object->body;
      emit(record.dump());
    }
  });
}

Result<api::ObjectPtr> EmbeddedStore::find(const api::Key& key) const {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return fail(named(Code::kNotFound, key, "not found"));
  return found->second;
}

api::ObjectPtr EmbeddedStore::put(api::Object object, EventType type) {
  ++version_;
  object.body["metadata"]["resourceVersion"] = version_text(version_);
  auto stored = std::make_shared<const api::Object>(std::move(object));
  api::ObjectPtr& place = objects_[stored->key()];
  const api::ObjectPtr before = std::exchange(place, stored);
  api::Json record;
  record["version"] = version_;
  record["put"] = stored->body;
  journal_->append(record.dump());
  publish(type, stored, before);
  return stored;
}

void EmbeddedStore::erase(const api::Key& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return;
  ++version_;
  auto last = std::make_shared<api::Object>(*found->second);
  last->body["metadata"]["resourceVersion"] = version_text(version_);
  const api::ObjectPtr before = found->second;
  objects_.erase(found);
  api::Json record;
  record["version"] = version_;
  record["erase"] = {key.kind->api_version(), key.kind->kind, key.ns, key.name};
  journal_->append(record.dump());
  publish(EventType::kDeleted, last, before);
}

void EmbeddedStore::publish(EventType type, api::ObjectPtr object, api::ObjectPtr before) {
  history_.push_back({type, std::move(object), std::move(before), version_});
  if (history_.size() > kHistory) history_.pop_front();
  for (Watcher* watcher : watchers_) watcher->offer(history_.back());
}

Result<api::ObjectPtr> EmbeddedStore::create_now(api::Object object) {
  api::Json& metadata = object.body["metadata"];
  if (metadata.value("name", "").empty() && metadata.contains("generateName"))
    metadata["name"] = metadata["generateName"].get<std::string>() + random_suffix(random_);
  const api::Key key = object.key();
  if (key.name.empty()) return fail(Error::config(Code::kInvalid, "metadata.name: required"));
  if (objects_.contains(key)) return fail(named(Code::kConflict, key, "already exists"));
  if (key.kind->namespaced) {
    const auto owner = objects_.find({api::find_kind("v1", "Namespace"), "", key.ns});
    if (owner == objects_.end())
      return fail(Error::config(Code::kNotFound, "namespaces \"" + key.ns + "\" not found"));
  }
  metadata["uid"] = make_uuid(random_);
  metadata["creationTimestamp"] = timestamp_now();
  metadata["generation"] = std::uint64_t{1};
  return put(std::move(object), EventType::kAdded);
}

Result<void> EmbeddedStore::check_version(const api::Object& wanted, const api::Object& stored) const {
  const std::uint64_t version = wanted.resource_version();
  if (version == 0 || version == stored.resource_version()) return {};
  return fail(Error::config(
      Code::kConflict,
      "Operation cannot be fulfilled on " + std::string(stored.kind->plural) + " \"" +
          std::string(stored.name()) +
          "\": the object has been modified; please apply your changes to the latest version and try again"));
}

Result<api::ObjectPtr> EmbeddedStore::update_now(api::Object object) {
  WEFT_TRY(api::ObjectPtr stored, find(object.key()));
  WEFT_CHECK(check_version(object, *stored));
  keep_server_fields(object.body["metadata"], stored->body["metadata"]);
  if (stored->body.contains("status"))
    object.body["status"] = stored->body["status"];
  else
    object.body.erase("status");
  if (same_without(object.body, stored->body)) return stored;
  if (object.spec() != stored->spec()) object.body["metadata"]["generation"] = stored->generation() + 1;
  return put(std::move(object), EventType::kModified);
}

Result<api::ObjectPtr> EmbeddedStore::update_status_now(api::Object object) {
  WEFT_TRY(api::ObjectPtr stored, find(object.key()));
  WEFT_CHECK(check_version(object, *stored));
  api::Object next = *stored;
  if (object.body.contains("status"))
    next.body["status"] = object.body["status"];
  else
    next.body.erase("status");
  if (next.body == stored->body) return stored;
  return put(std::move(next), EventType::kModified);
}

/// A Pod that something runs is marked first; its runtime removes it for good with a grace period of 0.
Result<api::ObjectPtr> EmbeddedStore::remove_now(const api::Key& key, int grace_period_seconds) {
  WEFT_TRY(api::ObjectPtr stored, find(key));
  const bool graceful = key.kind->kind == "Pod" && grace_period_seconds != 0;
  if (graceful) {
    if (stored->body["metadata"].contains("deletionTimestamp")) return stored;
    api::Object marked = *stored;
    const int wanted = grace_period_seconds > 0
                           ? grace_period_seconds
                           : stored->spec().value("terminationGracePeriodSeconds", kDefaultGrace);
    marked.body["metadata"]["deletionTimestamp"] = timestamp_now();
    marked.body["metadata"]["deletionGracePeriodSeconds"] = wanted;
    return put(std::move(marked), EventType::kModified);
  }
  const std::string uid(stored->uid());
  erase(key);
  remove_dependents(key, uid);
  return stored;
}

/// What the object owned goes with it, and what was in a namespace with the namespace.
void EmbeddedStore::remove_dependents(const api::Key& owner, const std::string& uid) {
  std::vector<api::Key> dependents;
  for (const auto& [key, object] : objects_) {
    bool owned = owner.kind->kind == "Namespace" && key.ns == owner.name;
    const api::Json& metadata = object->body["metadata"];
    if (metadata.contains("ownerReferences"))
      for (const api::Json& reference : metadata["ownerReferences"])
        owned = owned || reference.value("uid", "") == uid;
    if (owned) dependents.push_back(key);
  }
  for (const api::Key& key : dependents) static_cast<void>(remove_now(key, -1));
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::get(api::Key key) { co_return find(key); }

net::Task<Result<List>> EmbeddedStore::list(Query query) {
  List list;
  list.resource_version = version_;
  for (const auto& [key, object] : objects_) {
    WEFT_CO_TRY(const bool wanted, selected(query, *object));
    if (wanted) list.items.push_back(object);
  }
  co_return list;
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::create(api::Object object) {
  WEFT_CO_TRY(api::Object admitted, api::admit(std::move(object.body), check_));
  WEFT_CO_TRY(api::ObjectPtr created, create_now(std::move(admitted)));
  WEFT_CO_CHECK(commit());
  co_return created;
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::update(api::Object object) {
  WEFT_CO_TRY(api::Object admitted, api::admit(std::move(object.body), check_));
  WEFT_CO_TRY(api::ObjectPtr updated, update_now(std::move(admitted)));
  WEFT_CO_CHECK(commit());
  co_return updated;
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::update_status(api::Object object) {
  WEFT_CO_TRY(api::ObjectPtr updated, update_status_now(std::move(object)));
  // What runs is seen again after a crash: a status need not wait for the disk.
  WEFT_CO_CHECK(journal_->flush());
  co_return updated;
}

net::Task<Result<api::ObjectPtr>> EmbeddedStore::remove(api::Key key, int grace_period_seconds) {
  WEFT_CO_TRY(api::ObjectPtr removed, remove_now(key, grace_period_seconds));
  WEFT_CO_CHECK(commit());
  co_return removed;
}

net::Task<Result<std::unique_ptr<Watch>>> EmbeddedStore::watch(Query query, std::uint64_t from) {
  if (!query.label_selector.empty()) WEFT_CO_CHECK(api::LabelSelector::parse(query.label_selector));
  if (from > version_)
    co_return fail(Error::config(Code::kConflict, "too large resource version: " + version_text(from) +
                                                      ", current: " + version_text(version_)));
  const bool too_old =
      from != 0 && from < version_ && (history_.empty() || history_.front().version > from + 1);
  if (too_old)
    co_return fail(Error::config(Code::kConflict, "too old resource version: " + version_text(from)));
  auto watcher = std::make_unique<Watcher>(*this, query);
  if (from == 0) {
    for (const auto& [key, object] : objects_)
      if (selected(query, *object).value_or(false))
        watcher->push({EventType::kAdded, object, object->resource_version()});
  } else {
    for (const Change& change : history_)
      if (change.version > from) watcher->offer(change);
  }
  co_return std::unique_ptr<Watch>(std::move(watcher));
}

}  // namespace weft::store
