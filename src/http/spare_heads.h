#pragma once

#include <memory>
#include <string>

#include "http/message.h"

namespace weft::http {

/// The two heads of an exchange with the memory of earlier ones, borrowed from the thread for as long as
/// there is a request: an idle connection has none.
///
/// Owner: a connection or stream of a server, between borrow() and give_back(). Thread: one loop; what is
/// borrowed on a thread is given back there, or destroyed. How it ends: give_back(), or the destructor.
struct SpareHeads {
  RequestHead request;
  ResponseHead response;
  /// Memory for what a session keeps of a message, and nothing in it.
  std::string body, piece;

  static std::unique_ptr<SpareHeads> borrow();
  /// Kept for the next one when it is not large (8 KiB) and not many (64) are kept. Null: nothing happens.
  static void give_back(std::unique_ptr<SpareHeads> heads);
};

}  // namespace weft::http
