#include "store/dependents.h"

#include "api/json_text.h"

namespace weft::store {

std::vector<std::string_view> owners_of(const api::Object& object) {
  std::vector<std::string_view> uids;
  const api::Json& references =
      api::json_member(api::json_member(object.body, "metadata"), "ownerReferences");
  if (!references.is_array()) return uids;
  for (const api::Json& reference : references)
    if (const api::Json& uid = api::json_member(reference, "uid"); uid.is_string())
      uids.push_back(uid.get_ref<const std::string&>());
  return uids;
}

void Dependents::add(const api::Object& object) {
  for (const std::string_view owner : owners_of(object)) by_owner_[std::string(owner)].insert(object.key());
}

void Dependents::remove(const api::Object& object) {
  for (const std::string_view owner : owners_of(object)) {
    const auto found = by_owner_.find(owner);
    if (found == by_owner_.end()) continue;
    found->second.erase(object.key());
    if (found->second.empty()) by_owner_.erase(found);
  }
}

const std::set<api::Key>& Dependents::of(std::string_view uid) const {
  static const std::set<api::Key> kNone;
  const auto found = by_owner_.find(uid);
  return found == by_owner_.end() ? kNone : found->second;
}

}  // namespace weft::store
