#pragma once

#include <memory>

#include "control/object_snapshot.h"
#include "control/registry.h"
#include "control/translation/gateway_api.h"
#include "control/translation/rules.h"

namespace weft::control {

/// One ObjectSnapshot, read for translation. Immutable; any thread.
struct PushContext {
  explicit PushContext(ObjectSnapshotPtr from, std::uint64_t number = 1);
  /// The same from a later snapshot: what has not changed since `before` is shared with it.
  PushContext(ObjectSnapshotPtr from, std::uint64_t number, const PushContext& before);

  const ObjectSnapshotPtr snapshot;
  const std::uint64_t generation;  ///< grows with each change that translation could see
  const Registry registry;
  const Rules rules;

  struct GatewayReading;
  const std::shared_ptr<const GatewayReading> gateway_reading;
  const GatewayApi& gateway_api;
};

/// What translation has to look at again.
struct Changes {
  bool everything = false;
  /// Hosts of Services that came, went or changed, and of those whose endpoints did.
  Names services, endpoints;
  /// Hosts for which another VirtualService may decide, or the same one says something else.
  Names rules;
  bool any_rule_host = false;  ///< a rule for "*" is among them, or one for a wildcard
  /// The same for DestinationRules.
  Names destinations;
  bool any_destination_host = false;
  bool gateways = false;  ///< what gateways listen for, or route

  /// Everything is new.
  static Changes all() {
    Changes changes;
    changes.everything = changes.gateways = true;
    return changes;
  }
  bool rule_of(const std::string& host) const { return everything || any_rule_host || contains(rules, host); }
};
Changes changes_between(const PushContext& before, const PushContext& after);

}  // namespace weft::control
