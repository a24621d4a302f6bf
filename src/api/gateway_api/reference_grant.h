#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/fields.h"

namespace weft::api::gateway_api {

/// Whose references a grant lets in.
struct GrantFrom {
  std::string group, kind, ns;
};
/// What they may name; an empty name is all of that kind.
struct GrantTo {
  std::string group, kind, name;
};

/// The Gateway API's ReferenceGrant, as its spec says it. Entries that are not wholly understood are not in
/// it: they would let in more than they are written to. Immutable once it is shared; any thread.
struct ReferenceGrant {
  std::vector<GrantFrom> from;
  std::vector<GrantTo> to;
  bool lets(const GrantFrom& whose, const GrantTo& what) const;
};

/// Of any spec, checked or not. A pure function; any thread.
ReferenceGrant read_reference_grant(const Json& spec);

}  // namespace weft::api::gateway_api
