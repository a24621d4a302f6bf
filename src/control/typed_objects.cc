#include "control/typed_objects.h"

#include "control/object_snapshot.h"

namespace weft::control {
namespace {

namespace istio = api::istio;
namespace networking = api::networking;
namespace gateway_api = api::gateway_api;

template <class Spec>
Spec read(const api::Json& spec);

template <>
istio::VirtualService read(const api::Json& spec) {
  return istio::read_virtual_service(spec);
}
template <>
istio::DestinationRule read(const api::Json& spec) {
  return istio::read_destination_rule(spec);
}
template <>
istio::Gateway read(const api::Json& spec) {
  return istio::read_gateway(spec);
}
template <>
networking::Ingress read(const api::Json& spec) {
  return networking::read_ingress(spec);
}
template <>
networking::IngressClass read(const api::Json& spec) {
  return networking::read_ingress_class(spec);
}
template <>
gateway_api::Gateway read(const api::Json& spec) {
  return gateway_api::read_gateway(spec);
}
template <>
gateway_api::GatewayClass read(const api::Json& spec) {
  return gateway_api::read_gateway_class(spec);
}
template <>
gateway_api::HttpRoute read(const api::Json& spec) {
  return gateway_api::read_http_route(spec);
}
template <>
gateway_api::ReferenceGrant read(const api::Json& spec) {
  return gateway_api::read_reference_grant(spec);
}

template <class Spec>
std::shared_ptr<const Typed<Spec>> typed(const api::ObjectPtr& object,
                                         const std::shared_ptr<const Typed<Spec>>& old) {
  const bool same = old && same_spec(*object, *old->object);
  return std::make_shared<const Typed<Spec>>(
      Typed<Spec>{object, same ? old->spec : std::make_shared<const Spec>(read<Spec>(object->spec()))});
}

std::shared_ptr<const TypedObjects::Objects> list_of(const TypedObjects::Lists& lists,
                                                     const api::KindInfo* kind) {
  static const auto kNone = std::make_shared<const TypedObjects::Objects>();
  const auto found = lists.find(kind);
  return found == lists.end() ? kNone : found->second;
}

}  // namespace

template <>
const api::KindInfo* kind_of<istio::VirtualService>() {
  return kinds::virtual_service();
}
template <>
const api::KindInfo* kind_of<istio::DestinationRule>() {
  return kinds::destination_rule();
}
template <>
const api::KindInfo* kind_of<istio::Gateway>() {
  return kinds::gateway();
}
template <>
const api::KindInfo* kind_of<networking::Ingress>() {
  return kinds::ingress();
}
template <>
const api::KindInfo* kind_of<networking::IngressClass>() {
  return kinds::ingress_class();
}
template <>
const api::KindInfo* kind_of<gateway_api::Gateway>() {
  return kinds::api_gateway();
}
template <>
const api::KindInfo* kind_of<gateway_api::GatewayClass>() {
  return kinds::gateway_class();
}
template <>
const api::KindInfo* kind_of<gateway_api::HttpRoute>() {
  return kinds::http_route();
}
template <>
const api::KindInfo* kind_of<gateway_api::ReferenceGrant>() {
  return kinds::reference_grant();
}

template <class Spec>
void TypedObjects::carry(const Lists& objects, const Lists& old_objects, const TypedObjects& old) {
  const auto now = list_of(objects, kind_of<Spec>()), before = list_of(old_objects, kind_of<Spec>());
  const List<Spec>& made_before = std::get<List<Spec>>(old.lists_);
  List<Spec>& made = std::get<List<Spec>>(lists_);
  if (now == before)
    made = made_before;
  else
    made = std::make_shared<const MadeOf<Typed<Spec>>>(
        carry_over<Typed<Spec>>(*before, *made_before, *now, typed<Spec>, [](const auto&, const auto&) {}));
}

TypedObjects::TypedObjects(const Lists& objects, const Lists& old_objects, const TypedObjects& old) {
  std::apply(
      [&]<class... Of>(const std::shared_ptr<const std::vector<std::shared_ptr<const Typed<Of>>>>&...) {
        (carry<Of>(objects, old_objects, old), ...);
      },
      lists_);
}

}  // namespace weft::control
