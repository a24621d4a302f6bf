#include "app/testing/simulated_mesh.h"

#include <algorithm>

namespace weft::app::testing {
namespace {

Error nothing_listens() { return Error::upstream(Code::kRefused, Retry::kElsewhere, "connection refused"); }

}  // namespace

/// A connection of an application.
struct SimulatedMesh::Serving {
  Serving(std::unique_ptr<net::testing::PipeEnd> of, std::uint32_t max_requests) : end(std::move(of)) {
    options.max_requests = max_requests;
    connection.emplace(*end, options);
  }
  std::unique_ptr<net::testing::PipeEnd> end;
  http::ServerSessionOptions options;
  std::optional<http::h1::ServerConnection> connection;
  net::TaskScope tasks;
};

struct SimulatedMesh::Application {
  static net::Task<void> serve(SimulatedMesh& mesh, Application& self, Serving& serving) {
    const http::Handler handler = [&mesh, &self](http::ServerExchange& exchange) {
      return mesh.handle(self.pod, exchange);
    };
    co_await serving.connection->serve(handler);
  }
  std::string pod;
  std::list<Serving> connections;
};

SimulatedMesh::SimulatedMesh(std::uint64_t seed)
    : loop_(net::Loop::simulated()), random_(seed), store_(*loop_) {}

SimulatedMesh::~SimulatedMesh() {
  idle_.clear();
  sidecars_.clear();
  control_.reset();
  applications_.clear();
  wires_.clear();
  loop_->settle();
}

void SimulatedMesh::start_control() {
  control_ = std::make_unique<SimulatedControl>(*loop_, store_, random_.next());
  for (const auto& [pod, sidecar] : sidecars_) control_->add_process(sidecar->pid(), pod);
}

void SimulatedMesh::start_application(const std::string& pod, const std::string& ip) {
  applications_[pod] = std::make_unique<Application>(pod);
  pods_by_ip_[ip] = pod;
  ips_[pod] = ip;
}

void SimulatedMesh::stop_application(const std::string& pod) { applications_.erase(pod); }

void SimulatedMesh::start_sidecar(const std::string& pod) {
  const int pid = ++pids_;
  SimulatedSidecar::Options options{.pod = pod,
                                    .ip = ips_.at(pod),
                                    .pid = pid,
                                    .seed = random_.next(),
                                    .connector = {},
                                    .reach_control = {}};
  options.connector = [this, pod](net::Loop&, net::Address to, net::ConnectOptions how) {
    return dial(pod, to, how);
  };
  options.reach_control = [this, pid] { return reach_control(pid); };
  if (control_) control_->add_process(pid, pod);
  auto& made = sidecars_[pod] = std::make_unique<SimulatedSidecar>(*loop_, std::move(options));
  made->server().takes = sidecars_take;
  made->server().check = sidecars_check;
  made->ads().start();
}

void SimulatedMesh::stop_sidecar(const std::string& pod) {
  const auto found = sidecars_.find(pod);
  if (found == sidecars_.end()) return;
  if (control_) control_->remove_process(found->second->pid());
  sidecars_.erase(found);
}

SimulatedSidecar* SimulatedMesh::sidecar(const std::string& pod) {
  const auto found = sidecars_.find(pod);
  return found == sidecars_.end() ? nullptr : found->second.get();
}

int SimulatedMesh::handled(const std::string& token) const {
  const auto found = handled_.find(token);
  return found == handled_.end() ? 0 : found->second;
}

std::list<std::unique_ptr<Wire>>& SimulatedMesh::wires() {
  std::erase_if(wires_, [](const auto& wire) { return wire->over(); });
  return wires_;
}

Result<std::unique_ptr<net::Stream>> SimulatedMesh::reach_control(int pid) {
  if (!control_ || !control_->listens()) return fail(nothing_listens());
  auto wire = std::make_unique<Wire>(*loop_, 1 + random_.below(random_.below(2) ? 200 : 20'000));
  std::unique_ptr<net::Stream> client = wire->take_client();
  control_->accept(wire->take_server(), pid);
  if (on_wire) on_wire(*wire);
  wires().push_back(std::move(wire));
  return client;
}

net::Task<Result<proxy::Connection>> SimulatedMesh::dial(std::string from, net::Address to,
                                                         net::ConnectOptions options) {
  co_await loop_->yield();
  const std::string ip = ips_.at(from);
  WEFT_CO_TRY(auto stream, connect_to(to, !options.bind_source.empty()));
  co_return proxy::Connection{std::move(stream), *net::Address::parse_ip(ip, 50000)};
}

/// What capture does: who comes to a pod comes to its sidecar, but for the sidecar itself.
Result<std::unique_ptr<net::Stream>> SimulatedMesh::connect_to(const net::Address& to, bool past_sidecar) {
  const auto pod = pods_by_ip_.find(to.ip());
  if (pod == pods_by_ip_.end()) return fail(nothing_listens());
  const auto application = applications_.find(pod->second);
  if (application == applications_.end()) return fail(nothing_listens());
  auto [client, server] = net::testing::make_pipe(*loop_);
  if (SimulatedSidecar* between = sidecar(pod->second); between && !past_sidecar) {
    if (!between->listens()) return fail(nothing_listens());
    between->to_application(std::move(server), to);
    return std::move(client);
  }
  if (to.port() != 8080) return fail(nothing_listens());
  auto& connections = application->second->connections;
  std::erase_if(connections, [](const Serving& one) { return one.tasks.active() == 0; });
  const auto most = static_cast<std::uint32_t>(random_.below(4) ? 0 : 1 + random_.below(4));
  Serving& serving = connections.emplace_back(std::move(server), most);
  serving.tasks.spawn(Application::serve(*this, *application->second, serving));
  return std::move(client);
}

net::Task<void> SimulatedMesh::handle(const std::string& pod, http::ServerExchange& exchange) {
  const std::string token = exchange.request().path.substr(1);
  ++handled_[token];
  while (!exchange.request_complete())
    if (!co_await exchange.read_body()) co_return exchange.reset();
  if (thinks) co_await loop_->sleep(thinks());
  http::ResponseHead head;
  head.status = 200;
  head.headers.add("x-pod", pod);
  head.headers.add("x-token", token);
  if (!co_await exchange.send_head(head, false)) co_return exchange.reset();
  static_cast<void>(co_await exchange.send_body(token, true));
}

net::Task<SimulatedMesh::Answer> SimulatedMesh::ask(Request request) {
  SimulatedSidecar* through = sidecar(request.from);
  if (!through || !through->listens()) co_return Answer{};
  const std::string place = request.from + " " + request.ip;
  std::unique_ptr<http::h1::ClientConnection> connection;
  const auto kept = idle_.find(place);
  if (!request.fresh && kept != idle_.end()) {
    connection = std::move(kept->second);
    idle_.erase(kept);
  }
  if (!connection || !connection->usable())
    connection = std::make_unique<http::h1::ClientConnection>(
        through->from_application(*net::Address::parse_ip(request.ip, 80)));
  net::Timer leave(*loop_, [&] { connection->stream().close(true); });
  if (request.leaves_after) leave.arm(loop_->now() + *request.leaves_after);
  Answer answer = co_await exchange(*connection, request);
  answer.left = request.leaves_after && connection->stream().closed();
  if (answer.status != 0 && connection->usable()) idle_.emplace(place, std::move(connection));
  co_return answer;
}

net::Task<SimulatedMesh::Answer> SimulatedMesh::exchange(http::h1::ClientConnection& connection,
                                                         const Request& request) {
  http::ClientExchange& exchange = connection.start();
  http::RequestHead head;
  head.method = request.method;
  head.path = "/" + request.token;
  head.authority = request.host;
  if (!request.variant.empty()) head.headers.add("x-variant", request.variant);
  const bool body = request.method == "POST";
  if (!co_await exchange.send_head(head, !body)) co_return Answer{};
  if (body && !co_await exchange.send_body(request.token, true)) co_return Answer{};
  http::ResponseHead response;
  if (!co_await exchange.read_head(response)) co_return Answer{};
  std::string got;
  while (!exchange.response_complete()) {
    const auto chunk = co_await exchange.read_body();
    if (!chunk) co_return Answer{};
    got.append(chunk->data);
    if (chunk->end) break;
  }
  Answer answer{.status = response.status, .pod = {}, .token = {}};
  if (const auto pod = response.headers.get("x-pod")) answer.pod = *pod;
  if (const auto token = response.headers.get("x-token")) answer.token = *token;
  if (!answer.pod.empty() && got != answer.token) answer.token = "the body of another: " + got;
  co_return answer;
}

}  // namespace weft::app::testing
