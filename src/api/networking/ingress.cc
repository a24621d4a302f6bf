#include "api/networking/ingress.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace weft::api::networking {
namespace {

constexpr std::array<Word<IngressPath::Type>, 2> kTypes = {
    {{"Exact", IngressPath::Type::kExact}, {"Prefix", IngressPath::Type::kPrefix}}};

std::optional<Backend> read_backend(Fields& owner, std::string_view name) {
  const Json* from = owner.map(name);
  if (!from || from->empty()) return std::nullopt;
  Backend made;
  const Json* service = Fields(*from).map("service");
  if (!service) return made;
  Fields fields(*service);
  made.service = fields.text("name");
  const Json* port = fields.map("port");
  if (!port) return made;
  Fields parts(*port);
  made.port = parts.port("number");
  if (std::string port_name = parts.text("name"); !port_name.empty()) made.port = std::move(port_name);
  return made;
}

IngressPath read_path(const Json& from, Place where) {
  Fields fields(from);
  IngressPath made;
  made.where = where;
  made.path = fields.text("path");
  if (const auto type = fields.word("pathType", kTypes)) {
    made.type = *type;
  } else {
    OwnPath own = read_own_path(made.path);
    made.path = std::move(own.path);
    made.type = own.type;
  }
  made.backend = read_backend(fields, "backend");
  return made;
}

IngressRule read_rule(const Json& from, std::size_t index) {
  Fields fields(from);
  IngressRule made;
  made.host = to_lower(fields.text("host"));
  if (made.host.empty()) made.host = "*";
  const Place where = Place().at(List::kRules, index);
  if (const Json* http = fields.map("http"))
    made.paths = Fields(*http).list("paths", [&](const Json& path, std::size_t at) {
      return read_path(path, where.at(List::kPaths, at));
    });
  return made;
}

}  // namespace

std::string_view to_string(IngressPath::Type type) {
  return std::ranges::find(kTypes, type, &Word<IngressPath::Type>::value)->text;
}

OwnPath read_own_path(std::string_view written) {
  OwnPath made{std::string(written), IngressPath::Type::kExact, false};
  const bool wildcard = written.ends_with("/*") || written.ends_with(".*");
  if (wildcard) made.path.resize(written.size() - 2);
  if (wildcard || written.empty() || written == "*") made.type = IngressPath::Type::kPrefix;
  if (made.path.empty() || written == "*") made.path = "/";
  made.is_pattern = made.path.find_first_of("*?|^[]\\") != made.path.npos;
  return made;
}

Ingress read_ingress(const Json& spec) {
  Fields fields(spec);
  return {.class_name = fields.text("ingressClassName"),
          .default_backend = read_backend(fields, "defaultBackend"),
          .rules = fields.list("rules", read_rule)};
}

IngressClass read_ingress_class(const Json& spec) { return {.controller = Fields(spec).text("controller")}; }

}  // namespace weft::api::networking
