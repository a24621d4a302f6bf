#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/testing/simulated_plane.h"

namespace weft::proxy::testing {

/// A request as CountingUpstream has understood it.
struct SeenRequest {
  std::string line;                                         ///< "GET /a HTTP/1.1"
  std::vector<std::pair<std::string, std::string>> fields;  ///< of head and trailers, as they were written
  std::string body;

  std::string target() const;
  /// How many fields have that name; letter case ignored.
  std::size_t count(std::string_view name) const;
};

/// An HTTP/1 endpoint that keeps every byte and counts requests in them, as a careless server would: a bare
/// LF ends a line too, and Transfer-Encoding goes before Content-Length. Whatever the proxy lets pass that
/// could be taken for another request is another request here.
///
/// Owner: the test; `plane` outlives it. Thread: the test's, on the plane's simulated loop.
class CountingUpstream {
 public:
  struct Connection {
    std::unique_ptr<SimulatedPlane::PipeEnd> stream;
    std::string raw;             ///< all that has come
    std::size_t understood = 0;  ///< bytes of `raw` that were whole requests
    bool ended = false;          ///< by the proxy
  };

  explicit CountingUpstream(SimulatedPlane& plane);
  ~CountingUpstream() { tasks_.cancel_all(); }
  CountingUpstream(const CountingUpstream&) = delete;
  CountingUpstream& operator=(const CountingUpstream&) = delete;

  /// What is said to a request; unless set, 200 with the target as body. Empty: nothing is said.
  std::function<std::string(const SeenRequest&)> reply;
  std::vector<SeenRequest> requests;
  std::deque<Connection> connections;

  /// The bytes of all connections.
  std::string raw() const;

 private:
  net::Task<void> serve(Connection& connection);

  net::TaskScope tasks_;
};

/// Sends the whole of `bytes`, which have to fit into the pipe.
inline void send(SimulatedPlane::PipeEnd& to, std::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  EXPECT_EQ(to.try_write({&part, 1}).bytes, bytes.size()) << bytes;
}

}  // namespace weft::proxy::testing
