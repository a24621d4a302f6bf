#include "control/controllers/attention.h"

namespace weft::control {

std::optional<Scope> Attention::scope(const LinkIndex& links, const ObjectSnapshot& now,
                                      std::span<const api::KindInfo* const> kinds) const {
  if (!seen_) return std::nullopt;
  Scope scope = links.concerned(*seen_, kinds);
  for (const api::Key& key : again_)
    if (const api::ObjectPtr object = now.find(key)) scope[key.kind].push_back(object);
  for (auto& [kind, objects] : scope) tidy(objects);
  return scope;
}

void Attention::looked_at(const ObjectSnapshot& snapshot, std::span<const api::KindInfo* const> kinds,
                          const std::vector<api::Key>& unsettled) {
  seen_ = snapshot.only(kinds);
  again_ = {unsettled.begin(), unsettled.end()};
}

}  // namespace weft::control
