#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/object.h"
#include "base/random.h"

namespace weft::app::testing {

/// What a VirtualService of one service says.
struct ModelRule {
  enum class Kind {
    kSubset,      ///< everything to subset `first`
    kSplit,       ///< to `first` and `second`, half and half
    kVariant,     ///< x-variant: a to `first`, the rest to `second`
    kOther,       ///< to all of the service `first`
    kAbort,       ///< 418 for everything
    kUnreadable,  ///< its only match cannot be read: it holds for no request
    kUnsound,     ///< no proxy would accept what it does
  };
  Kind kind = Kind::kSubset;
  std::string first, second;
};

/// One moment of what users have asked for: plain values, so that a test can say what it means without asking
/// the code that it tests.
struct MeshModel {
  struct Service {
    bool present = true;  ///< its rules may be there without it
    std::optional<ModelRule> rule;
    std::optional<std::set<std::string>> subsets;  ///< of its DestinationRule; none: there is no such rule
    int policy = 0;                                ///< of its DestinationRule
  };
  struct Pod {
    std::string service, version, ip;  ///< service empty: a client and nothing else
    bool ready = true, ending = false, sidecar = false;
  };
  std::map<std::string, Service> services;
  std::map<std::string, Pod> pods;

  /// Where a request may be sent; empty: it gets a local reply.
  struct Destination {
    std::string service, version;  ///< version empty: any
    auto operator<=>(const Destination&) const = default;
  };
  std::set<Destination> destinations(const std::string& service, const std::string& variant) const;
  /// Whether every request for it has to be served: each of its destinations is there and has receivers.
  bool serves(const std::string& service, const std::string& variant) const;
  /// The status that a local reply has to have where there is no destination; 0: any of an error.
  int local_status(const std::string& service) const;
  bool belongs(const std::string& pod, const Destination& to) const;
  /// The pods that get new requests for it.
  std::set<std::string> receivers(const Destination& to) const;

  api::Object service_object(const std::string& name) const;
  api::Object rule_object(const std::string& service) const;
  api::Object destination_rule_object(const std::string& service) const;
  api::Object pod_object(const std::string& name) const;
};

/// In what `running` is not as `expected`, by name; empty: in nothing.
std::string differences(const std::map<std::string, std::string>& expected,
                        const std::map<std::string, std::string>& running);

}  // namespace weft::app::testing
