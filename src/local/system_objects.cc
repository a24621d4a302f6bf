#include "local/system_objects.h"

#include "api/parse.h"

namespace weft::local {
namespace {

constexpr const char* kText = R"(
apiVersion: v1
kind: ServiceAccount
metadata:
  name: istio-ingressgateway-service-account
  namespace: istio-system
---
apiVersion: v1
kind: Service
metadata:
  name: istio-ingressgateway
  namespace: istio-system
  labels: {app: istio-ingressgateway, istio: ingressgateway}
spec:
  selector: {app: istio-ingressgateway, istio: ingressgateway}
  ports:
  - {name: http2, port: 80, targetPort: 8080}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: istio-ingressgateway
  namespace: istio-system
  labels: {app: istio-ingressgateway, istio: ingressgateway}
spec:
  selector: {matchLabels: {app: istio-ingressgateway, istio: ingressgateway}}
  template:
    metadata:
      labels: {app: istio-ingressgateway, istio: ingressgateway, weft.dev/always-open: "true"}
      annotations: {inject.istio.io/templates: gateway}
    spec:
      serviceAccountName: istio-ingressgateway-service-account
      containers:
      - {name: istio-proxy, image: auto}
)";

}  // namespace

std::vector<api::Object> system_objects() {
  auto parsed = api::parse_objects(kText, "built-in");
  // Our own text; a mistake in it is one of ours, and a test says so.
  WEFT_ASSERT(parsed.problems.empty());
  return std::move(parsed.objects);
}

net::Task<Result<void>> create_system_objects(store::Store& store) {
  for (api::Object& object : system_objects()) {
    const auto created = co_await store.create(std::move(object));
    if (!created && created.error().code != Code::kConflict) co_return std::unexpected(created.error());
  }
  co_return Result<void>{};
}

}  // namespace weft::local
