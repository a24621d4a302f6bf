#pragma once

#include <string>
#include <vector>

#include "productpage/downstream.h"

namespace bookinfo::productpage {

/// What it took to make one page: for its reader, who may wonder which of the services behind it was slow.
struct Making {
  std::string pod;         ///< of this productpage; empty when nobody told it
  std::string request_id;  ///< under which proxies and services log this page view; may be empty
  int floods = 0;          ///< calls of reviews whose answers nobody wants (`FLOOD_FACTOR`)
};

/// The panel "How this page was made": each try of each call with its answer, its time and where in the
/// making of the page that time lies. Plain HTML that opens without a script.
std::string making_panel(const Making& making, const std::vector<Attempt>& attempts);

/// How a fetch came to fail, in one sentence: how often it was tried, what the last try met, how long it all
/// took. Not escaped.
std::string why_it_failed(const Fetched& fetched);

/// `v3` for the pod `reviews-v3-5d8f7c-x2x4z`: by custom a Deployment's name ends in its version. Empty when
/// there is none to be seen.
std::string version_of_pod(std::string_view pod);

}  // namespace bookinfo::productpage
