#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "install/cluster_reader.h"

namespace weft::install {

/// A kind of Istio's or the Gateway API's that weft does not do, and that a cluster may have nonetheless:
/// another Istio's definitions let such objects be stored, and no webhook of ours sees them.
struct ForeignKind {
  std::string_view group, kind, plural;
  /// It is relied on to keep requests out, or to know who sends them.
  bool guards = false;
};
std::span<const ForeignKind> foreign_kinds();

/// One object of such a kind.
struct ForeignObject {
  const ForeignKind* kind = nullptr;
  std::string path;  ///< of the object in the REST API
  api::Json body;
  std::string name() const;  ///< "shop/deny-all"
};

struct ForeignObjectsFound {
  std::vector<ForeignObject> objects;
  /// What could not be read ("authorizationpolicies.security.istio.io"), and why: of it nothing is known.
  std::map<std::string, Error> unread;
};

/// Every object of these kinds. Asks the server what it serves first, so a cluster without them is asked
/// once. A kind that cannot be read hides no other. Errors: the server's, when not even that can be asked.
net::Task<Result<ForeignObjectsFound>> find_foreign_objects(ClusterReader& reader);

/// What is to be said of such an object: that it has no effect, and what that means.
std::string foreign_text(const ForeignKind& kind);

}  // namespace weft::install
