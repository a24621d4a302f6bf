#pragma once

#include <map>
#include <memory>
#include <string>

#include "control/translation/outbound_scope.h"
#include "control/translation/proof.h"
#include "control/translation/translate.h"

namespace weft::control {

/// translate() for many proxies, again and again: what does not differ is made once. Proxies of one scope
/// share what they need for their calls (OutboundScope), and those with the same ports of their own share all
/// of it; of a new generation only that is made which its changes concern.
///
/// Owner: AdsServer. Thread: the loop's.
class Translator {
 public:
  enum class Look : std::uint8_t {
    kProven,    ///< what no proxy would accept is left out (Proof)
    kAsWritten  ///< nothing is
  };
  explicit Translator(Look look = Look::kProven)
      : proof_(look == Look::kProven ? std::make_unique<Proof>() : nullptr) {}

  /// From now on these are translated. What no proxy has been translated for since the last call is
  /// forgotten.
  void update(std::shared_ptr<const PushContext> push);
  /// What `proxy` is to run: the same pointer, or the same tables in it, as far as nothing has changed. Needs
  /// update() first.
  ResourceSetPtr translate(const ProxyIdentity& proxy);

 private:
  /// A part of a translation that is kept while proxies use it.
  template <class T>
  struct Kept {
    T value;
    bool used = true;
  };
  /// What belongs to a proxy itself: a sidecar's captured ports, or what a gateway listens for.
  struct Own {
    ResourceSet set;
    std::uint64_t generation = 0;  ///< of the push that it was made from
  };
  struct Whole {
    std::array<ResourceTablePtr, kTypes> outbound, own;
    ResourceSetPtr set;
  };

  const OutboundScope& outbound(const ProxyIdentity& proxy, ScopeKey& key);
  const ResourceSet& own(const ProxyIdentity& proxy, const std::string& key);
  ResourceSet made_own(const ProxyIdentity& proxy, const ResourceSet& before);
  std::string own_key(const ProxyIdentity& proxy) const;

  std::unique_ptr<Proof> proof_;
  std::shared_ptr<const PushContext> push_;
  std::map<ScopeKey, Kept<OutboundScope>> scopes_;
  std::map<std::string, Kept<Own>, std::less<>> own_;
  std::map<std::pair<ScopeKey, std::string>, Kept<Whole>> sets_;
  std::uint64_t gateways_changed_ = 0;  ///< generation
};

}  // namespace weft::control
