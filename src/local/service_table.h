#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "capture/services.h"

namespace weft::local {

using ObjectsByKey = std::map<api::Key, api::ObjectPtr>;

/// What pods see of the mesh's Services: their names with addresses, and the rules that lead an address to an
/// endpoint.
///
/// Owner: PodRuntime. Thread: the loop's.
class ServiceTable {
 public:
  /// A Service and where its name leads: its address, or when it is headless its ready endpoints'.
  struct Port {
    std::string name;
    std::uint16_t number = 0;  ///< of the Service; of a headless one its endpoints'
    bool operator==(const Port&) const = default;
  };
  struct Name {
    std::string name, ns;
    bool headless = false;
    std::vector<std::string> addresses;
    std::vector<Port> ports;  ///< of TCP
    bool operator==(const Name&) const = default;
  };

  ServiceTable();
  /// Reads Services and EndpointSlices again. Whether names or rules have changed.
  bool set(const ObjectsByKey& services, const ObjectsByKey& slices);

  /// In the order of namespaces, then names.
  const std::vector<Name>& names() const { return names_; }
  const Name* find(std::string_view ns, std::string_view name) const;
  const std::vector<capture::ServiceFront>& fronts() const { return fronts_; }
  /// The rules as one transaction of the kernel, for PodInterface::lead_to_services().
  const std::string& rules() const { return rules_; }
  /// Grows whenever rules() changes; begins with 1.
  std::uint64_t rules_version() const { return rules_version_; }

 private:
  void make_rules();

  std::vector<Name> names_;
  std::vector<capture::ServiceFront> fronts_;
  std::string rules_;
  std::uint64_t rules_version_ = 0;
};

}  // namespace weft::local
