#pragma once

#include <memory>
#include <string>
#include <utility>

#include "store/store.h"

namespace weft::store::testing {

/// Hands every call on to another store: the base of a test's store that does one of them differently.
///
/// Owner: the test; `inner` outlives it. Thread: one loop.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& inner) : inner_(inner) {}
  net::Task<Result<api::ObjectPtr>> get(api::Key key) override { return inner_.get(std::move(key)); }
  net::Task<Result<List>> list(Query query) override { return inner_.list(std::move(query)); }
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override {
    return inner_.create(std::move(object));
  }
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override {
    return inner_.update(std::move(object));
  }
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override {
    return inner_.update_status(std::move(object));
  }
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds, std::string uid) override {
    return inner_.remove(std::move(key), grace_period_seconds, std::move(uid));
  }
  net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) override {
    return inner_.watch(std::move(query), from);
  }

 protected:
  Store& inner_;
};

}  // namespace weft::store::testing
