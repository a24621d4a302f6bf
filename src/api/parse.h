#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "api/object_check.h"
#include "api/origin.h"

namespace weft::api {

/// One thing that is wrong in a file, said so that a person can put it right.
struct Problem {
  std::string file;
  int line = 0;            ///< from 1; 0 when no line is known
  std::string field;       ///< "spec.ports[0].prot"; empty when the whole document is meant
  std::string text;        ///< the bad value and what would be right; one line without a final dot
  bool no_effect = false;  ///< the rest of the object does what it says

  /// "bad.yaml:12: spec.ports[0].prot: unknown field; did you mean \"port\"?"
  std::string to_string() const;
};

/// What a file holds. Use the objects only when there are no problems: the good half of a bad file is not
/// applied.
struct Parsed {
  std::vector<Object>
      objects;                ///< in the order of the file, Lists expanded, in the stored version, defaulted
  std::vector<Json> written;  ///< the same, without the defaults: what apply remembers and merges
  std::vector<Origin> origins;    ///< of the same
  std::vector<Problem> problems;  ///< in the order of the file; at most some hundreds
  std::vector<std::string>
      notes;  ///< what was read other than written, e.g. a path pattern of an old Ingress
};

/// Reads a stream of YAML documents (JSON is a subset of it): each object is checked against its kind's
/// schema, converted to the stored version, checked for sense, and defaulted. Empty documents are skipped.
///
/// Limits: 10 MB, 100 levels of nesting, 10,000 keys in a map, 1 MB in one line or text, 64 MB of values. Any
/// thread. Errors: none; whatever is wrong is a Problem, several at once where the rest can still be read.
/// `file_name` appears in problems and notes as it is; objects that name no namespace are put into
/// `default_namespace`.
/// `check` is asked last, of each object with which nothing else is wrong.
Parsed parse_objects(std::string_view text, std::string_view file_name,
                     std::string_view default_namespace = "default", const ObjectCheck& check = {});

}  // namespace weft::api
