#include "control/translation/translate.h"

#include <algorithm>
#include <array>

#include "control/translation/translator.h"

namespace weft::control {

bool is_proxys_own(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 6> kOwn = {15000, 15001, 15006, 15020, 15021, 15090};
  return std::ranges::find(kOwn, port) != kOwn.end();
}

ResourceSet translate(const PushContext& push, const ProxyIdentity& proxy) {
  Translator translator(Translator::Look::kAsWritten);
  // They outlive it.
  translator.update(std::shared_ptr<const PushContext>(std::shared_ptr<const PushContext>(), &push));
  return *translator.translate(proxy);
}

bool is_gateway(const Labels& labels) {
  auto role = labels.find("istio");
  if (role != labels.end() && (role->second == "ingressgateway" || role->second == "ingress")) return true;
  return labels.contains(std::string(kGatewayNameLabel));
}

}  // namespace weft::control
