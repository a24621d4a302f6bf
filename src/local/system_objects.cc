#include "local/system_objects.h"

#include <algorithm>

#include "api/parse.h"
#include "base/backoff.h"
#include "base/log.h"

namespace weft::local {
namespace {

constexpr Duration kInitialBackoff = 50ms, kMaxBackoff = 10s;

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

net::Task<Result<void>> create_once(store::Store& store) {
  for (api::Object& object : system_objects()) {
    const auto created = co_await store.create(std::move(object));
    if (!created && created.error().code != Code::kConflict) co_return std::unexpected(created.error());
  }
  co_return Result<void>{};
}

}  // namespace

std::vector<api::Object> system_objects() {
  auto parsed = api::parse_objects(kText, "built-in");
  // Our own text; a mistake in it is one of ours, and a test says so.
  WEFT_ASSERT(parsed.problems.empty());
  return std::move(parsed.objects);
}

net::Task<Result<void>> create_system_objects(net::Loop& loop, store::Store& store, Duration limit) {
  const TimePoint end = loop.now() + limit;
  for (Backoff backoff({kInitialBackoff, kMaxBackoff});;) {
    auto created = co_await create_once(store);
    if (created) co_return created;
    if (loop.now() >= end)
      co_return fail(std::move(created).error().with_context("the instance's own objects cannot be created"));
    WEFT_LOG(kWarn, "local", "the instance's own objects", {"error", created.error().text});
    co_await loop.sleep(std::min(backoff.next(), end - loop.now()));
  }
}

}  // namespace weft::local
