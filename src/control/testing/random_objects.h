#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "control/object_snapshot.h"

namespace weft::control::testing {

/// Objects of every kind that the control plane reads, few enough names that they meet: Services and what is
/// behind them, rules, gateways, Ingresses, the Gateway API. Versions, uids and generations are as a store
/// gives them. Equal seeds, equal objects.
class RandomObjects {
 public:
  /// Of these kinds alone; one that is named twice is met twice as often.
  explicit RandomObjects(Random random, std::vector<const api::KindInfo*> kinds = {kinds::watched().begin(),
                                                                                   kinds::watched().end()});

  /// Makes, edits or removes one; in words, which.
  std::string change();
  /// It has not been looked at for faults.
  ObjectSnapshotPtr snapshot() const;

  // What controllers write. What is not there (any more) is left out, as is what is there already.
  void create(api::Object object);
  void update(api::Object object);
  void update_status(const api::Object& object);
  void remove(const api::Key& key) { objects_.erase(key); }

 private:
  bool one_in(std::uint64_t count) { return random_.below(count) == 0; }
  std::string any(std::initializer_list<const char*> words);
  api::Json some(std::initializer_list<const char*> words);
  std::string any_host();
  api::Json labels();
  api::Json metadata(const api::KindInfo* kind);
  api::Json body(const api::KindInfo* kind);
  void service(api::Json& body);
  void pod(api::Json& body);
  void slice(api::Json& body);
  void workload(api::Json& body);
  void ingress(api::Json& body);
  void gateway(api::Json& body);
  void virtual_service(api::Json& body);
  api::Json policy();
  void destination_rule(api::Json& body);
  void api_gateway(api::Json& body);
  void route(api::Json& body);
  void grant(api::Json& body);
  void put(api::Object object);

  Random random_;
  std::vector<const api::KindInfo*> kinds_;
  std::map<api::Key, api::ObjectPtr> objects_;
  std::uint64_t count_ = 0;
};

}  // namespace weft::control::testing
