#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/parse.h"
#include "base/error.h"
#include "local/service_table.h"

namespace weft::local::testing {

struct Objects {
  ObjectsByKey services, slices;
};

/// The Services and EndpointSlices of a YAML text.
inline Objects objects_of(std::string_view yaml) {
  auto parsed = api::parse_objects(std::string(yaml), "test");
  WEFT_ASSERT(parsed.problems.empty());
  Objects made;
  for (api::Object& object : parsed.objects) {
    const api::Key key = object.key();
    (key.kind->kind == "Service" ? made.services : made.slices)[key] =
        std::make_shared<const api::Object>(std::move(object));
  }
  return made;
}

inline ServiceTable table_of(std::string_view yaml) {
  const Objects all = objects_of(yaml);
  ServiceTable table;
  table.set(all.services, all.slices);
  return table;
}

/// A Service with an address, and a headless one with two ready endpoints of three.
inline constexpr std::string_view kWebAndDatabase = R"(
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.9, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: None, ports: [{name: sql, port: 3306, targetPort: 3307}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-1, namespace: shop, labels: {kubernetes.io/service-name: db}}
addressType: IPv4
ports: [{name: sql, port: 3307, protocol: TCP}]
endpoints: [{addresses: [10.244.0.7]}, {addresses: [10.244.0.8], conditions: {ready: false}}, {addresses: [10.244.0.5]}]
)";

}  // namespace weft::local::testing
