#pragma once

#include <string>
#include <string_view>

#include "api/object.h"
#include "store/store.h"

namespace weft::store {

/// The text of a member; empty when there is none, or it is not a text. What a server sends may be anything.
std::string text_member(const api::Json& object, std::string_view name);

/// An object of `kind` that a server sent, taken as it is. Error: kInvalid: it is not an object, or has no
/// name or numeric resourceVersion.
Result<api::ObjectPtr> object_of_wire(api::Json body, const api::KindInfo& kind);

/// "labelSelector=…&fieldSelector=…", each ending in '&'; empty when the query selects everything.
std::string selectors_of(const Query& query);

/// A decimal resourceVersion. Error: kUnsupported: Kubernetes has promised decimal numbers since 1.35.
Result<std::uint64_t> version_of(std::string_view text);

}  // namespace weft::store
