#pragma once

#include <string>

#include "install/check.h"

namespace weft::install::testing {

/// The first finding whose text has `part`, as "STATE what"; "none" when there is none.
inline std::string line_with(const Findings& findings, const std::string& part) {
  for (const Finding& each : findings)
    if (each.what.find(part) != std::string::npos)
      return std::string(to_string(each.state)) + " " + each.what;
  return "none";
}

/// Every line that is not ok must say what to do, and no other does.
inline bool say_what_to_do(const Findings& findings) {
  for (const Finding& each : findings)
    if ((each.state == Finding::State::kOk) != each.remedy.empty()) return false;
  return true;
}

}  // namespace weft::install::testing
