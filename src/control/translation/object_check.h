#pragma once

#include <vector>

#include "api/object_check.h"

namespace weft::control {

/// What a proxy would reject of what `object` becomes for it: the object is translated by itself, with what
/// it refers to made up, and the proxy's own conversion is run on the result. Each finding names the field as
/// closely as the conversion allows. Kinds that no proxy hears of are never wrong. A pure function; any
/// thread.
///
/// Run wherever an object enters (files of `weft apply`, the API of one machine, a cluster's webhook), it
/// makes what is stored what every proxy accepts; Proof keeps back what was stored without it.
std::vector<api::Finding> check_object(const api::Object& object);

}  // namespace weft::control
