#include "app/testing/simulated_sidecar.h"

#include <charconv>

#include "xds/proto/core.pb.h"

namespace weft::app::testing {
namespace {

constexpr std::uint16_t kOutbound = 15001, kInbound = 15006;

xds::AdsClient::Options ads_options(const std::string& pod, const std::string& ip, std::uint64_t seed,
                                    std::function<net::Task<Result<xds::ControlConnection>>()> connect) {
  envoy::config::core::v3::Node node;
  node.set_id("sidecar~" + ip + "~" + pod + ".default~default.svc.cluster.local");
  xds::AdsClient::Options options;
  options.source.clusters = options.source.listeners = true;
  // Half of a mesh's proxies are asked and told by delta.
  options.source.delta = seed % 2 == 0;
  options.node = node.SerializeAsString();
  options.connect = std::move(connect);
  options.random = Random(seed);
  return options;
}

}  // namespace

SimulatedSidecar::SimulatedSidecar(net::Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      server_(loop, {.limits = {}, .connector = options_.connector, .random = Random(options_.seed)}),
      catalog_({}, {}),
      ads_(loop, server_, catalog_,
           ads_options(options_.pod, options_.ip, options_.seed + 1, [this] { return connect(); })) {}

net::Task<Result<xds::ControlConnection>> SimulatedSidecar::connect() {
  WEFT_CO_TRY(auto stream, options_.reach_control());
  xds::ControlConnection made;
  made.client = http::grpc::Client::over(std::move(stream));
  made.authority = "control";
  co_return made;
}

std::unique_ptr<net::testing::PipeEnd> SimulatedSidecar::from_application(const net::Address& to) {
  auto [client, server] = net::testing::make_pipe(loop_);
  server_.worker().serve({.stream = std::move(server),
                          .peer = *net::Address::parse_ip(options_.ip, 40000),
                          .local = *net::Address::parse_ip(options_.ip, kOutbound),
                          .original_destination = to},
                         "virtualOutbound");
  return std::move(client);
}

void SimulatedSidecar::to_application(std::unique_ptr<net::Stream> stream, const net::Address& to) {
  server_.worker().serve({.stream = std::move(stream),
                          .peer = *net::Address::parse_ip("10.244.255.254", 40000),
                          .local = *net::Address::parse_ip(options_.ip, kInbound),
                          .original_destination = to},
                         "virtualInbound");
}

std::uint64_t SimulatedSidecar::sum_of(std::string_view suffix) {
  const std::string text = server_.worker().stats().plain();
  const std::string key = std::string(suffix) + ": ";
  std::uint64_t sum = 0;
  for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    std::uint64_t value = 0;
    std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
    sum += value;
  }
  return sum;
}

}  // namespace weft::app::testing
