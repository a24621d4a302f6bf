#pragma once

#include <string>

#include "base/error.h"
#include "base/time.h"

namespace weft::store {

/// The token we show, read again from its file once a minute at most: tokens of service accounts live an hour
/// and are replaced on disk. A file that cannot be read leaves the token before it. Thread: one.
class BearerToken {
 public:
  BearerToken(std::string fixed, std::string file) : value_(std::move(fixed)), file_(std::move(file)) {}

  /// Empty when there is none. Error: the file could never be read.
  Result<std::string> at(TimePoint now);
  /// The server rejected what it was shown: the next at() reads the file. False when there is no file.
  bool rejected();

 private:
  std::string value_, file_;
  TimePoint read_again_ = TimePoint::min();
};

}  // namespace weft::store
