#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "api/json.h"
#include "base/error.h"
#include "inject/settings.h"

namespace weft::install {

enum class Profile : std::uint8_t {
  kMinimal,      ///< the control plane alone
  kDefault,      ///< and an ingress gateway
  kDemo,         ///< the same, and it says what it does
  kWalkthrough,  ///< default, and the ingress `istio-ingress` in `istio-system`
};

/// What is to be installed: a profile with the wishes of --set laid over it. Immutable once read; any thread.
struct Plan {
  /// How a gateway's Service is reached.
  struct Entry {
    std::string type = "NodePort";
    int node_port = 0;  ///< of HTTP; 0: Kubernetes chooses one
    int replicas = 1;
  };

  Profile profile = Profile::kDefault;
  std::string image = "weft.dev/weft:" WEFT_VERSION;
  std::string image_pull_policy = "IfNotPresent";
  std::string log_level = "info";  ///< of the control plane
  int replicas = 1;                ///< of the control plane
  bool gateway_api = true;         ///< whether Gateway API's definitions are installed
  Entry gateway;                   ///< istio-ingressgateway
  Entry ingress;                   ///< istio-ingress, with kWalkthrough
  /// What the ConfigMap weft-injector is to say, by the names of inject::Settings, and the same read.
  api::Json injection;
  inject::Settings settings;

  bool has_gateway() const { return profile != Profile::kMinimal; }
  bool has_ingress() const { return profile == Profile::kWalkthrough; }

  /// `sets` are KEY=VALUE. Errors: kInvalid, the command line's: an unknown profile or key with the near one,
  /// a bad value with what would be right, a key that the profile has no use for.
  static Result<Plan> read(std::string_view profile, std::span<const std::string> sets);
};

std::string_view to_string(Profile profile);

}  // namespace weft::install
