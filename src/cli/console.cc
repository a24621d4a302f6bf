#include "cli/console.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "cli/standard_output.h"

namespace weft::cli {
namespace {

constexpr std::size_t kMaxInput = 16u << 20;
constexpr std::size_t kMaxLine = 4096;

bool set_in_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

/// 0, or the errno of what was not written.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      // The process that gave us the descriptor, or shares it, has made it non-blocking.
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (written == 0 || errno != EINTR) {
      return written == 0 ? EIO : errno;
    }
  }
  return 0;
}

/// The first errno of standard output other than EPIPE. A process has one standard output, and one console.
int lost_output = 0;

void note_loss(int error) {
  if (lost_output == 0 && error != EPIPE) lost_output = error;
}

class ProcessConsole final : public Console {
 public:
  ProcessConsole() {
    const char* terminal = std::getenv("TERM");
    const bool capable = terminal != nullptr && std::string_view(terminal) != "dumb";
    on_terminal_ = isatty(STDOUT_FILENO) != 0;
    interactive_ = on_terminal_ && capable;
    progress_interactive_ = isatty(STDERR_FILENO) != 0 && capable;
    colour_ = interactive_ && !set_in_environment("NO_COLOR");
  }
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
      if (got == 0 || byte == '\n' || text.size() > kMaxLine) return text;
      text += byte;
    }
  }
  std::chrono::sys_seconds now() const override {
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  }

 protected:
  void write_out(std::string_view text) override { note_loss(write_all(STDOUT_FILENO, text)); }
  void write_err(std::string_view text) override { static_cast<void>(write_all(STDERR_FILENO, text)); }
  bool on_terminal() const override { return on_terminal_; }

 private:
  bool on_terminal_ = false;
  bool interactive_ = false;
  bool progress_interactive_ = false;
  bool colour_ = false;
};

}  // namespace

std::unique_ptr<Console> make_process_console() { return std::make_unique<ProcessConsole>(); }

Result<void> standard_output_written() {
  if (lost_output == 0) return {};
  return fail(Error::config(Code::kDenied, "standard output cannot be written: " + errno_text(lost_output)));
}

Result<void> close_standard_output() {
  // Linux has closed it when close(2) says EINTR, and who has no standard output has missed nothing.
  if (::close(STDOUT_FILENO) != 0 && errno != EINTR && errno != EBADF) note_loss(errno);
  return standard_output_written();
}

namespace {

/// Before a colour's letter and, alone, before what ends it: a byte that no UTF-8 text has, so that text of
/// others cannot hold it.
constexpr char kMark = '\xff';
constexpr std::pair<char, std::string_view> kSequences[] = {
    {'g', "\x1b[32m"}, {'y', "\x1b[33m"}, {'r', "\x1b[31m"}, {'d', "\x1b[2m"}, {'0', "\x1b[0m"}};

std::string_view sequence_of(char letter) {
  for (const auto& [known, sequence] : kSequences)
    if (known == letter) return sequence;
  return {};
}

/// Appends one character's name when it is a control character; how many bytes it had, 0 for any other.
std::size_t name_control(std::string_view text, std::string& into) {
  const auto c = static_cast<unsigned char>(text[0]);
  if (c == '\n' || c == '\t') return 0;
  if (c < 0x20 || c == 0x7f) {
    into += '^';
    into += static_cast<char>(c ^ 0x40);
    return 1;
  }
  // U+0080 to U+009F, which some terminals obey.
  if (c != 0xc2 || text.size() < 2 || static_cast<unsigned char>(text[1]) > 0x9f) return 0;
  into += "^[";
  into += static_cast<char>(static_cast<unsigned char>(text[1]) - 0x40);
  return 2;
}

/// The length of a sequence that chooses colours at the head of the text: ESC [ digits and semicolons m.
std::size_t colour_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != text.npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

std::string Console::printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == kMark) {
      if (at + 1 < text.size()) shown += sequence_of(text[at + 1]);
      at += 2;
    } else if (const std::size_t named = name_control(text.substr(at), shown); named > 0) {
      at += named;
    } else {
      shown += text[at++];
    }
  }
  return shown;
}

std::string Console::coloured_only(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t colour = colour_length(text.substr(at)); colour > 0) {
      shown += text.substr(at, colour);
      at += colour;
    } else if (const std::size_t named = name_control(text.substr(at), shown); named > 0) {
      at += named;
    } else {
      shown += text[at++];
    }
  }
  return shown;
}

std::string paint(const Console& console, Colour colour, std::string_view text) {
  if (!console.colour()) return std::string(text);
  constexpr std::string_view kLetters = "gyrd";
  return std::string{kMark, kLetters[static_cast<std::size_t>(colour)]} + std::string(text) +
         std::string{kMark, '0'};
}

}  // namespace weft::cli
