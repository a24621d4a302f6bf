#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "proxy/testing/fake_server.h"
#include "xds/ads_client.h"

/// Responses as a control plane would send them over one stream: each is as long as the two bytes before it
/// say. What is accepted is applied; the last byte's lowest bit says whether the workers can, and the next
/// one whether the stream is delta.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size < 1) return 0;
  const auto loop = net::Loop::simulated();
  proxy::testing::FakeServer server;
  xds::Catalog catalog({}, {});
  WEFT_ASSERT(catalog.build(loop->now()));
  catalog.commit();
  xds::AdsClient::Options options;
  options.source.clusters = options.source.listeners = true;
  options.source.delta = (data[size - 1] & 2) != 0;
  xds::AdsClient client(*loop, server, catalog, options);
  client.connected();
  std::string_view rest(reinterpret_cast<const char*>(data), size - 1);
  while (rest.size() > 2) {
    const std::size_t length =
        static_cast<unsigned char>(rest[0]) * 256u + static_cast<unsigned char>(rest[1]);
    client.received(std::string(rest.substr(2, length)));
    rest.remove_prefix(std::min(length + 2, rest.size()));
    loop->settle();
    for (int turn = 0; server.applying() && turn < 10; ++turn) {
      if (data[size - 1] & 1)
        server.finish();
      else
        server.finish(fail(Error::config(Code::kConflict, "the port is in use")));
      loop->settle();
    }
    static_cast<void>(client.take_requests());
  }
  loop->advance(60s);
  loop->settle();
  return 0;
}
