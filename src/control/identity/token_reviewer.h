#pragma once

#include <map>
#include <string>

#include "api/json.h"
#include "control/identity/authenticator.h"
#include "net/loop.h"
#include "store/kubernetes/raw_api.h"

namespace weft::control {

/// A proxy on a cluster is who its service account token says, and what the token is worth the API server
/// says (TokenReview, authentication.k8s.io/v1). The token must be for our audience and bound to a pod.
///
/// Reviews are kept by the token's SHA-256 for a short time, so that a restart of the control plane with many
/// proxies costs one request for each, and a proxy that comes again at once costs none. Owner: ControlPlane;
/// `api` must outlive it. Thread: the loop's.
class TokenReviewer final : public Authenticator {
 public:
  struct Options {
    std::string audience = "istio-ca";
    Duration keep = 60s;           ///< how long a good token stays good without asking
    Duration keep_rejection = 5s;  ///< and a bad one bad
    std::size_t max_kept = 4096;
  };

  TokenReviewer(net::Loop& loop, store::RawApi& api, Options options);
  TokenReviewer(net::Loop& loop, store::RawApi& api) : TokenReviewer(loop, api, Options()) {}

  net::Task<std::expected<Peer, Rejection>> identify(const http::grpc::Call& call) override;
  /// A replica cannot know who is connected to another one, so none is missing here.
  std::vector<Peer> running() override { return {}; }

 private:
  struct Kept {
    std::expected<Peer, Rejection> answer;
    TimePoint until;
  };
  net::Task<std::expected<Peer, Rejection>> ask(std::string token);
  void keep(std::string digest, const std::expected<Peer, Rejection>& answer);

  net::Loop& loop_;
  store::RawApi& api_;
  Options options_;
  std::map<std::string, Kept> kept_;  ///< by digest
};

/// What a TokenReview that came back says about its token.
std::expected<Peer, Rejection> read_token_review(const api::Json& review, std::string_view audience);

}  // namespace weft::control
