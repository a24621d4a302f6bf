#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/registry.h"
#include "control/service_objects.h"

namespace weft::control {

/// The addresses behind one service, and what they were made from. Immutable; any thread.
struct ServiceEndpoints {
  std::string host;
  std::vector<std::shared_ptr<const Slice>> slices;
  std::map<std::string, std::vector<Endpoint>, std::less<>>
      by_port;  ///< by the port's name; sorted by address
  bool operator==(const ServiceEndpoints&) const = default;
  /// Whether an endpoint is one of these pods, as pairs of namespace and name.
  bool names_any_of(const std::set<std::pair<std::string_view, std::string_view>>& pods) const;
};

/// `registry` has the services and workloads already.
ServiceEndpoints make_endpoints(const std::string& host, std::vector<std::shared_ptr<const Slice>> slices,
                                const Registry& registry);

}  // namespace weft::control
