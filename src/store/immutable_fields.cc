#include "store/immutable_fields.h"

#include <optional>
#include <string>

#include "api/admit.h"
#include "api/json_text.h"

namespace weft::store {
namespace {

/// The first place where two values differ, below `at`: "spec.containers[0].image".
std::string first_difference(const api::Json& wanted, const api::Json& stored, std::string at) {
  if (wanted.is_object() && stored.is_object()) {
    for (const api::Json* side : {&wanted, &stored})
      for (const auto& [name, value] : side->items()) {
        const api::Json &left = api::json_member(wanted, name), &right = api::json_member(stored, name);
        if (left != right) return first_difference(left, right, at + "." + name);
      }
  } else if (wanted.is_array() && stored.is_array() && wanted.size() == stored.size()) {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i] != stored[i])
        return first_difference(wanted[i], stored[i], at + "[" + std::to_string(i) + "]");
  }
  return at;
}

/// One that an older version stored lacks the defaults of today.
api::Json spec_with_defaults(const api::Object& stored) {
  const auto admitted = api::admit(stored.body);
  return admitted ? admitted->spec() : stored.spec();
}

Error rejected(const std::string& field, std::string_view why) {
  return Error::config(Code::kInvalid, field + ": " + std::string(why));
}

Result<void> check_pod(const api::Object& wanted, const api::Object& stored) {
  if (wanted.spec() == stored.spec()) return {};
  const api::Json before = spec_with_defaults(stored);
  if (wanted.spec() == before) return {};
  return fail(
      rejected(first_difference(wanted.spec(), before, "spec"),
               "pod updates may not change the spec: its processes run as they were started, and a new "
               "image is not started in their place either; delete the pod and create it again, or let "
               "a Deployment replace its pods"));
}

Result<void> check_selector(const api::Object& wanted, const api::Object& stored) {
  const api::Json &next = api::json_member(wanted.spec(), "selector"),
                  &before = api::json_member(stored.spec(), "selector");
  if (next == before) return {};
  return fail(rejected(first_difference(next, before, "spec.selector"),
                       "field is immutable: the pods that it matches now would have no owner; delete the " +
                           std::string(stored.kind->singular) + " and create it again"));
}

/// A ConfigMap or Secret that says `immutable: true`: so it says until it is deleted, and so is what it
/// holds.
Result<void> check_marked(const api::Object& wanted, const api::Object& stored) {
  if (api::json_member(stored.body, "immutable") != true) return {};
  for (const char* field : {"immutable", "data", "binaryData"}) {
    const api::Json &next = api::json_member(wanted.body, field),
                    &before = api::json_member(stored.body, field);
    if (next == before) continue;
    return fail(rejected(first_difference(next, before, field),
                         "the " + std::string(stored.kind->singular) +
                             " is immutable, as it says itself; delete it and create it again"));
  }
  return {};
}

}  // namespace

Result<void> check_immutable_fields(const api::Object& wanted, const api::Object& stored) {
  const std::string_view group = stored.kind->group, kind = stored.kind->kind;
  if (group.empty() && kind == "Pod") return check_pod(wanted, stored);
  if (group == "apps" && (kind == "Deployment" || kind == "ReplicaSet"))
    return check_selector(wanted, stored);
  if (group.empty() && (kind == "ConfigMap" || kind == "Secret")) return check_marked(wanted, stored);
  return {};
}

}  // namespace weft::store
