#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"

namespace weft {

/// 16 lower-case hexadecimal digits. Any thread.
void append_hex(std::string& out, std::uint64_t value);
/// A random (version 4) UUID, 36 characters (RFC 9562 §5.4). Any thread that owns `random`.
void append_uuid(std::string& out, Random& random);

}  // namespace weft
