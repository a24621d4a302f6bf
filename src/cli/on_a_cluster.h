#pragma once

#include <string>

#include "cli/options.h"

namespace weft::cli {

/// How a user whose mesh is on a cluster gets what a command of one machine's mesh tells: added to the
/// error that no such mesh is running.
std::string on_a_cluster(const Command& command);

}  // namespace weft::cli
