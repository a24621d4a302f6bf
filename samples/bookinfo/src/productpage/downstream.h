#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/client.h"
#include "common/environment.h"
#include "productpage/request_results.h"

namespace bookinfo::productpage {

/// The headers that go downstream with one page view or API call. Not sendable when the user's name has
/// letters that a header cannot carry; then every fetch fails without a connection.
struct Outgoing {
  Headers headers;
  bool sendable = true;
};

/// One try of a fetch, as productpage itself saw and timed it.
struct Attempt {
  std::string service;  ///< `reviews`
  std::string url;      ///< `http://reviews:9080/reviews/0`
  std::chrono::steady_clock::time_point began;
  std::chrono::microseconds took{};
  std::optional<unsigned> status;  ///< nothing when there was no answer; `failure` then says why
  std::string failure;
  std::string lacks = {};    ///< what the answer says it had to leave out: `ratings`
  std::string behind_proxy;  ///< milliseconds that a sidecar says it waited; empty without a sidecar
};

/// How a fetch from details, reviews or ratings ended.
struct Fetched {
  unsigned status = 500;                   ///< of the last attempt; 500 when it had no answer
  std::optional<boost::json::value> json;  ///< the body when the status is 200; nothing when it was not JSON
  std::string error;                       ///< what to tell the reader when the status is not 200
  std::vector<Attempt> attempts;           ///< in the order they were made

  bool ok() const { return status == 200; }
};

/// The three services behind productpage. Each call of details and ratings is tried once, of reviews twice;
/// every attempt has 3 s to connect and 3 s between bytes.
class Downstream {
 public:
  Downstream(const Environment& environment, RequestResults& results);

  /// `id` is a path segment, percent-encoded as it came.
  boost::asio::awaitable<Fetched> details(std::string id, Outgoing outgoing);
  boost::asio::awaitable<Fetched> reviews(std::string id, Outgoing outgoing);
  boost::asio::awaitable<Fetched> ratings(std::string id, Outgoing outgoing);

  const Endpoint& details_endpoint() const { return details_.endpoint; }
  const Endpoint& reviews_endpoint() const { return reviews_.endpoint; }
  const Endpoint& ratings_endpoint() const { return ratings_.endpoint; }

 private:
  struct Peer {
    std::string name;
    Endpoint endpoint;
    unsigned attempts = 1;
  };

  boost::asio::awaitable<Fetched> fetch(const Peer& peer, std::string id, Outgoing outgoing);
  static boost::asio::awaitable<void> attempt(const Peer& peer, const Call& call, Fetched& fetched);

  Peer details_;
  Peer reviews_;
  Peer ratings_;
  RequestResults& results_;
};

}  // namespace bookinfo::productpage
