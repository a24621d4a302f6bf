#pragma once

#include <string>
#include <vector>

#include "api/object.h"
#include "base/error.h"
#include "cli/context.h"

namespace weft::cli {

/// What a person named: a type, and perhaps one object of it.
struct ResourceName {
  const api::KindInfo* kind = nullptr;
  std::string name;  ///< empty: all of the type
};

/// "pods", "pods,svc", "all", "pod NAME NAME", "pod/NAME svc/NAME". Errors: kInvalid (wrong usage): an
/// unknown type, with the one that was probably meant, or a mixture of the forms.
Result<std::vector<ResourceName>> parse_resources(const std::vector<std::string>& arguments);

/// One type's objects, in the order they are printed.
struct Group {
  const api::KindInfo* kind = nullptr;
  bool named = false;  ///< they were asked for by name
  std::vector<api::ObjectPtr> objects;
  std::uint64_t resource_version = 0;  ///< of the list; 0 when they were named
};

struct Lookup {
  std::string selector;
  bool all_namespaces = false;
  bool ignore_not_found = false;
};
struct Found {
  std::vector<Group> groups;   ///< one per type, named objects of one type in a row together
  std::vector<Error> missing;  ///< what was named and is not there
};
/// Reads them from the store. Errors: the store's, and kInvalid for a selector that does not parse.
net::Task<Result<Found>> find_resources(const Context& context, std::vector<ResourceName> names,
                                        Lookup lookup);

}  // namespace weft::cli
