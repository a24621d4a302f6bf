#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "http/client.h"
#include "net/loop.h"
#include "store/kubernetes/bearer_token.h"
#include "store/kubernetes/cluster_access.h"

namespace weft::store {

/// Periods that a test shortens.
struct ClientTimeouts {
  Duration connect = 5s;       ///< for the connection and its handshake, to each address
  Duration answer = 30s;       ///< for a whole response, and for the head of a watch's
  Duration max_backoff = 60s;  ///< of those that a server asks for by Retry-After
};

/// HTTP over TLS to an API server, as the user of the ClusterAccess.
///
/// Each request has a connection of its own. A response 401 has the token read again and the request sent
/// once more; 429, and 503 with Retry-After, are waited for (jittered, at most three times). Owner:
/// KubernetesStore. Thread: the loop's.
class ApiClient {
 public:
  /// `addresses`: of the server; not empty, tried in turn, beginning with the one that responded last.
  static Result<std::unique_ptr<ApiClient>> make(net::Loop& loop, ClusterAccess access,
                                                 std::vector<net::Address> addresses,
                                                 ClientTimeouts timeouts = {});

  /// The whole response, whatever its status. Errors: there was none.
  net::Task<Result<http::Response>> fetch(http::Request request);
  /// A response that goes on; for status 400 and more the same, to be read to its end. `timeout` bounds all
  /// its reads.
  net::Task<Result<std::unique_ptr<http::Call>>> open(http::Request request, Duration timeout);

  const ClusterAccess& access() const { return access_; }

 private:
  ApiClient(net::Loop& loop, ClusterAccess access, std::vector<net::Address> addresses,
            ClientTimeouts timeouts);
  net::Task<Result<std::unique_ptr<http::Call>>> send_once(http::Request request);
  net::Task<Result<std::unique_ptr<http::Call>>> send(http::Request request);

  net::Loop& loop_;
  ClusterAccess access_;
  std::vector<net::Address> addresses_;
  std::size_t first_ = 0;
  ClientTimeouts timeouts_;
  BearerToken token_;
  std::shared_ptr<const tls::Context> tls_;
  Random random_;
};

/// The addresses of a host, by the machine's hosts file and name servers; an address is itself. Blocks for at
/// most `timeout`. Error: kNotFound.
Result<std::vector<net::Address>> resolve_host(const std::string& host, std::uint16_t port,
                                               Duration timeout = 5s);

}  // namespace weft::store
