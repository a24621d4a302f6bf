#include "cli/console.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace weft::cli {
namespace {

constexpr std::size_t kMaxInput = 16u << 20;
constexpr std::size_t kLongestLine = 4096;

bool set_in_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads any more: there is nobody to tell either
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

class ProcessConsole final : public Console {
 public:
  ProcessConsole() {
    const char* terminal = std::getenv("TERM");
    const bool capable = terminal != nullptr && std::string_view(terminal) != "dumb";
    interactive_ = isatty(STDOUT_FILENO) != 0 && capable;
    progress_interactive_ = isatty(STDERR_FILENO) != 0 && capable;
    colour_ = interactive_ && !set_in_environment("NO_COLOR");
  }
  void out(std::string_view text) override { write_all(STDOUT_FILENO, text); }
  void err(std::string_view text) override { write_all(STDERR_FILENO, text); }
  bool interactive() const override { return interactive_; }
  bool colour() const override { return colour_; }
  bool progress_interactive() const override { return progress_interactive_; }

  Result<std::string> read_input() override {
    std::string text;
    char buffer[16384];
    for (;;) {
      const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Error::config(Code::kInvalid, "standard input: " + errno_text(errno)));
      if (got == 0) return text;
      text.append(buffer, static_cast<std::size_t>(got));
      if (text.size() > kMaxInput)
        return fail(Error::config(Code::kTooLarge, "standard input is larger than 16 MiB"));
    }
  }
  bool input_interactive() const override { return isatty(STDIN_FILENO) != 0; }

  Result<std::string> read_line() override {
    std::string text;
    // One byte at a time: what comes after the line is not ours to take.
    for (char byte = 0;;) {
      const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Error::config(Code::kInvalid, "standard input: " + errno_text(errno)));
      if (got == 0 || byte == '\n' || text.size() > kLongestLine) return text;
      text += byte;
    }
  }
  std::chrono::sys_seconds now() const override {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }

 private:
  bool interactive_ = false;
  bool progress_interactive_ = false;
  bool colour_ = false;
};

}  // namespace

std::unique_ptr<Console> make_process_console() { return std::make_unique<ProcessConsole>(); }

std::string paint(const Console& console, Colour colour, std::string_view text) {
  if (!console.colour()) return std::string(text);
  std::string_view code = "2";
  if (colour == Colour::kGreen) code = "32";
  if (colour == Colour::kYellow) code = "33";
  if (colour == Colour::kRed) code = "31";
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace weft::cli
