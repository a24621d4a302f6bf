#include "control/testing/memory_store.h"

#include "api/admit.h"
#include "control/controllers/plan.h"
#include "control/json.h"

namespace weft::control::testing {
namespace {

Error conflict(const api::Key& key) {
  return Error::config(Code::kConflict, key.to_string() + " has changed");
}
Error missing(const api::Key& key) {
  return Error::config(Code::kNotFound, key.to_string() + " is not there");
}

bool is_of_another(const api::Object& written, const api::Object& present) {
  return !written.uid().empty() && written.uid() != present.uid();
}

bool matches(const store::Query& query, const api::Object& object) {
  return object.kind == query.kind && (query.ns.empty() || object.ns() == query.ns) &&
         (query.name.empty() || object.name() == query.name);
}

/// What a cluster's API server has beside the kinds of `api` is taken as it is.
Result<api::Object> check(api::Object object) {
  if (!api::find_kind_by_plural(object.kind->group, object.kind->plural)) return object;
  return api::admit(std::move(object.body));
}

}  // namespace

class MemoryStore::MemoryWatch final : public store::Watch {
 public:
  MemoryWatch(MemoryStore& from, store::Query query, std::size_t next)
      : store_(from), query_(std::move(query)), next_(next) {}
  net::Task<Result<store::Event>> next() override {
    while (true) {
      for (; next_ < store_.events_.size(); ++next_)
        if (matches(query_, *store_.events_[next_].object)) co_return store_.events_[next_++];
      if (broken_ < store_.broken_) co_return fail(store_.broken_by_);
      co_await store_.changed_.wait(kNever);
    }
  }

 private:
  MemoryStore& store_;
  store::Query query_;
  std::size_t next_;
  std::uint64_t broken_ = store_.broken_;
};

Result<api::ObjectPtr> MemoryStore::store_object(api::Object object, store::EventType type) {
  object.body["metadata"]["resourceVersion"] = std::to_string(++version_);
  api::Key key = object.key();
  auto made = std::make_shared<const api::Object>(std::move(object));
  objects_[key] = made;
  events_.push_back({type, made, version_});
  changed_.notify_all();
  return made;
}

net::Task<Result<api::ObjectPtr>> MemoryStore::get(api::Key key) {
  auto found = objects_.find(key);
  if (found == objects_.end()) co_return fail(missing(key));
  co_return found->second;
}

void MemoryStore::break_watches(Error with) {
  ++broken_;
  broken_by_ = std::move(with);
  changed_.notify_all();
}

net::Task<Result<store::List>> MemoryStore::list(store::Query query) {
  ++lists_;
  if (auto failure = on_list ? on_list(query) : std::nullopt) co_return fail(std::move(*failure));
  store::List list{version_, {}};
  for (const auto& [key, object] : objects_)
    if (matches(query, *object)) list.items.push_back(object);
  co_return list;
}

net::Task<Result<api::ObjectPtr>> MemoryStore::create(api::Object object) {
  if (objects_.contains(object.key())) co_return fail(conflict(object.key()));
  if (on_create)
    if (auto error = on_create(object)) co_return fail(std::move(*error));
  if (create_takes > Duration::zero()) co_await loop_.sleep(create_takes);
  WEFT_CO_TRY(object, check(std::move(object)));
  object.body["metadata"]["uid"] = "uid-" + std::to_string(++uids_);
  object.body["metadata"]["generation"] = 1;
  co_return store_object(std::move(object), store::EventType::kAdded);
}

net::Task<Result<api::ObjectPtr>> MemoryStore::update(api::Object object) {
  auto found = objects_.find(object.key());
  if (found == objects_.end()) co_return fail(missing(object.key()));
  const api::Object& before = *found->second;
  if (is_of_another(object, before)) co_return fail(conflict(object.key()));
  if (object.resource_version() != 0 && object.resource_version() != before.resource_version())
    co_return fail(conflict(object.key()));
  WEFT_CO_TRY(object, check(std::move(object)));
  object.body.erase("status");
  if (before.body.contains("status")) object.body["status"] = before.status();
  bool grows = !json::same(object.spec(), before.spec());
  object.body["metadata"]["generation"] = before.generation() + (grows ? 1 : 0);
  co_return store_object(std::move(object), store::EventType::kModified);
}

net::Task<Result<api::ObjectPtr>> MemoryStore::update_status(api::Object object) {
  auto found = objects_.find(object.key());
  if (found == objects_.end()) co_return fail(missing(object.key()));
  api::Object changed = *found->second;
  if (is_of_another(object, changed)) co_return fail(conflict(object.key()));
  if (object.resource_version() != 0 && object.resource_version() != changed.resource_version())
    co_return fail(conflict(object.key()));
  changed.body["status"] = prunes_status ? api::Json::object() : object.status();
  co_return store_object(std::move(changed), store::EventType::kModified);
}

void MemoryStore::erase(const api::Key& key) {
  auto found = objects_.find(key);
  if (found == objects_.end()) return;
  api::ObjectPtr gone = found->second;
  objects_.erase(found);
  events_.push_back({store::EventType::kDeleted, gone, ++version_});
  changed_.notify_all();
  std::vector<api::Key> owned;
  for (const auto& [other, object] : objects_)
    if (is_owned_by(*object, *gone)) owned.push_back(other);
  for (const auto& other : owned) erase(other);
}

net::Task<Result<api::ObjectPtr>> MemoryStore::remove(api::Key key, int grace_period_seconds,
                                                      std::string uid) {
  auto found = objects_.find(key);
  if (found == objects_.end()) co_return fail(missing(key));
  api::ObjectPtr object = found->second;
  if (!uid.empty() && uid != object->uid()) co_return fail(conflict(key));
  if (key.kind == kinds::pod() && grace_period_seconds != 0) {
    api::Object going = *object;
    going.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
    co_return store_object(std::move(going), store::EventType::kModified);
  }
  erase(key);
  co_return object;
}

net::Task<Result<std::unique_ptr<store::Watch>>> MemoryStore::watch(store::Query query, std::uint64_t from) {
  if (watch_takes > Duration::zero()) co_await loop_.sleep(watch_takes);
  if (auto failure = on_watch ? on_watch(query) : std::nullopt) co_return fail(std::move(*failure));
  std::size_t next = 0;
  while (next < events_.size() && events_[next].resource_version <= from) ++next;
  co_return std::make_unique<MemoryWatch>(*this, std::move(query), next);
}

std::optional<store::Progress> MemoryStore::progress(const api::KindInfo* kind) const {
  if (!tells_progress) return std::nullopt;
  store::Progress made{version_, 0};
  for (const store::Event& event : events_)
    if (event.object->kind == kind) made.of_kind = event.resource_version;
  return made;
}

std::uint64_t MemoryStore::put(api::Object object) {
  auto found = objects_.find(object.key());
  auto& metadata = object.body["metadata"];
  if (found == objects_.end()) {
    metadata["uid"] = "uid-" + std::to_string(++uids_);
    metadata["generation"] = 1;
  } else {
    metadata["uid"] = std::string(found->second->uid());
    bool grows = !json::same(object.spec(), found->second->spec());
    metadata["generation"] = found->second->generation() + (grows ? 1 : 0);
  }
  (void)store_object(std::move(object), store::EventType::kModified);
  return version_;
}

std::vector<api::ObjectPtr> MemoryStore::all(const api::KindInfo* kind) const {
  std::vector<api::ObjectPtr> found;
  for (const auto& [key, object] : objects_)
    if (key.kind == kind) found.push_back(object);
  return found;
}

}  // namespace weft::control::testing
