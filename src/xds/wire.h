#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Serialized messages, looked at field by field without being parsed: what has not changed since the last
/// version need not be. (Protocol Buffers, "Encoding".) Everything refers to the bytes. Any thread.
namespace weft::xds {

/// One field of a message.
struct WireField {
  std::uint32_t number = 0;
  bool length_delimited = false;  ///< text, bytes, a message
  std::string_view whole;         ///< with its tag
  std::string_view value;         ///< of a length-delimited one
};

/// Reads a message's fields in their order. What is left out when `bytes` are no message is the parser's to
/// judge.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  /// False: at the end, or at something that is no field.
  bool next(WireField& field);
  bool at_end() const { return rest_.empty(); }

 private:
  std::optional<std::uint64_t> varint(std::size_t& at) const;
  std::optional<std::size_t> length_of_value(std::uint32_t wire_type, std::size_t& at) const;

  std::string_view rest_;
};

/// The values of one repeated field, and the message that is left without them.
struct WireSplit {
  std::vector<std::string_view> items;
  std::string rest;
  std::size_t before = 0;  ///< bytes of `rest` that stand before the first item
};
/// Nullopt: the bytes are no message.
std::optional<WireSplit> split_repeated(std::string_view bytes, std::uint32_t number);

/// A field of text or bytes, as far as it can be read: its last value; empty when it is not there.
std::string_view value_of_field(std::string_view bytes, std::uint32_t number);

void append_varint(std::string& to, std::uint64_t value);
/// Appends a field of text, bytes or a message.
void append_field(std::string& to, std::uint32_t number, std::string_view value);

}  // namespace weft::xds
