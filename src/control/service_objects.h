#pragma once

#include <string>
#include <vector>

#include "control/registry.h"

/// What Services, Pods and EndpointSlices say, each by itself. Pure functions; any thread.
namespace weft::control {

struct SlicePort {
  std::string name;
  std::uint16_t number = 0;
  bool operator==(const SlicePort&) const = default;
};

struct SliceEndpoint {
  bool ready = true;
  bool ending = false;
  std::string pod;
  bool is_pod = false;  ///< it counts once that pod is known
  std::vector<std::string> addresses;
  bool operator==(const SliceEndpoint&) const = default;
};

/// An EndpointSlice.
struct Slice {
  std::string ns;
  std::string host;  ///< the full name of the Service that it belongs to
  std::vector<SlicePort> ports;
  std::vector<SliceEndpoint> endpoints;
  bool operator==(const Slice&) const = default;
};

/// Without what other Services say of it: its aliases.
Service read_service(const api::Object& object);
Workload read_workload(const api::Object& object);
Slice read_slice(const api::Object& object);

}  // namespace weft::control
