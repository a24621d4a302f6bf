#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "api/object.h"

namespace weft::cli {

/// Which of a file's objects may be written when, while others are still on their way.
///
/// Namespaces come before everything, wherever they stand. Otherwise an object waits for those in front of it
/// that it may lead to or read: workloads and routes for Services, Gateways, DestinationRules, and all of
/// these for what they are configured by (ConfigMaps, Secrets, ServiceAccounts, classes). A subset that
/// stands in front of the rule that leads to it is applied first, as when each object waited for all.
/// Objects of one name and kind go in their order. What may go is given out in the order of the file.
///
/// Owner: the function that applies. Thread: its own.
class ApplyOrder {
 public:
  explicit ApplyOrder(const std::vector<api::Key>& objects);
  /// The first that may go now, and counts as under way from here on; nothing while all that are left wait
  /// for some that are under way.
  std::optional<std::size_t> next();
  /// The object is written, or rejected.
  void done(std::size_t object);

 private:
  static constexpr std::size_t kRanks = 4;
  /// Objects of kinds that may depend on those of all lower ranks.
  struct Rank {
    std::vector<std::size_t> members;  ///< in the order of the file
    std::size_t given = 0;             ///< so many of them are under way or done
    std::size_t over = 0;              ///< so many at the front are done
    std::size_t first_open(std::size_t none) const { return over < members.size() ? members[over] : none; }
  };
  struct Place {
    bool done = false;
    std::optional<std::size_t> same;  ///< the object in front of this one that has its name and kind
  };
  bool may_go(std::size_t rank, std::size_t object) const;

  std::vector<Place> places_;
  std::vector<std::size_t> rank_of_;
  std::array<Rank, kRanks> ranks_;
};

}  // namespace weft::cli
