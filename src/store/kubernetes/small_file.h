#pragma once

#include <string>

#include "base/error.h"

namespace weft::store {

/// The bytes of a file of at most 4 MB. Errors name it: kNotFound, kDenied, kTooLarge.
Result<std::string> read_small_file(const std::string& path);

}  // namespace weft::store
