#include "app/testing/mesh_model.h"

#include <algorithm>

#include "control/object_snapshot.h"

namespace weft::app::testing {
namespace {

using api::Json;

api::Object object_of(const api::KindInfo* kind, const std::string& name, Json spec) {
  return {kind,
          {{"apiVersion", kind->api_version()},
           {"kind", std::string(kind->kind)},
           {"metadata", {{"name", name}, {"namespace", "default"}}},
           {"spec", std::move(spec)}}};
}

Json to(const std::string& service, const std::string& subset, int weight = 0) {
  Json destination = {{"host", service}};
  if (!subset.empty()) destination["subset"] = subset;
  Json route = {{"destination", std::move(destination)}};
  if (weight) route["weight"] = weight;
  return route;
}

Json route_to(const std::string& service, const std::string& subset) {
  return {{"route", Json::array({to(service, subset)})}};
}

Json http_of(const std::string& service, const ModelRule& rule) {
  using Kind = ModelRule::Kind;
  switch (rule.kind) {
    case Kind::kSubset: return Json::array({route_to(service, rule.first)});
    case Kind::kSplit:
      return Json::array(
          {{{"route", Json::array({to(service, rule.first, 50), to(service, rule.second, 50)})}}});
    case Kind::kVariant: {
      Json matched = route_to(service, rule.first);
      matched["match"] = Json::array({{{"headers", {{"x-variant", {{"exact", "a"}}}}}}});
      return Json::array({std::move(matched), route_to(service, rule.second)});
    }
    case Kind::kOther: return Json::array({route_to(rule.first, {})});
    case Kind::kAbort: {
      Json made = route_to(service, {});
      made["fault"] = {{"abort", {{"httpStatus", 418}, {"percentage", {{"value", 100}}}}}};
      return Json::array({std::move(made)});
    }
    case Kind::kUnreadable: {
      Json made = route_to(service, {});
      made["match"] = Json::array({{{"uri", {{"regex", "("}}}}});
      return Json::array({std::move(made)});
    }
    case Kind::kUnsound: {
      Json made = route_to(service, {});
      made["headers"] = {{"request", {{"set", {{"x-discount", "100%"}}}}}};
      return Json::array({std::move(made)});
    }
  }
  return Json::array();
}

}  // namespace

std::set<MeshModel::Destination> MeshModel::destinations(const std::string& service,
                                                         const std::string& variant) const {
  const auto found = services.find(service);
  if (found == services.end() || !found->second.present) return {};
  const Service& of = found->second;
  if (!of.rule) return {{service, {}}};
  std::set<Destination> allowed;
  const auto add = [&](const std::string& subset) {
    if (of.subsets && of.subsets->contains(subset)) allowed.insert({service, subset});
  };
  using Kind = ModelRule::Kind;
  const ModelRule& rule = *of.rule;
  if (rule.kind == Kind::kOther)
    if (const auto other = services.find(rule.first); other != services.end() && other->second.present)
      allowed.insert({rule.first, {}});
  if (rule.kind == Kind::kSubset || rule.kind == Kind::kSplit) add(rule.first);
  if (rule.kind == Kind::kSplit) add(rule.second);
  if (rule.kind == Kind::kVariant) add(variant == "a" ? rule.first : rule.second);
  return allowed;
}

bool MeshModel::serves(const std::string& service, const std::string& variant) const {
  const std::set<Destination> all = destinations(service, variant);
  const auto found = services.find(service);
  const bool split =
      found != services.end() && found->second.rule && found->second.rule->kind == ModelRule::Kind::kSplit;
  if (all.empty() || (split && all.size() < 2)) return false;
  return std::ranges::none_of(all, [&](const Destination& to) { return receivers(to).empty(); });
}

int MeshModel::local_status(const std::string& service) const {
  const auto found = services.find(service);
  if (found == services.end() || !found->second.rule) return 503;
  switch (found->second.rule->kind) {
    case ModelRule::Kind::kAbort: return 418;
    case ModelRule::Kind::kUnreadable: return 404;
    case ModelRule::Kind::kUnsound: return 500;
    default: return 503;
  }
}

bool MeshModel::belongs(const std::string& pod, const Destination& to) const {
  const auto found = pods.find(pod);
  return found != pods.end() && found->second.service == to.service &&
         (to.version.empty() || found->second.version == to.version);
}

std::set<std::string> MeshModel::receivers(const Destination& to) const {
  std::set<std::string> ready, ending;
  for (const auto& [name, pod] : pods) {
    if (!belongs(name, to) || !pod.ready) continue;
    (pod.ending ? ending : ready).insert(name);
  }
  return ready.empty() ? ending : ready;
}

api::Object MeshModel::service_object(const std::string& name) const {
  return object_of(
      control::kinds::service(), name,
      {{"selector", {{"app", name}}},
       {"ports",
        Json::array({{{"name", "http"}, {"port", 80}, {"targetPort", 8080}, {"protocol", "TCP"}}})}});
}

api::Object MeshModel::rule_object(const std::string& service) const {
  return object_of(
      control::kinds::virtual_service(), service,
      {{"hosts", Json::array({service})}, {"http", http_of(service, *services.at(service).rule)}});
}

api::Object MeshModel::destination_rule_object(const std::string& service) const {
  const Service& of = services.at(service);
  Json subsets = Json::array();
  for (const std::string& name : *of.subsets)
    subsets.push_back({{"name", name}, {"labels", {{"version", name}}}});
  Json policy = Json::object();
  if (of.policy & 1) policy["loadBalancer"] = {{"simple", of.policy & 2 ? "RANDOM" : "ROUND_ROBIN"}};
  if (of.policy & 4) policy["connectionPool"]["http"] = {{"maxRequestsPerConnection", 1 + of.policy % 3}};
  if (of.policy & 8) policy["connectionPool"]["tcp"] = {{"connectTimeout", "2s"}};
  Json spec = {{"host", service}, {"subsets", std::move(subsets)}};
  if (!policy.empty()) spec["trafficPolicy"] = std::move(policy);
  return object_of(control::kinds::destination_rule(), service, std::move(spec));
}

api::Object MeshModel::pod_object(const std::string& name) const {
  const Pod& pod = pods.at(name);
  api::Object made = object_of(control::kinds::pod(), name,
                               {{"containers", Json::array({{{"name", "app"}, {"image", "app"}}})}});
  made.body["metadata"]["labels"] = {{"app", pod.service.empty() ? name : pod.service},
                                     {"version", pod.version}};
  if (pod.ending) made.body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  made.body["status"] = {
      {"phase", "Running"},
      {"podIP", pod.ip},
      {"conditions", Json::array({{{"type", "Ready"}, {"status", pod.ready ? "True" : "False"}}})}};
  return made;
}

std::string differences(const std::map<std::string, std::string>& expected,
                        const std::map<std::string, std::string>& running) {
  std::string text;
  for (const auto& [name, bytes] : expected)
    if (!running.contains(name))
      text += " lacks " + name;
    else if (running.at(name) != bytes)
      text += " has another " + name;
  for (const auto& [name, bytes] : running)
    if (!expected.contains(name)) text += " has still " + name;
  return text;
}

}  // namespace weft::app::testing
