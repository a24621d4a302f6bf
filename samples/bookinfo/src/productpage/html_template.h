#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace bookinfo::productpage {

/// Puts values in the place of `{{name}}` marks. Values go in as they are, so escape them first; marks inside
/// values are not looked at again. A mark without a value disappears.
std::string fill(std::string_view html,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> values);

}  // namespace bookinfo::productpage
