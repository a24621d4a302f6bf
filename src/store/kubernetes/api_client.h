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
struct ClientPatience {
  Duration connect = 5s;         ///< for the connection and its handshake, to each address
  Duration answer = 30s;         ///< for a whole answer, and for the head of a watch's
  Duration longest_pause = 60s;  ///< of those that a server asks for by Retry-After
};

/// HTTP over TLS to an API server, as whoever the ClusterAccess says.
///
/// Each request has a connection of its own. An answer 401 has the token read anew and the request sent once
/// more; 429, and 503 with Retry-After, are waited for (jittered, at most three times). Owner:
/// KubernetesStore. Thread: the loop's.
class ApiClient {
 public:
  /// `addresses`: of the server; not empty, tried in turn, beginning with the one that answered last.
  static Result<std::unique_ptr<ApiClient>> make(net::Loop& loop, ClusterAccess access,
                                                 std::vector<net::Address> addresses,
                                                 ClientPatience patience = {});

  /// The whole answer, whatever its status. Errors: there was none.
  net::Task<Result<http::Response>> fetch(http::Request request);
  /// An answer that goes on; for status 400 and more the same, to be read to its end. `patience` bounds all
  /// its reads.
  net::Task<Result<std::unique_ptr<http::Call>>> open(http::Request request, Duration patience);

  const ClusterAccess& access() const { return access_; }

 private:
  ApiClient(net::Loop& loop, ClusterAccess access, std::vector<net::Address> addresses,
            ClientPatience patience);
  net::Task<Result<std::unique_ptr<http::Call>>> send_once(http::Request request);
  net::Task<Result<std::unique_ptr<http::Call>>> send(http::Request request);

  net::Loop& loop_;
  ClusterAccess access_;
  std::vector<net::Address> addresses_;
  std::size_t first_ = 0;
  ClientPatience patience_;
  BearerToken token_;
  std::shared_ptr<const tls::Context> tls_;
  Random random_;
};

/// The addresses of a host, by the machine's hosts file and name servers; an address is itself. Blocks for at
/// most `patience`. Error: kNotFound.
Result<std::vector<net::Address>> resolve_host(const std::string& host, std::uint16_t port,
                                               Duration patience = 5s);

}  // namespace weft::store
