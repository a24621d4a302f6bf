#include <cstdint>
#include <string_view>

#include "tls/certificate.h"

/// Any bytes as a certificate and as a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(weft::tls::read_certificate(text));
  static_cast<void>(weft::tls::PrivateKey::read(text));
  return 0;
}
