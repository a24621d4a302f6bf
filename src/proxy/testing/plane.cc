#include "proxy/testing/plane.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/socket.h"

namespace weft::proxy::testing {

Upstream::Upstream(net::Loop& loop, std::string name) : name_(std::move(name)) {
  auto made = http::Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0),
                                   [this](http::ServerExchange& exchange) { return handle(exchange); });
  WEFT_ASSERT(made.has_value());
  server_ = std::move(*made);
}

net::Task<void> Upstream::handle(http::ServerExchange& exchange) {
  ++requests;
  last = exchange.request();
  if (answer) {
    co_await answer(exchange);
    co_return;
  }
  auto body = co_await http::read_all(exchange, 1 << 20);
  last_body = body ? *body : "";
  static_cast<void>(
      co_await http::respond(exchange, 200, "text/plain", name_ + " " + last.method + " " + last.path));
}

ClusterConfig cluster_of(std::string name, std::vector<net::Address> endpoints) {
  ClusterConfig config;
  config.name = std::move(name);
  auto made = std::make_shared<Endpoints>();
  made->localities.emplace_back();
  for (const net::Address& address : endpoints)
    made->localities[0].endpoints.push_back({.address = address, .hostname = {}});
  config.endpoints = std::move(made);
  return config;
}

CompiledCluster compiled(std::shared_ptr<const ClusterConfig> config, std::shared_ptr<ClusterUsage> usage) {
  return {config, config->endpoints, std::move(usage)};
}

Route route_to(std::string prefix, std::string cluster) {
  Route route;
  route.match.path.text = std::move(prefix);
  ForwardAction action;
  action.clusters.push_back(
      {.cluster = std::move(cluster), .weight = 1, .request_headers = {}, .response_headers = {}});
  route.action = std::move(action);
  return route;
}

RouteTable table_of(std::vector<Route> routes) {
  RouteTable table;
  table.name = "routes";
  VirtualHost host;
  host.name = "all";
  host.domains = {"*"};
  host.routes = std::move(routes);
  table.hosts.push_back(std::move(host));
  return table;
}

Plane::Plane(unsigned workers, ProcessLimits limits) {
  ServerOptions options;
  options.limits = limits;
  options.concurrency = workers;
  net::Fd fd = std::move(*net::make_listening_fd(*net::Address::parse_ip("127.0.0.1", 0)));
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  front_ = net::Address::from(reinterpret_cast<sockaddr*>(&bound), length);
  options.inherited.push_back({front_, fd.release()});
  server = std::move(*Server::start(loop, std::move(options)));
  http.route_table_name = "routes";
  http.stat_prefix = "front";
}

Plane::~Plane() {
  server->stop();
  loop.run_once(Duration::zero());
}

Result<void> Plane::apply(RouteTable routes, std::vector<ClusterConfig> clusters) {
  Snapshot snapshot;
  auto listener = std::make_shared<ListenerConfig>();
  listener->name = "front";
  listener->address = front_;
  FilterChain chain;
  chain.filter = http;
  listener->chains.push_back(std::move(chain));
  snapshot.listeners["front"] = std::move(listener);
  snapshot.route_tables["routes"] = std::make_shared<RouteTable>(std::move(routes));
  for (ClusterConfig& cluster : clusters) snapshot.clusters.put(std::make_shared<ClusterConfig>(cluster));
  return apply(std::move(snapshot));
}

Result<void> Plane::apply(Snapshot snapshot) {
  std::optional<Result<void>> outcome;
  server->apply(std::make_shared<Snapshot>(std::move(snapshot)),
                [&](Result<void> result) { outcome = std::move(result); });
  while (!outcome) loop.run_once(std::chrono::seconds(10));
  return *outcome;
}

Result<http::Response> Plane::fetch(http::Request request) {
  return run(loop, http::fetch(loop, front_, std::move(request)));
}

http::Response Plane::get(std::string path, std::string authority) {
  auto response = fetch({.method = "GET", .path = std::move(path), .authority = std::move(authority)});
  return response ? std::move(*response) : http::Response{};
}

std::string Plane::stats() {
  std::optional<std::string> text;
  server->collect_stats(false, [&](std::string all) { text = std::move(all); });
  while (!text) loop.run_once(std::chrono::seconds(10));
  return *text;
}

bool run_until(net::Loop& loop, const std::function<bool()>& condition, Duration limit) {
  const TimePoint until = loop.now() + limit;
  while (!condition()) {
    if (loop.now() >= until) return false;
    loop.run_once(10ms);
  }
  return true;
}

Asking::Asking(Plane& plane, http::Request request) : plane_(plane) {
  scope_.spawn(ask(*this, std::move(request)));
}

net::Task<void> Asking::ask(Asking& self, http::Request request) {
  self.answer_ = co_await http::fetch(self.plane_.loop, self.plane_.front(), std::move(request));
}

int Asking::status() {
  if (!run_until(plane_.loop, [this] { return done(); })) return -1;
  return *answer_ ? (*answer_)->head.status : 0;
}

Gate::Gate(net::Loop& loop, Upstream& upstream) : loop_(loop) {
  upstream.answer = [this](http::ServerExchange& exchange) { return answer(exchange); };
}

net::Task<void> Gate::answer(http::ServerExchange& exchange) {
  while (!open) co_await loop_.sleep(1ms);
  static_cast<void>(co_await http::respond(exchange, 200, "text/plain", "through"));
}

RawClient::RawClient(net::Loop& loop, const net::Address& to) : loop_(loop) {
  auto connected = run(loop, net::connect(loop, to, {}));
  WEFT_ASSERT(connected.has_value());
  socket_ = std::move(*connected);
}

void RawClient::write(std::string_view bytes) {
  const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
  WEFT_ASSERT(socket_->try_write({&piece, 1}).bytes == bytes.size());
}

const std::string& RawClient::read_until(std::string_view text) {
  run_until(loop_, [&] {
    char bytes[4096];
    for (;;) {
      const ssize_t size = ::recv(socket_->fd(), bytes, sizeof bytes, MSG_DONTWAIT);
      if (size <= 0) {
        ended_ = size == 0 || (errno != EAGAIN && errno != EINTR);
        break;
      }
      got_.append(bytes, static_cast<std::size_t>(size));
    }
    return ended_ || got_.find(text) != got_.npos;
  });
  return got_;
}

}  // namespace weft::proxy::testing
