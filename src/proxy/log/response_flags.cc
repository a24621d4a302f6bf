#include "proxy/log/response_flags.h"

#include <array>
#include <utility>

namespace weft::proxy {
namespace {

constexpr std::array kNames = {
    std::pair{Flag::kNoHealthyUpstream, std::string_view("UH")},
    std::pair{Flag::kUpstreamConnectionFailure, std::string_view("UF")},
    std::pair{Flag::kUpstreamOverflow, std::string_view("UO")},
    std::pair{Flag::kNoRoute, std::string_view("NR")},
    std::pair{Flag::kUpstreamRetryLimit, std::string_view("URX")},
    std::pair{Flag::kNoCluster, std::string_view("NC")},
    std::pair{Flag::kDownstreamTerminated, std::string_view("DC")},
    std::pair{Flag::kUpstreamTermination, std::string_view("UC")},
    std::pair{Flag::kUpstreamTimeout, std::string_view("UT")},
    std::pair{Flag::kUpstreamProtocolError, std::string_view("UPE")},
    std::pair{Flag::kDownstreamProtocolError, std::string_view("DPE")},
    std::pair{Flag::kStreamIdleTimeout, std::string_view("SI")},
    std::pair{Flag::kLocalReset, std::string_view("LR")},
    std::pair{Flag::kUpstreamRemoteReset, std::string_view("UR")},
    std::pair{Flag::kDurationTimeout, std::string_view("DT")},
    std::pair{Flag::kOverloadManager, std::string_view("OM")},
    std::pair{Flag::kDelayInjected, std::string_view("DI")},
    std::pair{Flag::kFaultInjected, std::string_view("FI")},
};

}  // namespace

void ResponseFlags::append_to(std::string& out) const {
  if (bits_ == 0) {
    out += '-';
    return;
  }
  bool first = true;
  for (const auto& [flag, name] : kNames) {
    if (!has(flag)) continue;
    if (!first) out += ',';
    out += name;
    first = false;
  }
}

std::optional<Flag> flag_named(std::string_view text) {
  for (const auto& [flag, name] : kNames) {
    if (name == text) return flag;
  }
  return std::nullopt;
}

}  // namespace weft::proxy
