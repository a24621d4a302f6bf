#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/object_check.h"
#include "base/random.h"
#include "net/loop.h"
#include "store/journal.h"
#include "store/store.h"

namespace weft::store {

/// The store on one machine: every object in memory, every change on disk before it is answered.
///
/// Owner: the control plane's process. Thread: its loop. How it ends: the destructor; open watches then fail.
class EmbeddedStore final : public Store {
 public:
  /// Reads what is in `directory`, or begins it with the namespaces "default" and "istio-system".
  static Result<std::unique_ptr<EmbeddedStore>> open(net::Loop& loop, std::string directory);
  ~EmbeddedStore() override;

  net::Task<Result<api::ObjectPtr>> get(api::Key key) override;
  net::Task<Result<List>> list(Query query) override;
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds) override;
  net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) override;
  std::uint64_t resource_version() const { return version_; }
  /// Asked of every object before it is stored, beside the checks of `api`.
  void set_check(api::ObjectCheck check) { check_ = std::move(check); }

 private:
  class Watcher;
  explicit EmbeddedStore(net::Loop& loop) : loop_(loop) {}
  Result<void> replay(std::string_view record);
  Result<void> begin();
  Result<void> commit();
  api::ObjectPtr put(api::Object object, EventType type);
  void erase(const api::Key& key);
  void publish(EventType type, api::ObjectPtr object, api::ObjectPtr before);
  Result<api::ObjectPtr> find(const api::Key& key) const;
  Result<api::ObjectPtr> create_now(api::Object object);
  Result<api::ObjectPtr> update_now(api::Object object);
  Result<api::ObjectPtr> update_status_now(api::Object object);
  Result<api::ObjectPtr> remove_now(const api::Key& key, int grace_period_seconds);
  void remove_dependents(const api::Key& owner, const std::string& uid);
  Result<void> check_version(const api::Object& wanted, const api::Object& stored) const;

  struct Change {
    EventType type;
    api::ObjectPtr object, before;
    std::uint64_t version;
  };
  net::Loop& loop_;
  api::ObjectCheck check_;
  std::unique_ptr<Journal> journal_;
  Random random_;
  std::map<api::Key, api::ObjectPtr> objects_;
  std::uint64_t version_ = 0;
  std::deque<Change> history_;
  std::vector<Watcher*> watchers_;
};

/// Whether an object belongs to a query. Error: the label selector is not one.
Result<bool> selected(const Query& query, const api::Object& object);

/// "2026-08-01T12:34:56Z", now.
std::string timestamp_now();

}  // namespace weft::store
