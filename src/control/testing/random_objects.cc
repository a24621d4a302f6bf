#include "control/testing/random_objects.h"

namespace weft::control::testing {

RandomObjects::RandomObjects(Random random, std::vector<const api::KindInfo*> kinds)
    : random_(random), kinds_(std::move(kinds)) {
  for (const char* name : {"a", "b", "istio-system"}) {
    api::Json body = {{"metadata", {{"name", name}}}};
    create({kinds::name_space(), std::move(body)});
  }
  for (int i = 0; i < 25; ++i) change();
}

std::string RandomObjects::any(std::initializer_list<const char*> words) {
  return *(words.begin() + static_cast<std::ptrdiff_t>(random_.below(words.size())));
}

api::Json RandomObjects::some(std::initializer_list<const char*> words) {
  api::Json list = api::Json::array();
  for (const char* word : words)
    if (one_in(2)) list.push_back(word);
  if (list.empty()) list.push_back(any(words));
  return list;
}

std::string RandomObjects::any_host() {
  return any({"x", "y", "z", "x.a", "y.b.svc", "X.a.svc.cluster.local", "y.b.svc.cluster.local",
              "z.a.svc.cluster.local", "ext.example.com", "other", "*.a.svc.cluster.local", "*.example.com",
              "*"});
}

api::Json RandomObjects::labels() {
  api::Json made = api::Json::object();
  if (!one_in(6)) made["app"] = any({"x", "y", "z"});
  if (one_in(2)) made["version"] = any({"v1", "v2"});
  if (one_in(6)) made["istio"] = any({"ingressgateway", "ingress", "egress"});
  if (one_in(12)) made["gateway.networking.k8s.io/gateway-name"] = any({"g", "h"});
  return made;
}

api::Json RandomObjects::metadata(const api::KindInfo* kind) {
  api::Json made = {{"name", any({"x", "y", "z"})}};
  if (kind == kinds::name_space()) made["name"] = any({"a", "b", "istio-system"});
  if (kind == kinds::ingress_class() || kind == kinds::gateway_class())
    made["name"] = any({"istio", "ours", "theirs"});
  if (kind == kinds::gateway() || kind == kinds::api_gateway()) made["name"] = any({"g", "h"});
  if (kind == kinds::endpoint_slice()) made["name"] = any({"x-1", "y-1", "z-bcdfg"});
  if (kind->namespaced) made["namespace"] = any({"a", "a", "b"});
  if (kind == kinds::service() && one_in(8)) {
    made["namespace"] = "istio-system";
    made["name"] = "istio-ingressgateway";
  }
  if (kind == kinds::destination_rule() && one_in(5)) made["namespace"] = "istio-system";
  if (kind == kinds::service_account() && one_in(2)) made["name"] = "default";
  made["labels"] = labels();
  return made;
}

void RandomObjects::service(api::Json& body) {
  api::Json& spec = body["spec"];
  if (one_in(5)) {
    // Those that lead to others stand before them: no circles.
    spec["type"] = "ExternalName";
    const std::string name = body["metadata"]["name"];
    spec["externalName"] = name == "x"
                               ? any({"y.a.svc.cluster.local", "z.b.svc.cluster.local", "out.example.com"})
                           : name == "y" ? any({"z.a.svc.cluster.local", "Z.b.svc.cluster.local.", "other.a"})
                                         : "out.example.com";
    return;
  }
  spec["type"] = any({"ClusterIP", "ClusterIP", "NodePort", "LoadBalancer"});
  if (!one_in(6)) spec["selector"] = {{"app", any({"x", "y", "z"})}};
  if (one_in(5)) spec["selector"]["version"] = any({"v1", "v2"});
  if (one_in(8)) spec["selector"] = {{"istio", any({"ingressgateway", "egress"})}};
  if (one_in(4)) spec["clusterIP"] = any({"10.96.0.20", "10.96.0.21", "None"});
  spec["ports"] = api::Json::array({{{"name", any({"http", "tcp", "web", "grpc", "grpc-web", "mongo"})},
                                     {"port", any({"a", "b"}) == "a" ? 80 : 9080}}});
  if (one_in(3))
    spec["ports"].push_back({{"name", "named"}, {"port", 7000}, {"targetPort", any({"p", "q"})}});
  if (one_in(4))
    body["status"]["loadBalancer"]["ingress"] = api::Json::array({{{"ip", any({"192.0.2.1", "192.0.2.2"})}}});
}

void RandomObjects::pod(api::Json& body) {
  const int port = one_in(2) ? 1 : 2;
  body["spec"]["containers"] = api::Json::array(
      {{{"name", "c"}, {"ports", api::Json::array({{{"name", "p"}, {"containerPort", port}}})}}});
  body["status"] = {
      {"phase", any({"Running", "Running", "Running", "Pending", "Failed"})},
      {"podIP", any({"10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", ""})},
      {"hostIP", any({"192.0.2.8", "192.0.2.9"})},
      {"conditions", api::Json::array({{{"type", "Ready"}, {"status", any({"True", "False"})}}})}};
  if (one_in(8)) body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:09Z";
}

void RandomObjects::slice(api::Json& body) {
  if (!one_in(5)) body["metadata"]["labels"]["kubernetes.io/service-name"] = any({"x", "y", "z"});
  body["addressType"] = "IPv4";
  body["ports"] = api::Json::array({{{"name", any({"http", "web"})}, {"port", 9080}}});
  body["endpoints"] = api::Json::array();
  for (const char* name : {"x", "y", "z"})
    if (one_in(2))
      body["endpoints"].push_back(
          {{"addresses", api::Json::array({any({"10.0.0.1", "10.0.0.2", "fd00::1"})})},
           {"conditions", {{"ready", one_in(2)}}},
           {"targetRef", {{"kind", "Pod"}, {"name", name}}}});
}

void RandomObjects::workload(api::Json& body) {
  const api::Json chosen = labels();
  body["spec"] = {
      {"replicas", random_.below(3)},
      {"selector", {{"matchLabels", chosen}}},
      {"template", {{"metadata", {{"labels", chosen}}}, {"spec", {{"containers", api::Json::array()}}}}}};
  if (one_in(3)) body["spec"]["strategy"] = {{"type", "Recreate"}};
  if (one_in(3)) body["spec"]["revisionHistoryLimit"] = 0;
}

void RandomObjects::ingress(api::Json& body) {
  if (one_in(2))
    body["spec"]["ingressClassName"] = any({"istio", "ours", "theirs"});
  else if (one_in(2))
    body["metadata"]["annotations"]["kubernetes.io/ingress.class"] = any({"istio", "ours"});
  const auto backend = [&] {
    return api::Json{
        {"service", {{"name", any({"x", "y", "other"})}, {"port", {{"number", one_in(2) ? 80 : 9080}}}}}};
  };
  if (one_in(3)) body["spec"]["defaultBackend"] = backend();
  api::Json rule = {
      {"http",
       {{"paths",
         api::Json::array({{{"path", any({"/", "/p"})}, {"pathType", "Prefix"}, {"backend", backend()}}})}}}};
  if (one_in(2)) rule["host"] = any({"ext.example.com", "*"});
  body["spec"]["rules"] = api::Json::array({rule});
}

void RandomObjects::gateway(api::Json& body) {
  body["spec"]["selector"] = one_in(8) ? api::Json::object() : labels();
  if (one_in(2)) body["spec"]["selector"] = {{"istio", any({"ingressgateway", "ingress"})}};
  body["spec"]["servers"] = api::Json::array();
  for (int i = 0; i < 2; ++i)
    body["spec"]["servers"].push_back(
        {{"port", {{"number", one_in(2) ? 80 : 9000}, {"name", "n"}, {"protocol", any({"HTTP", "TCP"})}}},
         {"hosts", some({"*", "ext.example.com", "x.a.svc.cluster.local", "a/*.example.com"})}});
}

void RandomObjects::virtual_service(api::Json& body) {
  api::Json& spec = body["spec"];
  spec["hosts"] = api::Json::array({any_host()});
  if (one_in(3)) spec["hosts"].push_back(any_host());
  if (one_in(2)) spec["gateways"] = some({"mesh", "g", "a/h", "h.b", "missing"});
  if (one_in(4)) spec["exportTo"] = api::Json::array({"."});
  const auto to = [&] {
    api::Json destination = {{"host", any_host()}};
    if (one_in(2)) destination["subset"] = any({"v1", "v2", "v3"});
    if (one_in(4)) destination["port"] = {{"number", one_in(2) ? 80 : 9080}};
    return api::Json::array({{{"destination", std::move(destination)}}});
  };
  if (!one_in(3)) spec["http"] = api::Json::array({{{"route", to()}}});
  if (spec.contains("http") && one_in(4))
    spec["http"][0]["match"] = api::Json::array({{{"gateways", some({"mesh", "g"})}}});
  if (spec.contains("http") && one_in(4))
    spec["http"][0]["match"] = api::Json::array({{{"sourceLabels", labels()}}});
  if (spec.contains("http") && one_in(3))
    spec["http"][0]["match"] = api::Json::array({{{"port", one_in(2) ? 80 : 9080}}});
  if (one_in(3)) spec["tcp"] = api::Json::array({{{"route", to()}}});
}

api::Json RandomObjects::policy() {
  api::Json made = api::Json::object();
  if (!one_in(4))
    made["loadBalancer"] = {{"simple", any({"RANDOM", "ROUND_ROBIN", "LEAST_REQUEST", "PASSTHROUGH"})}};
  if (one_in(3)) made["connectionPool"] = {{"tcp", {{"maxConnections", 1 + random_.below(3)}}}};
  if (one_in(8)) made["tls"] = {{"mode", any({"SIMPLE", "DISABLE"})}};
  return made;
}

void RandomObjects::destination_rule(api::Json& body) {
  body["spec"]["host"] = any_host();
  body["spec"]["subsets"] = api::Json::array();
  for (const char* name : {"v1", "v2", "v3"})
    if (one_in(2)) {
      api::Json subset = {{"name", name}, {"labels", {{"version", any({"v1", "v2"})}}}};
      if (one_in(3)) subset["trafficPolicy"] = policy();
      body["spec"]["subsets"].push_back(std::move(subset));
    }
  if (one_in(2)) body["spec"]["trafficPolicy"] = policy();
  if (one_in(4)) body["spec"]["exportTo"] = api::Json::array({"."});
}

void RandomObjects::api_gateway(api::Json& body) {
  body["spec"] = {{"gatewayClassName", any({"istio", "ours", "theirs"})}, {"listeners", api::Json::array()}};
  for (const char* name : {"l", "m"}) {
    api::Json listener = {
        {"name", name}, {"port", one_in(2) ? 80 : 8000}, {"protocol", any({"HTTP", "HTTP", "TCP"})}};
    if (one_in(2)) listener["hostname"] = any({"ext.example.com", "*.example.com"});
    listener["allowedRoutes"]["namespaces"]["from"] = any({"All", "Same", "Selector"});
    listener["allowedRoutes"]["namespaces"]["selector"]["matchLabels"]["app"] = any({"x", "y"});
    body["spec"]["listeners"].push_back(std::move(listener));
  }
  if (one_in(3))
    body["spec"]["addresses"] = api::Json::array(
        {{{"type", "Hostname"}, {"value", any({"x", "y.b", "istio-ingressgateway.istio-system"})}}});
  if (one_in(6)) body["metadata"]["annotations"]["gateway.istio.io/name-override"] = any({"x", "y"});
  if (one_in(3))
    body["metadata"]["annotations"]["networking.istio.io/service-type"] = any({"NodePort", "ClusterIP"});
}

void RandomObjects::route(api::Json& body) {
  body["spec"]["parentRefs"] = api::Json::array({{{"name", any({"g", "h"})}}});
  if (one_in(3)) body["spec"]["parentRefs"][0]["namespace"] = any({"a", "b"});
  if (one_in(2))
    body["spec"]["hostnames"] = api::Json::array({any({"ext.example.com", "other.example.com"})});
  api::Json backend = {{"name", any({"x", "y", "other"})}, {"port", one_in(2) ? 80 : 9080}};
  if (one_in(3)) backend["namespace"] = any({"a", "b"});
  body["spec"]["rules"] = api::Json::array({{{"backendRefs", api::Json::array({std::move(backend)})}}});
}

void RandomObjects::grant(api::Json& body) {
  body["spec"]["from"] = api::Json::array(
      {{{"group", "gateway.networking.k8s.io"}, {"kind", "HTTPRoute"}, {"namespace", any({"a", "b"})}}});
  body["spec"]["to"] = api::Json::array({{{"group", ""}, {"kind", "Service"}}});
}

api::Json RandomObjects::body(const api::KindInfo* kind) {
  api::Json made = {{"metadata", metadata(kind)}, {"spec", api::Json::object()}};
  if (kind == kinds::service()) service(made);
  if (kind == kinds::pod()) pod(made);
  if (kind == kinds::endpoint_slice()) slice(made);
  if (kind == kinds::deployment() || kind == kinds::replica_set()) workload(made);
  if (kind == kinds::ingress()) ingress(made);
  if (kind == kinds::ingress_class())
    made["spec"]["controller"] = any({"istio.io/ingress-controller", "example.com/theirs"});
  if (kind == kinds::gateway()) gateway(made);
  if (kind == kinds::virtual_service()) virtual_service(made);
  if (kind == kinds::destination_rule()) destination_rule(made);
  if (kind == kinds::gateway_class())
    made["spec"]["controllerName"] = any({"istio.io/gateway-controller", "example.com/theirs"});
  if (kind == kinds::api_gateway()) api_gateway(made);
  if (kind == kinds::http_route()) route(made);
  if (kind == kinds::reference_grant()) grant(made);
  return made;
}

std::string RandomObjects::change() {
  const api::KindInfo* const kind = kinds_[random_.below(kinds_.size())];
  api::Object made{kind, body(kind)};
  const api::Key key = made.key();
  const bool is_there = objects_.contains(key);
  if (is_there && one_in(4)) {
    objects_.erase(key);
    return "the removal of " + key.to_string();
  }
  if (!is_there) {
    create(std::move(made));
    return "the creation of " + key.to_string();
  }
  const api::Json status = made.status();
  const bool reported = status != api::Json::object();
  const api::Json& known = objects_[key]->body["metadata"];
  if (known.contains("ownerReferences") && one_in(2))
    made.body["metadata"]["ownerReferences"] = known["ownerReferences"];
  update(made);
  if (reported) update_status(made);
  return "a change of " + key.to_string() + " to " + made.body.dump();
}

ObjectSnapshotPtr RandomObjects::snapshot() const {
  std::map<const api::KindInfo*, ObjectSnapshot::Objects> lists;
  for (const auto& [key, object] : objects_) lists[key.kind].push_back(object);
  std::map<const api::KindInfo*, std::shared_ptr<const ObjectSnapshot::Objects>> shared;
  for (auto& [kind, list] : lists)
    shared[kind] = std::make_shared<const ObjectSnapshot::Objects>(std::move(list));
  return std::make_shared<const ObjectSnapshot>(count_, std::move(shared));
}

void RandomObjects::put(api::Object object) {
  object.body["metadata"]["resourceVersion"] = std::to_string(++count_);
  const api::Key key = object.key();
  objects_[key] = std::make_shared<const api::Object>(std::move(object));
}

void RandomObjects::create(api::Object object) {
  if (objects_.contains(object.key())) return;
  object.body["apiVersion"] = object.kind->api_version();
  object.body["kind"] = std::string(object.kind->kind);
  api::Json& metadata = object.body["metadata"];
  metadata["uid"] = "uid-" + std::to_string(++count_);
  metadata["generation"] = 1U;
  metadata["creationTimestamp"] =
      any({"2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"});
  put(std::move(object));
}

void RandomObjects::update(api::Object object) {
  const auto found = objects_.find(object.key());
  if (found == objects_.end()) return;
  const api::Object& stored = *found->second;
  object.body["apiVersion"] = object.kind->api_version();
  object.body["kind"] = std::string(object.kind->kind);
  for (const char* name : {"uid", "generation", "creationTimestamp"})
    object.body["metadata"][name] = stored.body["metadata"][name];
  if (object.spec() != stored.spec()) object.body["metadata"]["generation"] = stored.generation() + 1;
  if (stored.body.contains("status"))
    object.body["status"] = stored.body["status"];
  else
    object.body.erase("status");
  put(std::move(object));
}

void RandomObjects::update_status(const api::Object& object) {
  const auto found = objects_.find(object.key());
  if (found == objects_.end()) return;
  api::Object changed = *found->second;
  changed.body["status"] = object.status();
  put(std::move(changed));
}

}  // namespace weft::control::testing
