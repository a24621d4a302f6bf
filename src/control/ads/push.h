#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/translation/resource_set.h"

namespace weft::control {

/// One response of ADS to one proxy: a DiscoveryResponse, before it is bytes.
struct Push {
  Type type = Type::kCluster;
  std::string version, nonce;
  /// One without bytes stands for a name of which there is nothing: it is sent as an empty one.
  ResourceTablePtr resources;
};

/// The message in two parts, one behind the other: what is this proxy's alone, and the resources.
struct EncodedPush {
  std::string own;
  std::shared_ptr<const std::string> resources;
};

/// Encodes pushes. Proxies that are sent the same resources at the same time share their bytes.
///
/// Owner: AdsServer. Thread: the loop's.
class PushEncoder {
 public:
  EncodedPush encode(const Push& push);

 private:
  /// Bytes that some proxy has not been sent wholly yet. Few: those of the last pushes.
  struct Recent {
    Type type = Type::kCluster;
    std::weak_ptr<const ResourceTable> resources;
    std::weak_ptr<const std::string> bytes;
  };
  std::shared_ptr<const std::string> known_bytes(const Push& push) const;

  std::array<Recent, 8> recent_;
  std::size_t next_ = 0;
};

}  // namespace weft::control
