#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "control/translation/resource_set.h"

namespace weft::control {

/// How a stream says what there is: in each response all of it, or what has changed.
enum class AdsProtocol : std::uint8_t { kStateOfTheWorld, kDelta };

/// One response of ADS to one proxy: a DiscoveryResponse or a DeltaDiscoveryResponse, before it is bytes.
struct Push {
  Type type = Type::kCluster;
  std::string version = {}, nonce = {};
  /// One without bytes stands for a name of which there is nothing: it is sent as an empty one.
  ResourceTablePtr resources = nullptr;
  AdsProtocol protocol = AdsProtocol::kStateOfTheWorld;
  // Of delta alone:
  Names removed = {};  ///< that the proxy has and is not to have
  /// What the proxy has: a resource that is in there too, in an older form, may be sent as what has changed
  /// in it. Null: each is sent whole.
  ResourceTablePtr base = nullptr;
};

/// The message in two parts, one behind the other: what is this proxy's alone, and the resources.
struct EncodedPush {
  std::string own;
  std::shared_ptr<const std::string> resources;
};

/// Encodes pushes. Proxies that are sent the same resources at the same time share their bytes; by delta,
/// those that had the same before.
///
/// Owner: AdsServer. Thread: the loop's.
class PushEncoder {
 public:
  EncodedPush encode(const Push& push);

 private:
  /// Bytes that some proxy has not been sent wholly yet. Few: those of the last pushes.
  struct Recent {
    Type type = Type::kCluster;
    AdsProtocol protocol = AdsProtocol::kStateOfTheWorld;
    std::weak_ptr<const ResourceTable> resources, base;
    std::weak_ptr<const std::string> bytes;
    bool has_base = false;
  };
  std::shared_ptr<const std::string> known_bytes(const Push& push) const;

  std::array<Recent, 8> recent_;
  std::size_t next_ = 0;
};

}  // namespace weft::control
