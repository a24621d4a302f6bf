#pragma once

#include "http/message.h"

namespace weft::http {

/// Whether the field is between the two ends of one connection (RFC 9110 §7.6.1): a proxy takes it out of
/// each message and writes its own. Any thread.
constexpr bool is_of_the_connection(Known field) {
  switch (field) {
    case Known::kConnection:
    case Known::kKeepAlive:
    case Known::kProxyConnection:
    case Known::kTe:
    case Known::kTrailer:
    case Known::kTransferEncoding:
    case Known::kUpgrade: return true;
    default: return false;
  }
}

}  // namespace weft::http
