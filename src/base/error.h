#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// What went wrong, in the terms the code that decides needs. The text is for people; the code is for
/// branches.
enum class Code : std::uint8_t {
  kInvalid,      ///< bytes, a file or a flag that break a rule; sending the same again will not help
  kNotFound,     ///< the thing named is not there
  kConflict,     ///< a version or a name is taken already
  kUnsupported,  ///< understood, and not done by this program
  kTooLarge,     ///< a limit was reached
  kTimeout,      ///< a deadline passed
  kRefused,      ///< nothing listens there, or a connection could not be made
  kReset,        ///< the peer ended the connection before it was done
  kClosed,       ///< ended in order; nothing more will come
  kCancelled,    ///< we were asked to stop
  kDenied,       ///< not allowed
  kExhausted,    ///< no descriptors, memory, ports or permits left; may work later
  kUnavailable,  ///< the other side is there and cannot serve now
  kInternal,     ///< our own fault, or the system's
};

/// Whose fault it is: what a log line or a status code is made from.
enum class Blame : std::uint8_t { kDownstream, kUpstream, kConfig, kInternal };

/// Whether and how another try may help.
enum class Retry : std::uint8_t { kNever, kFreshConnection, kElsewhere };

/// An error as a value. Functions that can fail return Result<T>; nothing of ours throws.
/// `text` is one line without a final dot; each room adds its context once, in front, with `with_context`.
struct Error {
  Code code = Code::kInternal;
  Blame blame = Blame::kInternal;
  Retry retry = Retry::kNever;
  std::string text;

  static Error config(Code code, std::string text) {
    return {code, Blame::kConfig, Retry::kNever, std::move(text)};
  }
  static Error downstream(Code code, std::string text) {
    return {code, Blame::kDownstream, Retry::kNever, std::move(text)};
  }
  static Error upstream(Code code, Retry retry, std::string text) {
    return {code, Blame::kUpstream, retry, std::move(text)};
  }
  static Error internal(Code code, std::string text) {
    return {code, Blame::kInternal, Retry::kNever, std::move(text)};
  }

  /// The same error, its text preceded by "context: ".
  [[nodiscard]] Error with_context(std::string_view context) && {
    text.insert(0, std::string(context) + ": ");
    return std::move(*this);
  }
};

std::string_view to_string(Code code);

template <class T = void>
using Result = std::expected<T, Error>;

/// Lets `return fail(Error::config(...))` build any Result<T>.
inline std::unexpected<Error> fail(Error error) { return std::unexpected<Error>(std::move(error)); }

/// The text of errno value `number`, as strerror gives it, safe on any thread.
std::string errno_text(int number);

}  // namespace weft

#define WEFT_CONCAT_INNER(a, b) a##b
#define WEFT_CONCAT(a, b) WEFT_CONCAT_INNER(a, b)

/// WEFT_TRY(auto x, expression): takes the value of a Result, or returns its error from the enclosing
/// function.
#define WEFT_TRY_IMPL(temporary, declaration, ...)                      \
  auto temporary = (__VA_ARGS__);                                       \
  if (!temporary) return std::unexpected(std::move(temporary).error()); \
  declaration = std::move(*temporary)
#define WEFT_TRY(declaration, ...) \
  WEFT_TRY_IMPL(WEFT_CONCAT(weft_try_, __COUNTER__), declaration, __VA_ARGS__)

/// WEFT_CHECK(expression): for Result<void>; returns its error from the enclosing function.
#define WEFT_CHECK(...)                                       \
  do {                                                        \
    if (auto weft_check_ = (__VA_ARGS__); !weft_check_)       \
      return std::unexpected(std::move(weft_check_).error()); \
  } while (false)

/// The same two inside a coroutine that returns Task<Result<T>>.
#define WEFT_CO_TRY_IMPL(temporary, declaration, ...)                      \
  auto temporary = (__VA_ARGS__);                                          \
  if (!temporary) co_return std::unexpected(std::move(temporary).error()); \
  declaration = std::move(*temporary)
#define WEFT_CO_TRY(declaration, ...) \
  WEFT_CO_TRY_IMPL(WEFT_CONCAT(weft_try_, __COUNTER__), declaration, __VA_ARGS__)
#define WEFT_CO_CHECK(...)                                       \
  do {                                                           \
    if (auto weft_check_ = (__VA_ARGS__); !weft_check_)          \
      co_return std::unexpected(std::move(weft_check_).error()); \
  } while (false)

/// Always on; for our own bugs, never for bytes from a peer, a file or a flag.
#define WEFT_ASSERT(condition)                                       \
  do {                                                               \
    if (!(condition)) [[unlikely]]                                   \
      ::weft::assertion_failed(#condition, __FILE_NAME__, __LINE__); \
  } while (false)

namespace weft {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}
