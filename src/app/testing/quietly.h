#pragma once

#include <cstdlib>

#include "base/log.h"

namespace weft::app::testing {

/// Without STORY=1 nothing is logged while it lives. Test files only.
class Quietly {
 public:
  Quietly() {
    if (!std::getenv("STORY")) log::set_level(log::Level::kOff);
  }
  Quietly(const Quietly&) = delete;
  Quietly& operator=(const Quietly&) = delete;
  ~Quietly() { log::set_level(before_); }

 private:
  log::Level before_ = log::level();
};

}  // namespace weft::app::testing
