#include "proxy/filters/grpc_web/text_decoder.h"

#include <array>

namespace weft::proxy {
namespace {

constexpr std::int8_t kNone = -1;
constexpr std::uint8_t kDigitsInGroup = 4, kMinDigits = 2;

constexpr std::array<std::int8_t, 256> kValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(kNone);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::int8_t value = 0;
  for (const char digit : kAlphabet) values[static_cast<unsigned char>(digit)] = value++;
  return values;
}();

}  // namespace

bool TextDecoder::decode(std::string_view piece, std::string& into) {
  for (const char digit : piece) {
    const std::int8_t value = kValues[static_cast<unsigned char>(digit)];
    const bool pads = digit == '=' && digits_ >= kMinDigits;
    if (!pads && (value == kNone || padding_ > 0)) return false;
    if (pads) ++padding_;
    bits_ = bits_ << 6 | static_cast<std::uint32_t>(pads ? 0 : value);
    if (++digits_ < kDigitsInGroup) continue;
    into += static_cast<char>(bits_ >> 16);
    if (padding_ < 2) into += static_cast<char>(bits_ >> 8);
    if (padding_ < 1) into += static_cast<char>(bits_);
    bits_ = digits_ = padding_ = 0;
  }
  return true;
}

}  // namespace weft::proxy
