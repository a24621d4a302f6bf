#include "api/convert.h"

#include <charconv>

#include "api/networking/ingress.h"
#include "api/schema/check.h"

namespace weft::api {
namespace {

/// The member, or null.
Json* member(Json& value, std::string_view name) {
  auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

/// extensions and apps before v1 took the selector and the labels from the template.
void convert_workload(Json& body) {
  Json& spec = body["spec"];
  Json* meta = member(spec["template"], "metadata");
  Json* found = meta ? member(*meta, "labels") : nullptr;
  if (!found || found->empty()) return;
  // A copy: a new member of an ordered map moves its neighbours.
  const Json labels = *found;
  if (!spec.contains("selector")) spec["selector"]["matchLabels"] = labels;
  if (!body["metadata"].contains("labels")) body["metadata"]["labels"] = labels;
}

/// Digits in quotes were a number to the old versions, and are not a port's name to today's.
Json convert_port(const Json& written, const Path& at, Report& report) {
  if (!written.is_string()) return written;
  const auto& text = written.get_ref<const std::string&>();
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return written;
  report.note(at, "\"" + text + "\" is read as the number " + std::to_string(number));
  return number;
}

void convert_backend(Json& backend, const Path& at, Report& report) {
  if (!backend.is_object() || !backend.contains("serviceName")) return;
  Json service = Json::object();
  service["name"] = backend["serviceName"];
  const Json port = convert_port(backend["servicePort"], at.at("servicePort"), report);
  service["port"][port.is_string() ? "name" : "number"] = port;
  backend = Json::object();
  backend["service"] = std::move(service);
}

template <class Visit>
void each_path(Json& spec, const Path& at, Visit visit) {
  Json* rules = member(spec, "rules");
  if (!rules || !rules->is_array()) return;
  Path rules_at = at.at("rules");
  for (std::size_t i = 0; i < rules->size(); ++i) {
    Json* http = member((*rules)[i], "http");
    Json* paths = http ? member(*http, "paths") : nullptr;
    if (!paths || !paths->is_array()) continue;
    Path rule_at = rules_at.at(i);
    Path http_at = rule_at.at("http");
    Path paths_at = http_at.at("paths");
    for (std::size_t k = 0; k < paths->size(); ++k)
      if ((*paths)[k].is_object()) visit((*paths)[k], paths_at.at(k));
  }
}

void convert_ingress(Json& spec, const Path& at, Report& report) {
  if (Json* backend = member(spec, "backend")) {
    convert_backend(*backend, at.at("backend"), report);
    Json moved = std::move(*backend);
    spec.erase("backend");
    spec["defaultBackend"] = std::move(moved);
  }
  each_path(spec, at, [&](Json& path, const Path& path_at) {
    convert_backend(path["backend"], path_at.at("backend"), report);
    if (!path.contains("pathType")) path["pathType"] = "ImplementationSpecific";
    if (const Json* written = member(path, "path"); written && *written != "") return;
    path["path"] = "/";
    if (path["pathType"] == "ImplementationSpecific") path["pathType"] = "Prefix";
  });
}

/// An ImplementationSpecific path that means a prefix is written as one; any other with the signs of a
/// pattern is rejected rather than matched literally.
void plain_path(Json& rule, const Path& at, Report& report) {
  Json* path = member(rule, "path");
  if (!path || !path->is_string() || rule["pathType"] != "ImplementationSpecific") return;
  const Path path_at = at.at("path");
  const auto written = path->get<std::string>();
  networking::OwnPath read = networking::read_own_path(written);
  if (read.is_pattern)
    return report.problem(
        path_at, shown(*path) + ": must be a path without a pattern, or one that ends with /* or .*");
  if (read.type == networking::IngressPath::Type::kExact) return;
  report.note(path_at, "\"" + written + "\" is read as the prefix " + read.path);
  *path = std::move(read.path);
  rule["pathType"] = "Prefix";
}

}  // namespace

void convert(Json& body, const KindInfo& kind, const Path& at, Report& report) {
  const bool old = body["apiVersion"] != kind.api_version();
  body["apiVersion"] = kind.api_version();
  if (old && (kind.kind == "Deployment" || kind.kind == "ReplicaSet")) convert_workload(body);
  if (kind.kind != "Ingress") return;
  Path spec_at = at.at("spec");
  if (old) convert_ingress(body["spec"], spec_at, report);
  each_path(body["spec"], spec_at,
            [&](Json& rule, const Path& rule_at) { plain_path(rule, rule_at, report); });
}

}  // namespace weft::api
