#pragma once

#include <vector>

#include "api/object.h"
#include "api/object_check.h"
#include "api/parse.h"
#include "api/place.h"
#include "base/error.h"

namespace weft::api {

/// The checks of parse_objects for one object that comes through the API as JSON: schema, conversion to the
/// stored version, sense, defaults. What a server sets (uid, resourceVersion, creationTimestamp, generation,
/// ownerReferences, status ...) is kept here, and the store decides about it.
///
/// Any thread. Errors: kInvalid with every problem found, each as "field: text", joined by "; "; kNotFound
/// when the kind is none of ours; kUnsupported when all problems are fields that we know and do not do.
/// `check` is asked last, of an object with which nothing else is wrong.
Result<Object> admit(Json body, const ObjectCheck& check = {});

/// The same checks of an object that is stored already, however it came in: what is wrong with its spec, each
/// with its field: all of it, for what has none is used. Of an object with a thousand or more, they and a
/// first one of the whole spec. What belongs to an API server (finalizers, generateName and the rest of
/// metadata) is not looked at. `check` is asked as in admit(). Any thread.
std::vector<Problem> problems_of(const Object& stored, const ObjectCheck& check = {});

/// Whether that is a problem of the part, or of the whole object. Any thread.
bool concerns(const Problem& problem, const Place& part);

}  // namespace weft::api
