#include "cli/description.h"

#include <algorithm>

#include "api/merge.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "cli/json_path.h"

namespace weft::cli {
namespace {

using api::Json;

void describe_metadata(Page& page, const api::Object& object) {
  page.field("Name", object.name());
  if (object.kind->namespaced) page.field("Namespace", object.ns());
  page.map("Labels", at(object.body, "metadata.labels"), "=");
  Json annotations = at(object.body, "metadata.annotations");
  if (annotations.is_object()) annotations.erase(std::string(api::kLastApplied));
  page.map("Annotations", annotations, ": ");
}

void describe_service(Page& page, const Json& service, const Surroundings& around) {
  page.field("Selector", pairs_text(at(service, "spec.selector")));
  page.field("Type", text_at(service, "spec.type"));
  page.field("IP", text_at(service, "spec.clusterIP"));
  for (const Json& port : list_at(service, "spec.ports")) {
    const std::string name = text_at(port, "name"), protocol = text_at(port, "protocol");
    page.field("Port", (name.empty() ? "<unset>" : name) + "  " + std::to_string(number_at(port, "port")) +
                           "/" + (protocol.empty() ? "TCP" : protocol));
    page.field("TargetPort", scalar_text(at(port, "targetPort")));
    std::string endpoints;
    for (const api::ObjectPtr& slice : around.endpoint_slices)
      for (const Json& endpoint : list_at(slice->body, "endpoints"))
        for (const Json& address : list_at(endpoint, "addresses")) {
          if (at(endpoint, "conditions.ready").is_boolean() && !flag_at(endpoint, "conditions.ready"))
            continue;
          for (const Json& target : list_at(slice->body, "ports")) {
            if (text_at(target, "name") != name) continue;
            endpoints += (endpoints.empty() ? "" : ",") + scalar_text(address) + ":" +
                         std::to_string(number_at(target, "port"));
          }
        }
    page.field("Endpoints", endpoints);
  }
}

void describe_deployment(Page& page, const Json& deployment) {
  const auto count = [&](std::string_view name) {
    return std::to_string(number_at(at(deployment, "status"), name));
  };
  page.field("Selector", pairs_text(at(deployment, "spec.selector.matchLabels")));
  page.field("Replicas", std::to_string(number_at(deployment, "spec.replicas", 1)) + " desired | " +
                             count("updatedReplicas") + " updated | " + count("replicas") + " total | " +
                             count("availableReplicas") + " available | " + count("unavailableReplicas") +
                             " unavailable");
  describe_template(page, at(deployment, "spec.template"));
}

void describe_replica_set(Page& page, const Json& set) {
  page.field("Selector", pairs_text(at(set, "spec.selector.matchLabels")));
  for (const Json& owner : list_at(set, "metadata.ownerReferences"))
    page.field("Controlled By", text_at(owner, "kind") + "/" + text_at(owner, "name"));
  page.field("Replicas", std::to_string(number_at(set, "status.replicas")) + " current / " +
                             std::to_string(number_at(set, "spec.replicas", 1)) + " desired");
  describe_template(page, at(set, "spec.template"));
}

void describe_secret(Page& page, const Json& secret) {
  page.field("Type", text_at(secret, "type"));
  page.enter("Data");
  if (const Json& data = at(secret, "data"); data.is_object())
    for (const auto& [key, value] : data.items()) {
      const std::string encoded = scalar_text(value);
      const auto padding = encoded.size() - std::min(encoded.find('='), encoded.size());
      page.field(key, std::to_string(encoded.size() / 4 * 3 - std::min<std::size_t>(padding, 2)) + " bytes");
    }
  page.leave();
}

/// Everything that is not metadata or status, as it is written.
void describe_fields(Page& page, const api::Object& object) {
  for (const auto& [key, value] : object.body.items()) {
    if (key == "apiVersion" || key == "kind" || key == "metadata" || key == "status") continue;
    std::string title = key;
    if (!title.empty() && title[0] >= 'a' && title[0] <= 'z')
      title[0] = static_cast<char>(title[0] - 'a' + 'A');
    if (!value.is_structured()) {
      page.field(title, scalar_text(value));
      continue;
    }
    page.enter(title);
    page.lines(api::to_yaml(value));
    page.leave();
  }
}

void describe_condition(Page& page, const Json& condition) {
  std::string text = text_at(condition, "status");
  const std::string reason = text_at(condition, "reason"), message = text_at(condition, "message");
  if (!reason.empty()) text += "  " + reason;
  if (!message.empty()) text += ": " + message;
  page.field(text_at(condition, "type"), text);
}

void describe_conditions(Page& page, const Json& status) {
  const Json& conditions = list_at(status, "conditions");
  if (!conditions.empty()) {
    page.enter("Conditions");
    for (const Json& condition : conditions) describe_condition(page, condition);
    page.leave();
  }
  for (const Json& message : list_at(status, "validationMessages"))
    page.field("Message", text_at(message, "message"));
}

bool is_rule(std::string_view kind) {
  return kind == "VirtualService" || kind == "DestinationRule" || kind == "Gateway";
}

/// A rule's conditions as they are at this moment; their reasons follow as messages with their fields, and
/// those of proxies with the proxies. Its status has them only when there is something to say:
/// a write for every rule that is as it should be would be news to every proxy.
void describe_rule(Page& page, const Json& status, const Surroundings& around) {
  const bool waits = std::ranges::any_of(
      around.remarks, [](const Json& each) { return text_at(each, "remark") == "Waiting"; });
  page.enter("Conditions");
  page.field("Resolved", waits ? "False  Waiting" : "True  AllFound: everything it names is there");
  for (const Json& condition : list_at(status, "conditions"))
    if (text_at(condition, "type") == "Applied")
      page.field("Applied", text_at(condition, "status") + "  " + text_at(condition, "reason"));
  page.leave();
  for (const Json& each : around.remarks) {
    const std::string field = text_at(each, "field");
    page.field("Message", (field.empty() ? "" : field + ": ") + text_at(each, "message"));
  }
}

bool mentions(const Json& value, const std::string& text) {
  if (value.is_string()) return value.get_ref<const std::string&>().find(text) != std::string::npos;
  return value.is_structured() &&
         std::ranges::any_of(value, [&](const Json& part) { return mentions(part, text); });
}

/// What is said of an object and does not stand in its own status, which may have no place for it.
void describe_remarks(Page& page, const Json& status, const Surroundings& around) {
  for (const Json& each : around.remarks) {
    const std::string field = text_at(each, "field"), message = text_at(each, "message");
    if (mentions(status, message)) continue;
    page.field("Warning", (field.empty() ? "" : field + ": ") + message);
  }
}

/// What each listener of a Gateway and each parent of a route says, in the Gateway API.
void describe_parts(Page& page, const Json& status) {
  for (const Json& listener : list_at(status, "listeners")) {
    page.enter("Listener " + text_at(listener, "name"));
    page.field("Attached Routes", std::to_string(number_at(listener, "attachedRoutes")));
    describe_conditions(page, listener);
    page.leave();
  }
  for (const Json& parent : list_at(status, "parents")) {
    const std::string section = text_at(parent, "parentRef.sectionName");
    page.enter("Parent " + text_at(parent, "parentRef.name") + (section.empty() ? "" : "/" + section));
    describe_conditions(page, parent);
    page.leave();
  }
}

/// Who runs the object, who does not yet, and who rejected it and why. A proxy that nothing of it concerns
/// runs it too.
void describe_receipt(Page& page, const Json& receipt) {
  if (!receipt.is_object()) return;
  const Json &pending = list_at(receipt, "pending"), &rejected = list_at(receipt, "rejected");
  std::string waiting, reasons;
  std::size_t all = static_cast<std::size_t>(number_at(receipt, "applied")) + pending.size();
  for (const Json& proxy : pending) waiting += (waiting.empty() ? "" : "\n") + scalar_text(proxy);
  for (const Json& each : rejected) {
    const std::string proxy = text_at(each, "proxy");
    reasons += (reasons.empty() ? "" : "\n") + proxy + ": " + text_at(each, "reason");
    if (proxy != "control plane") ++all;
  }
  page.enter("Proxies");
  page.field("Applied", std::to_string(number_at(receipt, "applied")) + " of " + std::to_string(all) +
                            ", each what of it concerns it");
  page.field("Pending", waiting);
  page.field("Rejected", reasons);
  page.leave();
}

}  // namespace

std::string describe_object(const api::Object& object, const Surroundings& around) {
  Page page;
  describe_metadata(page, object);
  const std::string_view kind = object.kind->plural;
  if (kind == "pods")
    describe_pod(page, object.body);
  else if (kind == "services")
    describe_service(page, object.body, around);
  else if (kind == "deployments")
    describe_deployment(page, object.body);
  else if (kind == "replicasets")
    describe_replica_set(page, object.body);
  else if (kind == "secrets")
    describe_secret(page, object.body);
  else
    describe_fields(page, object);
  if (around.knows_remarks && object.kind->group == "networking.istio.io" && is_rule(object.kind->kind)) {
    describe_rule(page, object.status(), around);
  } else {
    describe_conditions(page, object.status());
    describe_remarks(page, object.status(), around);
  }
  describe_parts(page, object.status());
  describe_receipt(page, around.receipt);
  return page.text();
}

}  // namespace weft::cli
