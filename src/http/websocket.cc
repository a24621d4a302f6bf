#include "http/websocket.h"

#include <array>
#include <cstdint>
#include <cstring>

#include "base/base64.h"
#include "base/random.h"
#include "http/message.h"
#include "tls/digest.h"

namespace weft::http::websocket {

bool is_token_of(std::string_view upgrade) { return equal_ignoring_case(upgrade, "websocket"); }

std::string new_key() {
  static thread_local Random random;
  const std::array words = {random.next(), random.next()};
  std::string bytes(sizeof words, '\0');
  std::memcpy(bytes.data(), words.data(), sizeof words);
  return encode_base64(bytes);
}

std::string accept_of(std::string_view key) {
  return encode_base64(tls::sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
}

}  // namespace weft::http::websocket
