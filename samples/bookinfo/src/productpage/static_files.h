#pragma once

#include <ctime>

#include "common/message.h"

namespace bookinfo::productpage {

/// Answers `/static/...` from the files inside the binary, with an ETag and the binary's own date as
/// Last-Modified; a client that already has the file gets 304. Source: RFC 9110 §13.1.
class StaticFiles {
 public:
  StaticFiles();

  /// 404 for a path that names no file. Only for GET and HEAD.
  Response answer(const Request& request) const;

 private:
  std::string last_modified_;
};

}  // namespace bookinfo::productpage
