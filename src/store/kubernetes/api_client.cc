#include "store/kubernetes/api_client.h"

#include <algorithm>
#include <charconv>

namespace weft::store {
namespace {

constexpr int kMaxWaits = 3;
constexpr std::size_t kMaxBody = 64 * 1024 * 1024;

/// How long the server asks us to stay away; nothing when it does not.
std::optional<Duration> delay_asked_for(const http::ResponseHead& head) {
  if (head.status != 429 && head.status != 503) return std::nullopt;
  const auto text = head.headers.get("retry-after");
  if (!text) return head.status == 429 ? std::optional<Duration>(1s) : std::nullopt;
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  const bool number = error == std::errc() && end == text->data() + text->size();
  return std::chrono::seconds(number ? std::min(seconds, 3600U) : 1U);
}

}  // namespace

ApiClient::ApiClient(net::Loop& loop, ClusterAccess access, std::vector<net::Address> addresses,
                     ClientTimeouts timeouts)
    : loop_(loop),
      access_(std::move(access)),
      addresses_(std::move(addresses)),
      timeouts_(timeouts),
      token_(access_.token, access_.token_file) {}

Result<std::unique_ptr<ApiClient>> ApiClient::make(net::Loop& loop, ClusterAccess access,
                                                   std::vector<net::Address> addresses,
                                                   ClientTimeouts timeouts) {
  WEFT_ASSERT(!addresses.empty());
  std::unique_ptr<ApiClient> client(new ApiClient(loop, std::move(access), std::move(addresses), timeouts));
  const ClusterAccess& its = client->access_;
  auto context = tls::Context::client({.roots_pem = its.roots_pem,
                                       .server_name = its.server_name,
                                       .certificate_chain_pem = its.certificate_chain_pem,
                                       .private_key_pem = its.private_key_pem,
                                       .alpn = {}});
  if (!context) return fail(std::move(context).error().with_context(its.origin));
  client->tls_ = std::move(*context);
  return client;
}

/// To the address that responded last, or to the next that does.
net::Task<Result<std::unique_ptr<http::Call>>> ApiClient::send_once(http::Request request) {
  WEFT_CO_TRY(const std::string token, token_.at(loop_.now()));
  if (!token.empty()) request.headers.set("authorization", "Bearer " + token);
  Result<std::unique_ptr<http::Call>> call = fail(Error{});
  for (std::size_t tried = 0; tried < addresses_.size(); ++tried) {
    http::FetchOptions options;
    options.deadline = loop_.now() + timeouts_.answer;
    options.connect_deadline = loop_.now() + timeouts_.connect;
    options.keepalive = true;
    options.tls = tls_;
    call = co_await http::Call::open(loop_, addresses_[first_], request, options);
    // Only what was never sent may go to another: a server that took the request may have done it.
    const bool unsent = !call && call.error().text.starts_with("connect ");
    if (!unsent) co_return call;
    first_ = (first_ + 1) % addresses_.size();
  }
  co_return call;
}

net::Task<Result<std::unique_ptr<http::Call>>> ApiClient::send(http::Request request) {
  request.authority = access_.authority();
  request.path = access_.base_path + request.path;
  request.headers.set("accept", "application/json");
  request.headers.set("user-agent", "weft");
  bool shown_again = false;
  for (int waits = 0;; ++waits) {
    auto call = co_await send_once(request);
    if (!call) co_return fail(std::move(call).error().with_context(access_.authority()));
    const http::ResponseHead& head = (*call)->head();
    if (head.status == 401 && !shown_again && token_.rejected()) {
      shown_again = true;
      continue;
    }
    const auto delay = delay_asked_for(head);
    if (!delay || waits >= kMaxWaits) co_return call;
    call->reset();
    const Duration bounded = std::min(*delay, timeouts_.max_backoff);
    const auto jitter = static_cast<std::uint64_t>(bounded.count() / 4 + 1);
    co_await loop_.sleep(bounded + Duration(random_.below(jitter)));
  }
}

net::Task<Result<http::Response>> ApiClient::fetch(http::Request request) {
  WEFT_CO_TRY(auto call, co_await send(std::move(request)));
  http::Response response;
  response.head = call->head();
  for (;;) {
    const auto chunk = co_await call->read();
    if (!chunk) co_return fail(Error(chunk.error()).with_context(access_.authority()));
    if (response.body.size() + chunk->data.size() > kMaxBody)
      co_return fail(
          Error::upstream(Code::kTooLarge, Retry::kNever, "the API's response is larger than 64 MB"));
    response.body.append(chunk->data);
    if (chunk->end) co_return response;
  }
}

net::Task<Result<std::unique_ptr<http::Call>>> ApiClient::open(http::Request request, Duration timeout) {
  WEFT_CO_TRY(auto call, co_await send(std::move(request)));
  if (call->head().status < 400) call->set_deadline(loop_.now() + timeout);
  co_return call;
}

}  // namespace weft::store
