#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weft::proxy {

/// Puts a line together from small pieces: they are gathered on the stack and appended to a string at once,
/// with no look at the string's capacity for each of them.
///
/// Owner: the function that writes the line. Thread: its own. How it ends: the destructor appends what is
/// left; until then the string is incomplete, and is left alone.
class LineWriter {
 public:
  explicit LineWriter(std::string& out) : out_(out) {}
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;
  ~LineWriter() { flush(); }

  void add(std::string_view piece) {
    if (piece.size() > bytes_.size() - used_) [[unlikely]]
      return add_large(piece);
    std::memcpy(bytes_.data() + used_, piece.data(), piece.size());
    used_ += piece.size();
  }
  void add(char byte) { add(std::string_view(&byte, 1)); }
  void add_number(std::uint64_t number);
  /// With control bytes, quotes, backslashes and bytes above 7e as \xNN.
  void add_escaped(std::string_view piece);
  /// With a space for each byte that the value of a field may not hold (RFC 9110 §5.5).
  void add_field_value(std::string_view piece);
  /// The string itself, with all that was added before, for what appends to strings.
  std::string& flushed() {
    flush();
    return out_;
  }

 private:
  void add_large(std::string_view piece);
  void flush() {
    out_.append(bytes_.data(), used_);
    used_ = 0;
  }

  std::string& out_;
  std::size_t used_ = 0;
  std::array<char, 1000> bytes_;
};

}  // namespace weft::proxy
