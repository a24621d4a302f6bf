#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"

namespace weft::control::testing {

/// The objects of a YAML text. Ends the program when it is not right: the test itself is wrong then.
std::vector<api::ObjectPtr> objects(std::string_view yaml);
/// The same from src/control/testdata/<name>.
std::vector<api::ObjectPtr> objects_of_file(const std::string& name);
std::string testdata_path(const std::string& name);
std::string read_file(const std::string& path);

}  // namespace weft::control::testing
