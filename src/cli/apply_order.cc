#include "cli/apply_order.h"

#include <algorithm>
#include <map>

namespace weft::cli {
namespace {

constexpr std::size_t kNamespaces = 0, kConfiguration = 1, kDestinations = 2, kUsers = 3;

std::size_t rank_of(const api::KindInfo& kind) {
  static constexpr std::string_view kRead[] = {"ServiceAccount", "ConfigMap",    "Secret",
                                               "IngressClass",   "GatewayClass", "ReferenceGrant"};
  static constexpr std::string_view kLedTo[] = {"Service", "EndpointSlice", "DestinationRule", "Gateway"};
  if (kind.kind == "Namespace") return kNamespaces;
  if (std::ranges::find(kRead, kind.kind) != std::end(kRead)) return kConfiguration;
  if (std::ranges::find(kLedTo, kind.kind) != std::end(kLedTo)) return kDestinations;
  return kUsers;
}

}  // namespace

ApplyOrder::ApplyOrder(const std::vector<api::Key>& objects) : places_(objects.size()) {
  std::map<api::Key, std::size_t> last;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    rank_of_.push_back(rank_of(*objects[i].kind));
    ranks_[rank_of_[i]].members.push_back(i);
    const auto [at, first] = last.try_emplace(objects[i], i);
    if (!first) places_[i].same = std::exchange(at->second, i);
  }
}

bool ApplyOrder::may_go(std::size_t rank, std::size_t object) const {
  const std::size_t none = places_.size();
  if (rank != kNamespaces && ranks_[kNamespaces].first_open(none) != none) return false;
  for (std::size_t lower = kConfiguration; lower < rank; ++lower)
    if (ranks_[lower].first_open(none) < object) return false;
  const std::optional<std::size_t> same = places_[object].same;
  return !same || places_[*same].done;
}

std::optional<std::size_t> ApplyOrder::next() {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < kRanks; ++i) {
    const Rank& rank = ranks_[i];
    if (rank.given == rank.members.size()) continue;
    const std::size_t object = rank.members[rank.given];
    if ((!best || object < *best) && may_go(i, object)) best = object;
  }
  if (best) ++ranks_[rank_of_[*best]].given;
  return best;
}

void ApplyOrder::done(std::size_t object) {
  places_[object].done = true;
  Rank& rank = ranks_[rank_of_[object]];
  while (rank.over < rank.members.size() && places_[rank.members[rank.over]].done) ++rank.over;
}

}  // namespace weft::cli
