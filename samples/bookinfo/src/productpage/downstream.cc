#include "productpage/downstream.h"

#include <utility>

#include "common/json.h"
#include "common/request_log.h"

namespace bookinfo::productpage {

namespace {
constexpr std::chrono::milliseconds kTimeout{3000};
constexpr unsigned kMostRedirects = 30;
}  // namespace

Downstream::Downstream(const Environment& environment, RequestResults& results)
    : details_{.name = "details", .endpoint = endpoint_of(environment, "details")},
      // The second attempt is the sample's famous bug: it doubles the load on reviews when reviews is slow.
      reviews_{.name = "reviews", .endpoint = endpoint_of(environment, "reviews"), .attempts = 2},
      ratings_{.name = "ratings", .endpoint = endpoint_of(environment, "ratings")},
      results_(results) {}

boost::asio::awaitable<Fetched> Downstream::details(std::string id, Outgoing outgoing) {
  return fetch(details_, std::move(id), std::move(outgoing));
}

boost::asio::awaitable<Fetched> Downstream::reviews(std::string id, Outgoing outgoing) {
  return fetch(reviews_, std::move(id), std::move(outgoing));
}

boost::asio::awaitable<Fetched> Downstream::ratings(std::string id, Outgoing outgoing) {
  return fetch(ratings_, std::move(id), std::move(outgoing));
}

boost::asio::awaitable<Fetched> Downstream::fetch(const Peer& peer, std::string id, Outgoing outgoing) {
  Fetched fetched;
  Call call;
  call.to = peer.endpoint;
  call.target = "/" + peer.name + "/" + id;
  call.headers = std::move(outgoing.headers);
  call.timeout = kTimeout;
  call.redirects = kMostRedirects;
  for (unsigned tries = 0; outgoing.sendable && tries < peer.attempts && !fetched.ok(); ++tries) {
    co_await attempt(peer, call, fetched);
  }
  if (!fetched.ok()) {
    fetched.error = "Sorry, product " + peer.name + " are currently unavailable for this book.";
  }
  results_.count(peer.name, fetched.status);
  co_return fetched;
}

boost::asio::awaitable<void> Downstream::attempt(const Peer& peer, const Call& call, Fetched& fetched) {
  Attempt attempt;
  attempt.service = peer.name;
  attempt.url = "http://" + call.to.authority() + call.target;
  attempt.began = std::chrono::steady_clock::now();
  const auto answer = co_await get(call);
  const auto took = std::chrono::steady_clock::now() - attempt.began;
  attempt.took = std::chrono::duration_cast<std::chrono::microseconds>(took);
  fetched.status = 500;
  if (answer) {
    fetched.status = answer->status;
    attempt.status = answer->status;
    attempt.behind_proxy = answer->headers.find("x-envoy-upstream-service-time").value_or("");
    if (fetched.ok()) fetched.json = parse_json(answer->body);
  } else {
    log_failure("productpage", call.headers, answer.error());
    attempt.failure = answer.error().substr(answer.error().rfind(": ") + 2);
  }
  fetched.attempts.push_back(std::move(attempt));
}

}  // namespace bookinfo::productpage
