#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::cli {

/// Where a command speaks, what it is fed, and the wall clock that ages are counted by.
///
/// What commands say holds text of objects, of proxies and of applications, which is untrusted.
/// This is the one place that keeps such text from giving orders to a terminal: control characters other than
/// line ends and tabs come out as they are named (^[ for escape), and only paint() and redraw() may colour
/// and move. Owner: main, or a test. Thread: one.
class Console {
 public:
  virtual ~Console() = default;
  void out(std::string_view text) { write_out(printable(text)); }
  void err(std::string_view text) { write_err(printable(text)); }
  /// A value that a program may read (-o yaml, json, jsonpath): its bytes as they are, except on a terminal.
  void out_value(std::string_view text) { write_out(on_terminal() ? printable(text) : std::string(text)); }
  /// What an application printed: its bytes as they are; on a terminal its colours and nothing else that
  /// moves.
  void out_log(std::string_view text) { write_out(on_terminal() ? coloured_only(text) : std::string(text)); }
  /// The progress line of standard error, drawn again; empty: removed. Only where progress_interactive().
  void redraw(std::string_view text) { write_err("\r\x1b[K" + printable(text)); }
  /// Whether a person watches standard output (for lines that are drawn again) and may be shown colours.
  virtual bool interactive() const = 0;
  virtual bool colour() const = 0;
  /// Whether a person watches standard error: where the progress of a wait is shown.
  virtual bool progress_interactive() const = 0;
  /// Standard input to its end; at most 16 MiB.
  virtual Result<std::string> read_input() = 0;
  /// Whether a person can reply on standard input.
  virtual bool input_interactive() const = 0;
  /// The next line of standard input, without its end; empty at the end of input. Blocks.
  virtual Result<std::string> read_line() = 0;
  virtual std::chrono::sys_seconds now() const = 0;

 protected:
  virtual void write_out(std::string_view text) = 0;
  virtual void write_err(std::string_view text) = 0;
  /// Whether standard output is a terminal of any kind.
  virtual bool on_terminal() const = 0;

 private:
  static std::string printable(std::string_view text);
  static std::string coloured_only(std::string_view text);
};

/// The process's own streams. Colours only on a terminal, and not when NO_COLOR is set or TERM is dumb.
std::unique_ptr<Console> make_process_console();

enum class Colour { kGreen, kYellow, kRed, kDim };
/// `text` in that colour where the console shows colours, else as it is; for out() and err().
std::string paint(const Console& console, Colour colour, std::string_view text);

}  // namespace weft::cli
