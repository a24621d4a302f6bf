#pragma once

#include "base/time.h"

namespace weft::http {

/// When a limit that begins at `now` has passed; kNever for zero, which is no limit.
inline TimePoint after(TimePoint now, Duration limit) {
  return limit == Duration::zero() ? kNever : now + limit;
}

}  // namespace weft::http
