#pragma once

#include "api/json.h"

namespace weft::control {

/// `present` with what `wanted` says in it: maps member by member, lists of things with a name item by item,
/// in the order of `wanted` and without what is not in it. What `wanted` does not speak of stays, so an
/// object that an API server has filled in with defaults is equal to its overlay, and nothing is written. A
/// member that says nothing ("", {}, []) and quantities that are written otherwise ("2000m" and "2") are no
/// difference.
api::Json overlay(const api::Json& present, const api::Json& wanted);

}  // namespace weft::control
