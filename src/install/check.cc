#include "install/check.h"

#include <algorithm>

#include "install/names.h"

namespace weft::install {

std::string_view to_string(Finding::State state) {
  switch (state) {
    case Finding::State::kOk: return "ok";
    case Finding::State::kWarning: return "warning";
    case Finding::State::kFailed: return "failed";
  }
  return "failed";
}

bool has_failure(const Findings& findings) {
  return std::ranges::any_of(findings,
                             [](const Finding& each) { return each.state == Finding::State::kFailed; });
}

void Check::warn(std::string what, std::string remedy) {
  found_.push_back({Finding::State::kWarning, std::move(what), std::move(remedy)});
}

void Check::failed(std::string what, std::string remedy) {
  found_.push_back({Finding::State::kFailed, std::move(what), std::move(remedy)});
}

void Check::unreadable(const std::string& what, const Error& error) {
  const bool denied = error.code == Code::kDenied;
  failed(what + " cannot be read: " + error.text,
         denied ? "check as a user who may read the whole cluster, or have the right given to you"
                : "see that the API server responds: kubectl get --raw /readyz");
}

net::Task<Result<bool>> Check::installed() {
  const std::string path = std::string("/apis/apps/v1/namespaces/") + kNamespace + "/deployments/" + kControl;
  WEFT_CO_TRY(const api::Json found, co_await reader_.get(path));
  co_return found.is_object();
}

}  // namespace weft::install
