#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "common/environment.h"

namespace bookinfo {

/// Which of the two published behaviours of Bookinfo a process shows.
enum class Compat : std::uint8_t {
  kToday,  ///< as Istio ships it now; the default
  k029,    ///< as of release 0.2.9 (October 2017)
};

/// The variable that `--compat` sets.
inline constexpr const char* kCompatVariable = "BOOKINFO_COMPAT";

/// Reads `BOOKINFO_COMPAT`: `0.2.9`, or unset or empty for today's behaviour. The program refuses to start on
/// anything else; the error is one line for a person.
std::expected<Compat, std::string> compat_of(const Environment& environment);

/// True for the behaviour of 0.2.9. For services, which see only values that `compat_of` has accepted.
bool is_compat_029(const Environment& environment);

}  // namespace bookinfo
