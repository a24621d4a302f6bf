#include "control/controllers/gateway_parts.h"

#include <algorithm>
#include <set>

#include "control/controllers/overlay.h"
#include "control/json.h"
#include "inject/gateway_template.h"
#include "inject/names.h"

namespace weft::control {
namespace {

constexpr std::string_view kNameOverride = "gateway.istio.io/name-override";
constexpr std::string_view kServiceType = "networking.istio.io/service-type";
constexpr std::string_view kManagedValue = "istio.io-gateway-controller";
constexpr std::size_t kMaxName = 63;

std::string_view service_type(const api::Object& gateway) {
  std::string_view written = gateway.annotation(kServiceType);
  return written.empty() ? "LoadBalancer" : written;
}

/// Ports that listeners use, each once.
std::set<std::uint16_t> listener_ports(const ApiGateway& gateway) {
  std::set<std::uint16_t> ports;
  for (const ApiListener& listener : gateway.listeners)
    if (listener.serves()) ports.insert(listener.spec->port);
  return ports;
}

api::Json selector_of(const api::Object& gateway) {
  return {{std::string(kGatewayNameLabel), std::string(gateway.name())}};
}

api::Json json_of(const api::TextPairs& pairs) {
  api::Json made = api::Json::object();
  for (const auto& [name, value] : pairs) made[name] = value;
  return made;
}

/// On everything that is made, as spec.infrastructure asks.
api::Json labels_of(const ApiGateway& gateway) {
  const auto& asked = gateway.spec->infrastructure;
  api::Json labels = asked ? json_of(asked->labels) : api::Json::object();
  labels.update(selector_of(*gateway.object));
  labels[std::string(kManagedLabel)] = std::string(kManagedValue);
  return labels;
}

api::Json annotations_of(const ApiGateway& gateway) {
  const auto& asked = gateway.spec->infrastructure;
  return asked ? json_of(asked->annotations) : api::Json::object();
}

std::string parts_name(const ApiGateway& gateway) {
  return weft::control::parts_name(*gateway.object, *gateway.spec);
}

api::Object make_part(const api::KindInfo* kind, const ApiGateway& gateway) {
  const api::Object& object = *gateway.object;
  api::Object made;
  made.kind = kind;
  made.body = {{"apiVersion", kind->api_version()},
               {"kind", std::string(kind->kind)},
               {"metadata",
                {{"name", parts_name(gateway)},
                 {"namespace", std::string(object.ns())},
                 {"labels", labels_of(gateway)},
                 {"ownerReferences", api::Json::array({owner_reference(object)})}}}};
  if (api::Json annotations = annotations_of(gateway); !annotations.empty())
    made.body["metadata"]["annotations"] = std::move(annotations);
  return made;
}

api::Object make_deployment(const ApiGateway& gateway, const inject::Settings& settings) {
  const api::Object& object = *gateway.object;
  inject::GatewayDeployment wanted;
  wanted.name = wanted.service_account = parts_name(gateway);
  wanted.ns = object.ns();
  wanted.labels = labels_of(gateway);
  wanted.annotations = wanted.pod_annotations = annotations_of(gateway);
  wanted.selector = selector_of(object);
  wanted.pod_labels = labels_of(gateway);
  wanted.owner_references.push_back(owner_reference(object));
  for (std::uint16_t port : listener_ports(gateway)) wanted.ports.push_back(port);
  return {kinds::deployment(), inject::gateway_deployment(wanted, settings)};
}

api::Json service_port(std::uint16_t number, std::string name, const char* protocol) {
  return {{"name", std::move(name)},
          {"port", number},
          {"protocol", "TCP"},
          {"targetPort", number},
          {"appProtocol", protocol}};
}

api::Object make_service(const ApiGateway& gateway) {
  const api::Object& object = *gateway.object;
  api::Object made = make_part(kinds::service(), gateway);
  api::Json ports = api::Json::array({service_port(inject::kHealthPort, "status-port", "tcp")});
  for (std::uint16_t port : listener_ports(gateway))
    ports.push_back(service_port(port, "http-" + std::to_string(port), "http"));
  made.body["spec"] = {{"type", std::string(service_type(object))},
                       {"selector", selector_of(object)},
                       {"ports", std::move(ports)}};
  return made;
}

/// Why the parts cannot be made at all.
Finding examine(const ObjectSnapshot& snapshot, const ApiGateway& whole,
                const std::vector<api::Object>& parts) {
  const api::Object& gateway = *whole.object;
  std::string_view type = service_type(gateway);
  if (type != "LoadBalancer" && type != "NodePort" && type != "ClusterIP")
    return {false, "Invalid",
            "annotation " + std::string(kServiceType) + " is \"" + std::string(type) +
                "\" and must be LoadBalancer, NodePort or ClusterIP"};
  if (gateway.name().size() > kMaxName)
    return {false, "Invalid", "its name is longer than a label's value may be: 63 characters"};
  if (parts_name(whole).size() > kMaxName)
    return {false, "Invalid",
            "the name " + parts_name(whole) + " is longer than a Service's may be; annotation " +
                std::string(kNameOverride) + " gives another"};
  for (const api::Object& part : parts) {
    api::ObjectPtr present = snapshot.find(part.key());
    if (!present) continue;
    const bool made_for_one = !present->label(kManagedLabel).empty();
    const std::string_view whose = present->label(kGatewayNameLabel);
    // Two Gateways that both took it for theirs would overwrite each other forever.
    if (made_for_one && (whose.empty() || whose == gateway.name())) continue;
    const std::string name =
        std::string(part.kind->kind) + " " + std::string(part.ns()) + "/" + std::string(part.name());
    const std::string advice = "give another name by annotation " + std::string(kNameOverride);
    if (made_for_one) return {false, "Invalid", name + " is Gateway " + std::string(whose) + "'s; " + advice};
    return {false, "Invalid", name + " is there and was not made for a Gateway; remove it, or " + advice};
  }
  return {true, "Programmed", ""};
}

}  // namespace

std::string parts_name(const api::Object& gateway, const api::gateway_api::Gateway& spec) {
  std::string_view written = gateway.annotation(kNameOverride);
  if (!written.empty()) return std::string(written);
  return std::string(gateway.name()) + "-" + spec.class_name;
}

std::vector<api::Object> gateway_parts(const ApiGateway& gateway, const inject::Settings& settings) {
  return {make_part(kinds::service_account(), gateway), make_deployment(gateway, settings),
          make_service(gateway)};
}

Finding plan_parts(Plan& plan, const ObjectSnapshot& snapshot, const ApiGateway& gateway,
                   const inject::Settings& settings) {
  std::vector<api::Object> parts = gateway_parts(gateway, settings);
  Finding finding = examine(snapshot, gateway, parts);
  if (!finding.good) return finding;
  for (api::Object& part : parts) {
    api::ObjectPtr present = snapshot.find(part.key());
    if (!present) {
      plan.push_back({Change::Kind::kCreate, std::move(part)});
      continue;
    }
    if (is_terminating(*present)) continue;
    part.body = overlay(present->body, part.body);
    if (!json::same(part.body, present->body)) plan.push_back({Change::Kind::kUpdate, std::move(part)});
  }
  return finding;
}

api::ObjectPtr keep_part(const api::ObjectPtr& object) {
  if (!object->label(kManagedLabel).empty()) return object;
  const api::Json& from = json::map(object->body, "metadata");
  api::Json metadata = api::Json::object();
  for (const char* name : {"name", "namespace", "uid", "resourceVersion"})
    if (from.contains(name)) metadata[name] = json::at(from, name);
  return std::make_shared<const api::Object>(api::Object{object->kind,
                                                         {{"apiVersion", object->kind->api_version()},
                                                          {"kind", std::string(object->kind->kind)},
                                                          {"metadata", std::move(metadata)}}});
}

}  // namespace weft::control
