#pragma once

#include <functional>
#include <string>

#include "cli/console.h"

namespace weft::cli::testing {

/// A console that keeps what is said, for tests; the time stands still at `now_is`.
class FakeConsole final : public Console {
 public:
  bool interactive() const override { return false; }
  bool colour() const override { return coloured; }
  bool progress_interactive() const override { return watched; }
  Result<std::string> read_input() override { return input; }
  bool input_interactive() const override { return input_terminal; }
  Result<std::string> read_line() override { return input; }
  std::chrono::sys_seconds now() const override { return now_is; }

  void write_out(std::string_view text) override {
    output += text;
    if (on_output) on_output(text);
  }
  void write_err(std::string_view text) override { errors += text; }
  bool on_terminal() const override { return terminal; }

  bool terminal = false;
  std::string output, errors, input;
  std::function<void(std::string_view)> on_output;  ///< called with each piece, after it was added
  bool coloured = false;
  bool watched = false;
  bool input_terminal = false;  ///< whether a person is there; says `input`
  std::chrono::sys_seconds now_is =
      std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + std::chrono::hours{12};
};

}  // namespace weft::cli::testing
