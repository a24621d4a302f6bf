#pragma once

#include "base/error.h"

namespace weft::cli {

/// Whether everything that the process's console was given for standard output has been written. Error: the
/// first reason why not, a full disk for instance: what a command was asked for is then not there, and
/// a command that follows something can stop. A reader that has closed the pipe (EPIPE) is not an error: it
/// has what it wanted. Thread: the console's.
Result<void> standard_output_written();

/// The same after closing it, which is when some file systems tell. The last use of standard output.
Result<void> close_standard_output();

}  // namespace weft::cli
