#include "control/ads/server.h"

#include <deque>
#include <set>

#include "base/log.h"
#include "base/strings.h"
#include "net/task.h"
#include "xds/proto/discovery.pb.h"

namespace weft::control {

/// A stream's proxy and what waits to be written to it.
struct AdsServer::Connection {
  Connection(http::grpc::MessageStream& to, ProxyIdentity identity, const Registration& registration)
      : stream(to),
        proxy{.identity = std::move(identity),
              .pid = registration.pid,
              .connection = 0,
              .session = Session([this](const Session::Response& response) { enqueue(response); })} {}

  void enqueue(const Session::Response& response) {
    outbox.push_back(response.SerializeAsString());
    if (tasks.active() == 0) tasks.spawn(write_all());
  }

  // The outbox is bounded by the session, which has at most one response of each type on its way.
  net::Task<void> write_all() {
    while (!outbox.empty()) {
      std::string message = std::move(outbox.front());
      outbox.pop_front();
      auto written = co_await stream.write(message);
      // The reading side sees the same failure and ends the connection.
      if (!written) co_return;
    }
  }

  http::grpc::MessageStream& stream;
  std::deque<std::string> outbox;
  Proxy proxy;
  net::TaskScope tasks;
};

ProxyIdentity identify(const Registration& registration, const Registry& registry) {
  ProxyIdentity identity;
  identity.ns = registration.ns;
  identity.pod = registration.pod;
  identity.service_account = registration.service_account;
  if (const Workload* workload = registry.workload(registration.ns, registration.pod)) {
    identity.labels = workload->labels;
  } else if (registration.ns == "istio-system" && registration.pod.starts_with("istio-ingressgateway")) {
    identity.labels = {{"app", "istio-ingressgateway"}, {"istio", "ingressgateway"}};
  }
  auto role = identity.labels.find("istio");
  if (role != identity.labels.end() && (role->second == "ingressgateway" || role->second == "ingress"))
    identity.kind = ProxyIdentity::Kind::kGateway;
  return identity;
}

bool node_agrees(std::string_view node_id, const ProxyIdentity& identity) {
  auto parts = split(node_id, '~');
  return (parts.size() == 4 ? parts[2] : node_id) == identity.id();
}

std::vector<std::string> AdsServer::absent() const {
  std::set<std::string> ids;
  for (const auto& [pid, registration] : registrations_.all())
    ids.insert(registration.pod + "." + registration.ns);
  for (const Proxy* proxy : proxies_) ids.erase(proxy->identity.id());
  return {ids.begin(), ids.end()};
}

net::Task<void> AdsServer::serve(http::grpc::Call call) {
  auto registration = call.peer ? registrations_.find(call.peer->pid) : std::nullopt;
  if (!registration || !inputs_) {
    WEFT_LOG(kWarn, "control", "a process that nobody registered asks for configuration",
             {"pid", call.peer ? call.peer->pid : 0});
    call.stream.finish(http::grpc::kPermissionDenied,
                       "this process was not started as a sidecar of this mesh");
    co_return;
  }
  Connection connection(call.stream, identify(*registration, inputs_->registry), *registration);
  connection.proxy.connection = ++connections_;
  // Leaves the list however this task ends, cancelled at a suspension too.
  struct Listed {
    AdsServer& server;
    std::list<Proxy*>::iterator place;
    ~Listed() {
      server.proxies_.erase(place);
      server.on_progress_();
    }
  } listed{*this, proxies_.insert(proxies_.end(), &connection.proxy)};
  WEFT_LOG(kInfo, "control", "proxy connected", {"proxy", connection.proxy.identity.id()},
           {"pid", registration->pid});
  co_await converse(connection, call.stream);
  WEFT_LOG(kInfo, "control", "proxy disconnected", {"proxy", connection.proxy.identity.id()});
}

net::Task<void> AdsServer::converse(Connection& connection, http::grpc::MessageStream& stream) {
  Proxy& proxy = connection.proxy;
  bool first = true;
  while (true) {
    auto message = co_await stream.read();
    if (!message) co_return;
    Session::Request request;
    if (!request.ParseFromString(*message)) {
      stream.finish(http::grpc::kInvalidArgument, "the message is no DiscoveryRequest");
      co_return;
    }
    if (first && !node_agrees(request.node().id(), proxy.identity)) {
      WEFT_LOG(kWarn, "control", "a proxy claims to be another", {"proxy", proxy.identity.id()},
               {"claims", request.node().id()});
      stream.finish(http::grpc::kPermissionDenied,
                    "node.id does not agree with who this process was started as");
      co_return;
    }
    if (request.has_error_detail())
      WEFT_LOG(kWarn, "control", "a proxy refuses its configuration", {"proxy", proxy.identity.id()},
               {"type", request.type_url()}, {"reason", request.error_detail().message()});
    if (first) offer(proxy);
    first = false;
    proxy.session.on_request(request);
    on_progress_();
  }
}

void AdsServer::offer(Proxy& proxy) {
  proxy.identity = identify({.pid = proxy.pid,
                             .start_time = 0,
                             .ns = proxy.identity.ns,
                             .pod = proxy.identity.pod,
                             .service_account = proxy.identity.service_account},
                            inputs_->registry);
  auto set = std::make_shared<const ResourceSet>(translate(*inputs_, proxy.identity));
  proxy.session.offer(std::move(set), inputs_->generation);
}

void AdsServer::update(std::shared_ptr<const Inputs> inputs) {
  inputs_ = std::move(inputs);
  for (Proxy* proxy : proxies_) offer(*proxy);
}

}  // namespace weft::control
