#include "api/gateway_api/reference_grant.h"

#include <algorithm>

namespace weft::api::gateway_api {

bool ReferenceGrant::lets(const GrantFrom& whose, const GrantTo& what) const {
  return std::ranges::any_of(from,
                             [&](const GrantFrom& each) {
                               return each.group == whose.group && each.kind == whose.kind &&
                                      each.ns == whose.ns;
                             }) &&
         std::ranges::any_of(to, [&](const GrantTo& each) {
           return each.group == what.group && each.kind == what.kind &&
                  (each.name.empty() || each.name == what.name);
         });
}

ReferenceGrant read_reference_grant(const Json& spec) {
  Fields fields(spec);
  ReferenceGrant made;
  fields.list("from", [&](const Json& each, std::size_t) {
    Fields entry(each);
    GrantFrom read{.group = entry.text("group"), .kind = entry.text("kind"), .ns = entry.text("namespace")};
    if (entry.understood()) made.from.push_back(std::move(read));
    return 0;
  });
  fields.list("to", [&](const Json& each, std::size_t) {
    Fields entry(each);
    GrantTo read{.group = entry.text("group"), .kind = entry.text("kind"), .name = entry.text("name")};
    if (entry.understood()) made.to.push_back(std::move(read));
    return 0;
  });
  return made;
}

}  // namespace weft::api::gateway_api
