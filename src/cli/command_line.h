#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "cli/options.h"

namespace weft::cli {

/// What the arguments after "weft" ask for. Help that is asked for is a HelpOptions. `control`, `proxy` and
/// `supervise` are handed to their own programs before this (see main.cc) and only listed here.
///
/// `instance` is what --name is without being given. Any thread. Errors: kInvalid, wrong usage: the text says
/// what is wrong and which help to read; nothing was done.
Result<Invocation> parse_command_line(const std::vector<std::string>& arguments, std::string instance);

}  // namespace weft::cli
