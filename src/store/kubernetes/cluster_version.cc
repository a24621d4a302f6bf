#include "store/kubernetes/cluster_version.h"

#include <charconv>

#include "store/wire.h"

namespace weft::store {
namespace {

/// -1: there is none.
int leading_number(std::string_view text) {
  int number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

net::Task<Result<ClusterVersion>> cluster_version(RawApi& api) {
  WEFT_CO_TRY(const api::Json response, co_await api.call({.path = "/version"}));
  ClusterVersion version;
  version.major = leading_number(text_member(response, "major"));
  version.minor = leading_number(text_member(response, "minor"));
  version.text = text_member(response, "gitVersion");
  if (version.major < 0 || version.minor < 0)
    co_return fail(
        Error::upstream(Code::kUnsupported, Retry::kNever, "/version names no version of Kubernetes"));
  co_return version;
}

}  // namespace weft::store
