#pragma once

#include <functional>
#include <vector>

#include "store/kubernetes/raw_api.h"

namespace weft::control::testing {

/// An API server's responses to requests beside the store's, made up by a test.
class FakeRawApi final : public store::RawApi {
 public:
  net::Task<Result<api::Json>> call(store::RawRequest request) override {
    requests.push_back(request);
    if (!answer) co_return fail(Error::config(Code::kUnsupported, "there is no such type of resource"));
    co_return answer(request);
  }

  std::vector<store::RawRequest> requests;
  std::function<Result<api::Json>(const store::RawRequest&)> answer;
};

/// What an API server says of a good token of `pod` in `ns`.
inline api::Json good_token_review(const std::string& ns, const std::string& account,
                                   const std::string& pod) {
  return {{"status",
           {{"authenticated", true},
            {"audiences", {"istio-ca"}},
            {"user",
             {{"username", "system:serviceaccount:" + ns + ":" + account},
              {"extra", {{"authentication.kubernetes.io/pod-name", {pod}}}}}}}}};
}

}  // namespace weft::control::testing
