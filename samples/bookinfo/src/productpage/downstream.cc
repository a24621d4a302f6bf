#include "productpage/downstream.h"

#include <cstdio>

#include "common/json.h"

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
  for (unsigned attempt = 0; attempt < peer.attempts && !fetched.ok(); ++attempt) {
    fetched.status = 500;
    if (!outgoing.sendable) continue;
    Call call;
    call.to = peer.endpoint;
    call.target = "/" + peer.name + "/" + id;
    call.headers = outgoing.headers;
    call.timeout = kTimeout;
    call.redirects = kMostRedirects;
    const auto answer = co_await get(std::move(call));
    if (!answer) {
      std::fprintf(stderr, "productpage: %s\n", answer.error().c_str());
      continue;
    }
    fetched.status = answer->status;
    if (fetched.ok()) fetched.json = parse_json(answer->body);
  }
  if (!fetched.ok()) {
    fetched.error = "Sorry, product " + peer.name + " are currently unavailable for this book.";
  }
  results_.count(peer.name, fetched.status);
  co_return fetched;
}

}  // namespace bookinfo::productpage
