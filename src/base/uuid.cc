#include "base/uuid.h"

namespace weft {
namespace {

void write_hex(char* to, std::uint64_t value) {
  for (int i = 15; i >= 0; --i, value >>= 4) to[i] = "0123456789abcdef"[value & 0xf];
}

}  // namespace

void append_hex(std::string& out, std::uint64_t value) {
  char digits[16];
  write_hex(digits, value);
  out.append(digits, sizeof digits);
}

void append_uuid(std::string& out, Random& random) {
  char hex[32];
  write_hex(hex, (random.next() & ~std::uint64_t{0xf000}) | 0x4000);
  write_hex(hex + 16, (random.next() & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62));
  char text[36];
  char* to = text;
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *to++ = '-';
    *to++ = hex[i];
  }
  out.append(text, sizeof text);
}

}  // namespace weft
