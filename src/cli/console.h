#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::cli {

/// Where a command speaks, what it is fed, and the wall clock that ages are counted by.
/// Owner: main, or a test. Thread: one.
class Console {
 public:
  virtual ~Console() = default;
  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  /// Whether a person watches standard output (for lines that are drawn again) and may be shown colours.
  virtual bool interactive() const = 0;
  virtual bool colour() const = 0;
  /// Whether a person watches standard error: where the progress of a wait is shown.
  virtual bool progress_interactive() const = 0;
  /// Standard input to its end; at most 16 MiB.
  virtual Result<std::string> read_input() = 0;
  /// Whether a person can answer on standard input.
  virtual bool input_interactive() const = 0;
  /// The next line of standard input, without its end; empty at the end of input. Blocks.
  virtual Result<std::string> read_line() = 0;
  virtual std::chrono::sys_seconds now() const = 0;
};

/// The process's own streams. Colours only on a terminal, and not when NO_COLOR is set or TERM is dumb.
std::unique_ptr<Console> make_process_console();

enum class Colour { kGreen, kYellow, kRed, kDim };
/// `text` in that colour where the console shows colours, else as it is.
std::string paint(const Console& console, Colour colour, std::string_view text);

}  // namespace weft::cli
