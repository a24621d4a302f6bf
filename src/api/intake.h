#pragma once

#include <optional>

#include "api/object.h"
#include "api/object_check.h"
#include "api/report.h"
#include "api/schema/check.h"

namespace weft::api {

/// One object on its way in: the same steps for files and for the API.
struct Intake {
  Object object;  ///< in the stored version, defaulted
  Json written;   ///< in the stored version, before defaults
};

/// What comes of it: nothing is taken when something is wrong, and `report` has it then.
struct Admission {
  std::optional<Intake> taken;
  bool unknown_kind = false;  ///< it names a kind, and that is none of ours
};
/// Finds the kind of `body`, checks its schema, converts it, checks the rules between fields, defaults it,
/// and asks the further check.
Admission take_in(Json body, Source source, std::string_view default_namespace, const Path& at,
                  Report& report, const ObjectCheck& check = {});

}  // namespace weft::api
