#pragma once

#include "http/message.h"

namespace weft::http {

/// Whether the field is between the two ends of one connection (RFC 9110 §7.6.1): a proxy takes it out of
/// each message and writes its own. Any thread.
constexpr bool is_of_the_connection(HeaderId field) {
  switch (field) {
    case HeaderId::kConnection:
    case HeaderId::kKeepAlive:
    case HeaderId::kProxyConnection:
    case HeaderId::kTe:
    case HeaderId::kTrailer:
    case HeaderId::kTransferEncoding:
    case HeaderId::kUpgrade: return true;
    default: return false;
  }
}

}  // namespace weft::http
