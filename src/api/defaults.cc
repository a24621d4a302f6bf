#include "api/defaults.h"

#include "base/base64.h"

namespace weft::api {
namespace {

void fill(Json& object, const char* name, Json value) {
  if (!object.contains(name)) object[name] = std::move(value);
}

void probe(Json& container, const char* name) {
  auto found = container.find(name);
  if (found == container.end()) return;
  fill(*found, "timeoutSeconds", 1);
  fill(*found, "periodSeconds", 10);
  fill(*found, "successThreshold", 1);
  fill(*found, "failureThreshold", 3);
  if (auto get = found->find("httpGet"); get != found->end()) {
    fill(*get, "path", "/");
    fill(*get, "scheme", "HTTP");
  }
}

/// No tag and `latest` are asked for each time, as Kubernetes does.
bool is_latest(std::string_view image) {
  if (image.find('@') != image.npos) return false;
  auto slash = image.rfind('/');
  std::string_view last = slash == image.npos ? image : image.substr(slash + 1);
  auto colon = last.find(':');
  return colon == last.npos || last.substr(colon + 1) == "latest";
}

void container(Json& body) {
  fill(body, "imagePullPolicy",
       is_latest(body["image"].get_ref<const std::string&>()) ? "Always" : "IfNotPresent");
  fill(body, "terminationMessagePath", "/dev/termination-log");
  fill(body, "terminationMessagePolicy", "File");
  fill(body, "resources", Json::object());
  if (auto ports = body.find("ports"); ports != body.end())
    for (Json& port : *ports) fill(port, "protocol", "TCP");
  for (const char* name : {"readinessProbe", "livenessProbe", "startupProbe"}) probe(body, name);
}

void pod_spec(Json& spec) {
  fill(spec, "restartPolicy", "Always");
  fill(spec, "dnsPolicy", "ClusterFirst");
  fill(spec, "schedulerName", "default-scheduler");
  fill(spec, "terminationGracePeriodSeconds", 30);
  fill(spec, "securityContext", Json::object());
  // One is the old name of the other; both are shown. A copy: a new member of an ordered map moves its
  // neighbours.
  const char* given = spec.contains("serviceAccountName") ? "serviceAccountName" : "serviceAccount";
  if (spec.contains(given)) {
    const Json account = spec[given];
    spec["serviceAccountName"] = account;
    spec["serviceAccount"] = account;
  }
  for (Json& each : spec["containers"]) container(each);
}

void service(Json& spec) {
  fill(spec, "type", "ClusterIP");
  fill(spec, "sessionAffinity", "None");
  fill(spec, "internalTrafficPolicy", "Cluster");
  auto ports = spec.find("ports");
  if (ports == spec.end()) return;
  for (Json& port : *ports) {
    fill(port, "protocol", "TCP");
    fill(port, "targetPort", port["port"]);
  }
}

void deployment(Json& spec) {
  fill(spec, "replicas", 1);
  fill(spec, "revisionHistoryLimit", 10);
  fill(spec, "progressDeadlineSeconds", 600);
  Json& strategy = spec["strategy"];
  if (strategy.is_null()) strategy = Json::object();
  fill(strategy, "type", "RollingUpdate");
  if (strategy["type"] != "RollingUpdate") return;
  Json& rolling = strategy["rollingUpdate"];
  if (rolling.is_null()) rolling = Json::object();
  fill(rolling, "maxSurge", "25%");
  fill(rolling, "maxUnavailable", "25%");
}

void api_gateway(Json& spec) {
  for (Json& listener : spec["listeners"]) {
    Json& allowed = listener["allowedRoutes"];
    if (allowed.is_null()) allowed = Json::object();
    Json& namespaces = allowed["namespaces"];
    if (namespaces.is_null()) namespaces = Json::object();
    fill(namespaces, "from", "Same");
  }
  if (auto addresses = spec.find("addresses"); addresses != spec.end())
    for (Json& address : *addresses) fill(address, "type", "Hostname");
}

void http_route_match(Json& match) {
  Json& path = match["path"];
  if (path.is_null()) path = Json::object();
  fill(path, "type", "PathPrefix");
  fill(path, "value", "/");
  for (const char* name : {"headers", "queryParams"})
    if (auto list = match.find(name); list != match.end())
      for (Json& each : *list) fill(each, "type", "Exact");
}

void http_route_rule(Json& rule) {
  fill(rule, "matches", Json::array({Json::object()}));
  for (Json& match : rule["matches"]) http_route_match(match);
  if (auto filters = rule.find("filters"); filters != rule.end())
    for (Json& filter : *filters)
      if (auto redirect = filter.find("requestRedirect"); redirect != filter.end())
        fill(*redirect, "statusCode", 302);
  if (auto backends = rule.find("backendRefs"); backends != rule.end())
    for (Json& backend : *backends) {
      fill(backend, "group", "");
      fill(backend, "kind", "Service");
      fill(backend, "weight", 1);
    }
}

void http_route(Json& spec) {
  if (auto parents = spec.find("parentRefs"); parents != spec.end())
    for (Json& parent : *parents) {
      fill(parent, "group", "gateway.networking.k8s.io");
      fill(parent, "kind", "Gateway");
    }
  fill(spec, "rules", Json::array({Json::object()}));
  for (Json& rule : spec["rules"]) http_route_rule(rule);
}

/// stringData is for writing; what is kept and shown is data.
void secret(Json& body) {
  fill(body, "type", "Opaque");
  auto texts = body.find("stringData");
  if (texts == body.end()) return;
  Json moved = std::move(*texts);
  body.erase("stringData");
  for (const auto& [key, value] : moved.items())
    body["data"][key] = encode_base64(value.get_ref<const std::string&>());
}

}  // namespace

void set_defaults(Json& body, const KindInfo& kind) {
  if (kind.kind == "Service") return service(body["spec"]);
  if (kind.kind == "Secret") return secret(body);
  if (kind.kind == "HTTPRoute") return http_route(body["spec"]);
  if (kind.kind == "Gateway" && kind.group == "gateway.networking.k8s.io") return api_gateway(body["spec"]);
  if (kind.kind == "Deployment") deployment(body["spec"]);
  if (kind.kind == "ReplicaSet") fill(body["spec"], "replicas", 1);
  if (kind.kind == "Deployment" || kind.kind == "ReplicaSet") pod_spec(body["spec"]["template"]["spec"]);
  if (kind.kind == "Pod") {
    pod_spec(body["spec"]);
    fill(body["spec"], "serviceAccountName", "default");
    fill(body["spec"], "serviceAccount", body["spec"]["serviceAccountName"]);
  }
  if (kind.kind == "EndpointSlice" && body.contains("ports"))
    for (Json& port : body["ports"]) {
      fill(port, "name", "");
      fill(port, "protocol", "TCP");
    }
}

}  // namespace weft::api
