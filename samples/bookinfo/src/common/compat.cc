#include "common/compat.h"

namespace bookinfo {

std::expected<Compat, std::string> compat_of(const Environment& environment) {
  const std::string version = environment.get(kCompatVariable, "");
  if (version.empty()) return Compat::kToday;
  if (version == "0.2.9") return Compat::k029;
  return std::unexpected(std::string(kCompatVariable) + "=" + version +
                         ": the only older behaviour there is, is 0.2.9");
}

bool is_compat_029(const Environment& environment) { return compat_of(environment) == Compat::k029; }

}  // namespace bookinfo
