#include "control/ads/table_change.h"

#include <array>
#include <charconv>
#include <functional>
#include <unordered_map>

#include "control/translation/route_table.h"
#include "xds/proto/route_table_change.pb.h"

namespace weft::control {
namespace {

using Change = weft::xds::v1::RouteTableChange;
using Pieces = std::vector<HostPiecePtr>;

/// Where a piece stood before. Most stand where they stood; only when one does not are the others looked for.
class PiecesBefore {
 public:
  explicit PiecesBefore(const Pieces& pieces, bool in_place) : pieces_(pieces), in_place_(in_place) {}

  std::optional<std::size_t> find(std::size_t index, const HostPiecePtr& piece) {
    if (index < pieces_.size() && pieces_[index] == piece) return index;
    if (in_place_) return std::nullopt;
    if (places_.empty())
      for (std::size_t i = 0; i < pieces_.size(); ++i) places_.emplace(pieces_[i].get(), i);
    const auto found = places_.find(piece.get());
    return found == places_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  const Pieces& pieces_;
  bool in_place_;
  std::unordered_map<const HostPiece*, std::size_t> places_;
};

/// Adds one that stood at `place`: to those before it, when it stood behind them.
void add_kept(Change& change, std::size_t place) {
  const int last = change.hosts_size() - 1;
  if (last >= 0 && change.hosts(last).count() > 0 &&
      change.hosts(last).first() + change.hosts(last).count() == place) {
    change.mutable_hosts(last)->set_count(change.hosts(last).count() + 1);
    return;
  }
  auto& run = *change.add_hosts();
  run.set_first(static_cast<std::uint32_t>(place));
  run.set_count(1);
}

}  // namespace

std::string version_of(const Resource& resource) {
  const std::uint64_t hash =
      resource.parts ? resource.parts->fingerprint : std::hash<std::string>()(resource.bytes);
  std::array<char, 16> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), hash, 16);
  return {text.data(), end.ptr};
}

std::optional<std::string> change_of_table(const Resource& before, const Resource& after) {
  if (!before.parts || !after.parts) return std::nullopt;
  const Pieces &old = before.parts->hosts, &now = after.parts->hosts;
  Change change;
  change.set_base(version_of(before));
  change.set_table(after.parts->head + after.parts->tail);
  change.set_before_hosts(static_cast<std::uint32_t>(after.parts->head.size()));
  PiecesBefore known(old, old.size() == now.size());
  std::size_t all = after.parts->head.size() + after.parts->tail.size(), fresh = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    all += now[i]->bytes.size();
    if (const auto place = known.find(i, now[i])) {
      add_kept(change, *place);
      continue;
    }
    change.add_hosts()->set_changed(now[i]->bytes);
    fresh += now[i]->bytes.size();
  }
  if (fresh > all / 2) return std::nullopt;
  return change.SerializeAsString();
}

}  // namespace weft::control
