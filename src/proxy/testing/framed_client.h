#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "http/testing/http2_peer.h"
#include "proxy/testing/counting_upstream.h"

namespace weft::proxy::testing {

/// A client of HTTP/2 whose frames the test writes by hand.
///
/// Owner: the test; `plane` outlives it. Thread: the test's, on the plane's simulated loop.
class FramedClient {
 public:
  static constexpr std::size_t kWhole = ~std::size_t{0};
  static constexpr unsigned char kAck = 1;  ///< RFC 9113 §6.5

  explicit FramedClient(SimulatedPlane& plane) : plane_(plane), stream_(plane.connect()) {
    say(std::string(http::testing::kPreface) + http::testing::frame(http::testing::kSettings, 0, 0, ""));
    say(http::testing::frame(http::testing::kSettings, kAck, 0, ""));
  }
  /// In pieces of `step` bytes, each of which the plane has taken before the next one comes.
  void say(const std::string& bytes, std::size_t step = kWhole) {
    for (std::size_t at = 0; at < bytes.size(); at += std::min(step, bytes.size() - at)) {
      send(*stream_, std::string_view(bytes).substr(at, step));
      plane_.loop().advance(Duration::zero());
    }
  }
  /// What has come since it was last asked for, a line for each frame.
  std::string heard() {
    std::string all;
    for (const std::string& line : reader_.read(stream_->take())) all += line + "\n";
    return all;
  }

 private:
  SimulatedPlane& plane_;
  std::unique_ptr<SimulatedPlane::PipeEnd> stream_;
  http::testing::FrameReader reader_;
};

}  // namespace weft::proxy::testing
