#include "xds/wire.h"

namespace weft::xds {
namespace {

constexpr unsigned kVarint = 0, kFixed64 = 1, kLengthDelimited = 2, kFixed32 = 5;
constexpr unsigned kTypeBits = 3;

}  // namespace

void append_varint(std::string& to, std::uint64_t value) {
  constexpr unsigned kBits = 7;
  for (; value >> kBits != 0; value >>= kBits) to += static_cast<char>(value | 0x80);
  to += static_cast<char>(value);
}

std::optional<std::uint64_t> WireReader::varint(std::size_t& at) const {
  constexpr unsigned kBits = 7, kMaxShift = 63;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift <= kMaxShift && at < rest_.size(); shift += kBits) {
    const auto byte = static_cast<unsigned char>(rest_[at++]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// `at` is moved to where the value begins. Groups are not read: proto3 has none.
std::optional<std::size_t> WireReader::length_of_value(std::uint32_t wire_type, std::size_t& at) const {
  std::size_t end = at;
  switch (wire_type) {
    case kVarint: return varint(end) ? std::optional(end - at) : std::nullopt;
    case kFixed64: return 8;
    case kFixed32: return 4;
    case kLengthDelimited: return varint(at);
    default: return std::nullopt;
  }
}

bool WireReader::next(WireField& field) {
  std::size_t at = 0;
  const auto tag = varint(at);
  if (!tag || *tag > UINT32_MAX || *tag >> kTypeBits == 0) return false;
  const auto wire_type = static_cast<std::uint32_t>(*tag & ((1u << kTypeBits) - 1));
  const auto length = length_of_value(wire_type, at);
  if (!length || *length > rest_.size() - at) return false;
  field.number = static_cast<std::uint32_t>(*tag >> kTypeBits);
  field.length_delimited = wire_type == kLengthDelimited;
  field.value = rest_.substr(at, *length);
  field.whole = rest_.substr(0, at + *length);
  rest_.remove_prefix(at + *length);
  return true;
}

std::optional<WireSplit> split_repeated(std::string_view bytes, std::uint32_t number) {
  WireSplit split;
  WireReader reader(bytes);
  for (WireField field; reader.next(field);) {
    if (field.number != number || !field.length_delimited) {
      split.rest += field.whole;
      continue;
    }
    if (split.items.empty()) split.before = split.rest.size();
    split.items.push_back(field.value);
  }
  if (!reader.at_end()) return std::nullopt;
  return split;
}

std::string_view value_of_field(std::string_view bytes, std::uint32_t number) {
  std::string_view value;
  WireReader reader(bytes);
  for (WireField field; reader.next(field);)
    if (field.number == number && field.length_delimited) value = field.value;
  return value;
}

void append_field(std::string& to, std::uint32_t number, std::string_view value) {
  append_varint(to, number << kTypeBits | kLengthDelimited);
  append_varint(to, value.size());
  to += value;
}

}  // namespace weft::xds
