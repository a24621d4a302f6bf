#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "http/testing/http2_peer.h"
#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"

namespace weft::proxy::testing {

/// Whether frames, as FramedPlane tells them, say that; the failure shows them all.
inline ::testing::AssertionResult has(const std::string& frames, const std::string& part) {
  const bool found = frames.find(part) != frames.npos;
  return (found ? ::testing::AssertionSuccess() : ::testing::AssertionFailure()) << "frames: " << frames;
}

/// A client and an endpoint of HTTP/2, both frame by frame in the hands of the test, and the data plane
/// between them: one stream, number 1, to the one endpoint of cluster "a".
///
/// Owner: the test. Thread: the test's, on the plane's simulated loop.
class FramedPlane {
 public:
  using Fields = http::testing::Fields;

  FramedPlane() {
    plane.accept = [this](const net::Address&,
                          std::unique_ptr<SimulatedPlane::PipeEnd> server) -> Result<void> {
      endpoint = std::move(server);
      endpoint_reader = std::make_unique<http::testing::FrameReader>();
      write(*endpoint, http::testing::frame(http::testing::kSettings, 0, 0, ""));
      return {};
    };
    plane.http.stream_idle_timeout = Milliseconds{0};
  }

  /// Applies `route` and connects the client.
  void begin(Route route) {
    ClusterConfig cluster = cluster_of("a", {simulated_endpoint(1)});
    cluster.spoken = ClusterConfig::Spoken::kHttp2;
    WEFT_ASSERT(plane.apply(table_of({std::move(route)}), {std::move(cluster)}).has_value());
    endpoint.reset();
    client = plane.connect();
    client_reader = std::make_unique<http::testing::FrameReader>();
    pass();
    write(*client,
          std::string(http::testing::kPreface) + http::testing::frame(http::testing::kSettings, 0, 0, ""));
  }
  void pass(Duration time = Duration::zero()) { plane.loop().advance(time); }

  static Fields call_head() {
    return http::testing::with(http::testing::post("/s/M"), "content-type", "application/grpc");
  }
  void ask(const Fields& fields, bool end) { write(*client, http::testing::headers(1, fields, end)); }
  void ask_more(std::string_view bytes, bool end) { write(*client, data(bytes, end)); }
  void respond(const Fields& fields, bool end) { write(*endpoint, http::testing::headers(1, fields, end)); }
  void respond_more(std::string_view bytes, bool end) { write(*endpoint, data(bytes, end)); }
  void from_client(const std::string& frames) { write(*client, frames); }
  void from_endpoint(const std::string& frames) { write(*endpoint, frames); }
  /// The SETTINGS of the data plane are not waited for any longer.
  void acknowledge_settings() {
    const std::string ack = http::testing::frame(http::testing::kSettings, 1, 0, "");
    write(*client, ack);
    if (endpoint) write(*endpoint, ack);
  }

  /// What has come there since it was last asked for, a line for each frame.
  std::string at_client() { return client ? lines(*client_reader, *client) : ""; }
  std::string at_endpoint() { return endpoint ? lines(*endpoint_reader, *endpoint) : ""; }

  SimulatedPlane plane;
  std::unique_ptr<SimulatedPlane::PipeEnd> client, endpoint;  ///< null: there was no connection

 private:
  static std::string data(std::string_view bytes, bool end) {
    return http::testing::frame(http::testing::kData, end ? http::testing::kEndStream : 0, 1, bytes);
  }
  static void write(SimulatedPlane::PipeEnd& to, const std::string& bytes) {
    const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    WEFT_ASSERT(to.try_write({&part, 1}).bytes == bytes.size());
  }
  static std::string lines(http::testing::FrameReader& reader, SimulatedPlane::PipeEnd& of) {
    std::string text;
    for (const std::string& line : reader.read(of.take())) text += line + "\n";
    return text;
  }

  std::unique_ptr<http::testing::FrameReader> client_reader, endpoint_reader;
};

}  // namespace weft::proxy::testing
