#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::proxy {

/// Why a request or connection did not go the plain way; Envoy's short names, as tools and people read them
/// in logs. A set, one bit each.
enum class Flag : std::uint32_t {
  kNone = 0,
  kNoHealthyUpstream = 1u << 0,          ///< UH
  kUpstreamConnectionFailure = 1u << 1,  ///< UF
  kUpstreamOverflow = 1u << 2,           ///< UO
  kNoRoute = 1u << 3,                    ///< NR
  kUpstreamRetryLimit = 1u << 4,         ///< URX
  kNoCluster = 1u << 5,                  ///< NC
  kDownstreamTerminated = 1u << 6,       ///< DC
  kUpstreamTermination = 1u << 7,        ///< UC
  kUpstreamTimeout = 1u << 8,            ///< UT
  kUpstreamProtocolError = 1u << 9,      ///< UPE
  kDownstreamProtocolError = 1u << 10,   ///< DPE
  kStreamIdleTimeout = 1u << 11,         ///< SI
  kLocalReset = 1u << 12,                ///< LR
  kUpstreamRemoteReset = 1u << 13,       ///< UR
  kDurationTimeout = 1u << 14,           ///< DT
  kOverloadManager = 1u << 15,           ///< OM
  kDelayInjected = 1u << 16,             ///< DI
  kFaultInjected = 1u << 17,             ///< FI
};

class ResponseFlags {
 public:
  void set(Flag flag) { bits_ |= static_cast<std::uint32_t>(flag); }
  void clear(Flag flag) { bits_ &= ~static_cast<std::uint32_t>(flag); }
  bool has(Flag flag) const { return (bits_ & static_cast<std::uint32_t>(flag)) != 0; }
  bool any_of(std::uint32_t mask) const { return (bits_ & mask) != 0; }
  bool empty() const { return bits_ == 0; }
  /// "UF,URX", or "-" for none.
  void append_to(std::string& out) const;

 private:
  std::uint32_t bits_ = 0;
};

/// The flag that "UF" names.
std::optional<Flag> flag_named(std::string_view text);

}  // namespace weft::proxy
