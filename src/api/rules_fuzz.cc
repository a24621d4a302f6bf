#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/gateway_api/gateway.h"
#include "api/gateway_api/http_route.h"
#include "api/gateway_api/reference_grant.h"
#include "api/istio/destination_rule.h"
#include "api/istio/gateway.h"
#include "api/istio/virtual_service.h"
#include "api/json_text.h"
#include "api/networking/ingress.h"
#include "base/error.h"

namespace {

using namespace weft::api;

std::size_t items(const Json& spec, std::string_view list) {
  const Json& found = json_member(spec, list);
  return found.is_array() ? found.size() : 0;
}

}  // namespace

/// Rules are read from whatever JSON is stored: nothing throws, and an item has the place that it has in the
/// spec.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Json spec = parse_json({reinterpret_cast<const char*>(data), size});
  const istio::VirtualService rule = istio::read_virtual_service(spec);
  WEFT_ASSERT(rule.http.size() == items(spec, "http") && rule.tcp.size() == items(spec, "tcp"));
  for (std::size_t i = 0; i < rule.http.size(); ++i)
    WEFT_ASSERT(rule.http[i].where == Place().at(List::kHttp, i));
  WEFT_ASSERT(istio::read_destination_rule(spec).subsets.size() == items(spec, "subsets"));
  WEFT_ASSERT(istio::read_gateway(spec).servers.size() == items(spec, "servers"));
  WEFT_ASSERT(networking::read_ingress(spec).rules.size() == items(spec, "rules"));
  networking::read_ingress_class(spec);
  WEFT_ASSERT(gateway_api::read_gateway(spec).listeners.size() == items(spec, "listeners"));
  gateway_api::read_gateway_class(spec);
  const gateway_api::HttpRoute route = gateway_api::read_http_route(spec);
  WEFT_ASSERT(route.rules.size() == items(spec, "rules") &&
              route.parents.size() == items(spec, "parentRefs"));
  gateway_api::read_reference_grant(spec);
  return 0;
}
