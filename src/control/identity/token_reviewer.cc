#include "control/identity/token_reviewer.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "control/json.h"
#include "tls/digest.h"

namespace weft::control {
namespace {

constexpr std::string_view kScheme = "bearer ";
constexpr std::size_t kMaxToken = 16 * 1024;
constexpr std::string_view kAccountPrefix = "system:serviceaccount:";
constexpr std::string_view kPodName = "authentication.kubernetes.io/pod-name";

std::unexpected<Rejection> reject(int status, std::string reason) {
  return std::unexpected(Rejection{status, std::move(reason)});
}

std::unexpected<Rejection> not_authenticated(std::string reason) {
  return reject(http::grpc::kUnauthenticated, std::move(reason));
}

std::expected<std::string, Rejection> token_of(const http::Headers& metadata) {
  std::string_view value = metadata.get("authorization").value_or("");
  if (!to_lower(value.substr(0, kScheme.size())).starts_with(kScheme))
    return not_authenticated("the metadata has no \"authorization: Bearer <token>\"");
  std::string_view token = trim(value.substr(kScheme.size()));
  if (token.empty() || token.size() > kMaxToken)
    return not_authenticated("the token is empty or longer than " + std::to_string(kMaxToken) + " bytes");
  return std::string(token);
}

std::string first_text(const api::Json& list) {
  return list.empty() || !list.front().is_string() ? std::string() : list.front().get<std::string>();
}

}  // namespace

std::expected<Peer, Rejection> read_token_review(const api::Json& review, std::string_view audience) {
  const api::Json& status = json::map(review, "status");
  if (!json::boolean(status, "authenticated")) {
    std::string why(json::text(status, "error"));
    return not_authenticated("the API server does not accept the token" + (why.empty() ? "" : ": " + why));
  }
  const api::Json& audiences = json::list(status, "audiences");
  if (std::ranges::find(audiences, api::Json(audience)) == audiences.end())
    return not_authenticated("the token is not for the audience " + std::string(audience));
  const api::Json& user = json::map(status, "user");
  std::string_view name = json::text(user, "username");
  auto parts = split(name, ':');
  if (!name.starts_with(kAccountPrefix) || parts.size() != 4 || parts[2].empty() || parts[3].empty())
    return not_authenticated("the token's user \"" + std::string(name) + "\" is no service account");
  Peer peer{std::string(parts[2]), first_text(json::list(json::map(user, "extra"), kPodName)),
            std::string(parts[3]), 0, true};
  if (peer.pod.empty()) return not_authenticated("the token is not bound to a pod");
  return peer;
}

TokenReviewer::TokenReviewer(net::Loop& loop, store::RawApi& api, Options options)
    : loop_(loop), api_(api), options_(std::move(options)) {}

net::Task<std::expected<Peer, Rejection>> TokenReviewer::identify(const http::grpc::Call& call) {
  auto token = token_of(call.metadata);
  if (!token) co_return std::unexpected(std::move(token).error());
  std::string digest = tls::sha256(*token);
  auto kept = kept_.find(digest);
  if (kept != kept_.end() && kept->second.until > loop_.now()) co_return kept->second.answer;
  auto answer = co_await ask(std::move(*token));
  // A failed question says nothing about the token.
  if (answer || answer.error().status != http::grpc::kUnavailable) keep(std::move(digest), answer);
  co_return answer;
}

net::Task<std::expected<Peer, Rejection>> TokenReviewer::ask(std::string token) {
  api::Json review = {{"apiVersion", "authentication.k8s.io/v1"},
                      {"kind", "TokenReview"},
                      {"spec", {{"token", std::move(token)}, {"audiences", {options_.audience}}}}};
  store::RawRequest request{"POST", "/apis/authentication.k8s.io/v1/tokenreviews", std::move(review)};
  auto answered = co_await api_.call(std::move(request));
  if (answered) co_return read_token_review(*answered, options_.audience);
  WEFT_LOG(kWarn, "control", "cannot have a token reviewed", {"error", answered.error().text});
  co_return reject(http::grpc::kUnavailable,
                   "the API server cannot be asked about the token: " + answered.error().text);
}

void TokenReviewer::keep(std::string digest, const std::expected<Peer, Rejection>& answer) {
  if (kept_.size() >= options_.max_kept)
    std::erase_if(kept_, [this](const auto& each) { return each.second.until <= loop_.now(); });
  if (kept_.size() >= options_.max_kept) kept_.clear();
  kept_.insert_or_assign(std::move(digest),
                         Kept{answer, loop_.now() + (answer ? options_.keep : options_.keep_rejection)});
}

}  // namespace weft::control
