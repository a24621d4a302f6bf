#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft::capture {

/// Writes netlink messages and their attributes into one buffer (linux/netlink.h); lengths are filled in and
/// parts are padded to 4 bytes when they end.
///
/// Owner: the maker of a request. Not for more than one thread.
class NetlinkWriter {
 public:
  /// One message: its head, `body` (the family's own header), and what `attributes` writes. Messages are
  /// numbered from 1; NLM_F_REQUEST is added to `flags`.
  void message(std::uint16_t type, std::uint16_t flags, std::string_view body,
               const std::function<void()>& attributes = {});
  /// Asks for an acknowledgement of the last message: of several it comes when the kernel has taken them all.
  void acknowledge();

  void attribute(std::uint16_t type, std::string_view value);
  /// With the terminating zero that the kernel expects of names.
  void text(std::uint16_t type, std::string_view value);
  /// In the machine's byte order, as rtnetlink has it.
  void number(std::uint16_t type, std::uint32_t value);
  /// In network byte order, as netfilter has it.
  void number_be(std::uint16_t type, std::uint32_t value);
  void nested(std::uint16_t type, const std::function<void()>& inside);
  /// Bytes as they are: a header inside a nested message.
  void raw(std::string_view bytes);

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
  std::size_t last_ = 0;  ///< where the last message begins
  std::uint32_t sequence_ = 0;
};

/// A value's bytes, in the machine's order.
template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace weft::capture
