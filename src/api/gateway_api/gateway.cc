#include "api/gateway_api/gateway.h"

#include <array>

#include "base/strings.h"

namespace weft::api::gateway_api {
namespace {

constexpr std::array<Word<RouteNamespaces::From>, 4> kFrom = {
    {{"Same", RouteNamespaces::From::kSame},
     {"All", RouteNamespaces::From::kAll},
     {"None", RouteNamespaces::From::kNone},
     {"Selector", RouteNamespaces::From::kSelector}}};

RouteNamespaces read_namespaces(const Json& from) {
  Fields fields(from);
  RouteNamespaces made;
  made.from = fields.word("from", kFrom).value_or(RouteNamespaces::From::kSame);
  if (made.from != RouteNamespaces::From::kSelector) return made;
  const Json* selector = fields.map("selector");
  if (auto read = LabelSelector::from_json(selector ? *selector : Json::object()))
    made.selector = *std::move(read);
  return made;
}

Listener read_listener(const Json& from, std::size_t index) {
  Fields fields(from);
  Listener made;
  made.where = Place().at(List::kListeners, index);
  made.name = fields.text("name");
  made.host = to_lower(fields.text("hostname"));
  if (made.host.empty()) made.host = "*";
  made.port = fields.port("port");
  made.protocol = fields.text("protocol");
  const Json* allowed = fields.map("allowedRoutes");
  if (!allowed) return made;
  Fields routes(*allowed);
  if (const Json* namespaces = routes.map("namespaces")) made.namespaces = read_namespaces(*namespaces);
  made.kinds = routes.list("kinds", [](const Json& each, std::size_t) {
    Fields kind(each);
    return RouteKind{.group = kind.optional_text("group"), .kind = kind.text("kind")};
  });
  return made;
}

}  // namespace

Gateway read_gateway(const Json& spec) {
  Fields fields(spec);
  Gateway made;
  made.class_name = fields.text("gatewayClassName");
  made.listeners = fields.list("listeners", read_listener);
  made.addresses = fields.list(
      "addresses", [](const Json& address, std::size_t) { return Fields(address).text("value"); });
  if (const Json* from = fields.map("infrastructure"); from && !from->empty()) {
    Fields parts(*from);
    made.infrastructure =
        Infrastructure{.labels = parts.pairs("labels"), .annotations = parts.pairs("annotations")};
  }
  return made;
}

GatewayClass read_gateway_class(const Json& spec) {
  return {.controller = Fields(spec).text("controllerName")};
}

}  // namespace weft::api::gateway_api
