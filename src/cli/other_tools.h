#pragma once

#include <string_view>

namespace weft::cli {

/// What weft has in the place of a command of kubectl, istioctl or linkerd that it does not have: the rest of
/// a line that begins with the command's name. Empty for a name that is not such a command.
std::string_view instead_of_command(std::string_view command);

/// The same for a type of resource that kubectl knows on a cluster.
std::string_view instead_of_type(std::string_view type);

/// The same for what istioctl's proxy-config can show besides.
std::string_view instead_of_config(std::string_view what);

}  // namespace weft::cli
