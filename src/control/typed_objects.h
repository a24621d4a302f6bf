#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string_view>
#include <tuple>
#include <vector>

#include "api/gateway_api/gateway.h"
#include "api/gateway_api/http_route.h"
#include "api/gateway_api/reference_grant.h"
#include "api/istio/destination_rule.h"
#include "api/istio/gateway.h"
#include "api/istio/virtual_service.h"
#include "api/networking/ingress.h"
#include "control/carry_over.h"
#include "control/shared_list.h"

namespace weft::control {

/// A user's object with what its spec says.
template <class Spec>
struct Typed {
  api::ObjectPtr object;
  /// The same one in memory as long as the object's generation is the same.
  std::shared_ptr<const Spec> spec;
};

/// The kind whose specs are read as Spec.
template <class Spec>
const api::KindInfo* kind_of();

/// The rules of users in one snapshot as structs, each read once for each generation of its object: nothing
/// else reads their JSON. What has not changed since an earlier snapshot is the same in memory in both.
/// Immutable; any thread.
class TypedObjects {
 public:
  using Objects = std::vector<api::ObjectPtr>;
  using Lists = std::map<const api::KindInfo*, std::shared_ptr<const Objects>>;

  TypedObjects() = default;
  /// `old` was made from `old_objects`.
  TypedObjects(const Lists& objects, const Lists& old_objects, const TypedObjects& old);

  /// In the order of their names.
  template <class Spec>
  SharedList<Typed<Spec>> all() const {
    return SharedList<Typed<Spec>>(*std::get<List<Spec>>(lists_));
  }
  /// Null when there is none. O(log n).
  template <class Spec>
  const Typed<Spec>* find(std::string_view ns, std::string_view name) const {
    const MadeOf<Typed<Spec>>& list = *std::get<List<Spec>>(lists_);
    const auto found = std::ranges::partition_point(list, [&](const auto& each) {
      const int by_namespace = each->object->ns().compare(ns);
      return by_namespace != 0 ? by_namespace < 0 : each->object->name() < name;
    });
    const bool is_it =
        found != list.end() && (*found)->object->name() == name && (*found)->object->ns() == ns;
    return is_it ? found->get() : nullptr;
  }

 private:
  template <class Spec>
  using List = std::shared_ptr<const MadeOf<Typed<Spec>>>;
  template <class Spec>
  static const List<Spec>& none() {
    static const List<Spec> kNone = std::make_shared<const MadeOf<Typed<Spec>>>();
    return kNone;
  }
  template <class Spec>
  void carry(const Lists& objects, const Lists& old_objects, const TypedObjects& old);

  std::tuple<List<api::istio::VirtualService>, List<api::istio::DestinationRule>, List<api::istio::Gateway>,
             List<api::networking::Ingress>, List<api::networking::IngressClass>,
             List<api::gateway_api::Gateway>, List<api::gateway_api::GatewayClass>,
             List<api::gateway_api::HttpRoute>, List<api::gateway_api::ReferenceGrant>>
      lists_ = {none<api::istio::VirtualService>(),
                none<api::istio::DestinationRule>(),
                none<api::istio::Gateway>(),
                none<api::networking::Ingress>(),
                none<api::networking::IngressClass>(),
                none<api::gateway_api::Gateway>(),
                none<api::gateway_api::GatewayClass>(),
                none<api::gateway_api::HttpRoute>(),
                none<api::gateway_api::ReferenceGrant>()};
};

}  // namespace weft::control
