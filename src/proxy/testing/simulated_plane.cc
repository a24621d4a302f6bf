#include "proxy/testing/simulated_plane.h"

#include <charconv>

namespace weft::proxy::testing {

SimulatedPlane::SimulatedPlane(std::uint64_t seed) : loop_(net::Loop::simulated()) {
  http.stat_prefix = "front";
  http.route_table_name = "routes";
  const auto connector = [this](net::Loop&, net::Address to, net::ConnectOptions options) {
    return dial(to, options);
  };
  worker_ = std::make_unique<Worker>(
      *loop_, Worker::Options{.limits = {}, .connector = connector, .random = Random(seed)});
}

SimulatedPlane::~SimulatedPlane() {
  worker_->end_everything();
  loop_->settle();
}

Result<void> SimulatedPlane::apply(Snapshot snapshot) {
  WEFT_TRY(compiled_,
           CompiledSnapshot::compile(std::make_shared<Snapshot>(std::move(snapshot)), compiled_.get()));
  worker_->apply(compiled_, {});
  return {};
}

Result<void> SimulatedPlane::apply(RouteTable routes, std::vector<ClusterConfig> clusters) {
  Snapshot snapshot;
  auto listener = std::make_shared<ListenerConfig>();
  listener->name = "front";
  listener->address = *net::Address::parse_ip("10.0.0.254", 8080);
  listener->chains.push_back({.name = "front", .match = {}, .transport = transport, .filter = http});
  snapshot.listeners["front"] = std::move(listener);
  routes.name = "routes";
  snapshot.route_tables["routes"] = std::make_shared<RouteTable>(std::move(routes));
  for (ClusterConfig& cluster : clusters)
    snapshot.clusters.put(std::make_shared<ClusterConfig>(std::move(cluster)));
  return apply(std::move(snapshot));
}

std::unique_ptr<net::testing::PipeEnd> SimulatedPlane::connect(std::size_t capacity) {
  auto [client, server] = net::testing::make_pipe(*loop_, capacity);
  worker_->serve({.stream = std::move(server),
                  .peer = *net::Address::parse_ip("10.0.0.253", 40000),
                  .local = *net::Address::parse_ip("10.0.0.254", 8080),
                  .original_destination = {}},
                 "front");
  return std::move(client);
}

net::Task<Result<Connection>> SimulatedPlane::dial(net::Address to, net::ConnectOptions options) {
  const TimePoint reached = loop_->now() + connect_delay;
  co_await loop_->sleep_until(std::min(reached, options.deadline));
  if (options.deadline < reached)
    co_return fail(Error::upstream(Code::kTimeout, Retry::kElsewhere, "connecting took too long"));
  if (!accept) co_return fail(Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"));
  auto [client, server] = net::testing::make_pipe(*loop_, pipe_capacity);
  WEFT_CO_CHECK(accept(to, std::move(server)));
  co_return Connection{std::move(client), *net::Address::parse_ip("10.0.0.254", 50000)};
}

std::uint64_t SimulatedPlane::stat(const std::string& name) const {
  const std::string text = worker_->stats().plain(), key = name + ": ";
  std::size_t at = text.starts_with(key) ? 0 : text.find("\n" + key);
  if (at == std::string::npos) return 0;
  at += key.size() + (at == 0 && text.starts_with(key) ? 0 : 1);
  std::uint64_t value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

net::Address simulated_endpoint(int number) {
  return *net::Address::parse_ip("10.0.0." + std::to_string(number), 80);
}

}  // namespace weft::proxy::testing
