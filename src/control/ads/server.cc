#include "control/ads/server.h"

#include <algorithm>
#include <deque>
#include <set>
#include <type_traits>

#include "base/log.h"
#include "base/strings.h"
#include "control/ads/name_limit.h"
#include "net/task.h"
#include "xds/proto/discovery.pb.h"

namespace weft::control {

namespace {

// A pod has its address before its containers start; the cache may be that much behind.
constexpr Duration kPodPatience = 10s;
// A proxy has one stream, and for a while another that has not been missed yet.
constexpr std::size_t kMaxStreamsOfProxy = 8;
constexpr std::size_t kMaxOutbox = 16;

}  // namespace

/// A stream's proxy and what waits to be written to it.
struct AdsServer::Connection {
  Connection(AdsServer& server, http::grpc::MessageStream& to, ProxyIdentity identity, Peer peer,
             AdsProtocol protocol)
      : owner(server),
        stream(to),
        proxy{.identity = std::move(identity),
              .peer = std::move(peer),
              .connection = 0,
              .session = Session([this](const Push& push) { enqueue(push); }, protocol)} {}

  void enqueue(const Push& push) {
    ++owner.counts_[index_of(push.type)].pushes;
    outbox.push_back(owner.encoder_.encode(push));
    if (tasks.active() == 0) tasks.spawn(write_all());
  }

  // A proxy that reads what it is sent has at most one response of each type on its way. One that says it has
  // what it never read is ended by converse().
  net::Task<void> write_all() {
    while (!outbox.empty()) {
      EncodedPush message = std::move(outbox.front());
      outbox.pop_front();
      auto written = co_await stream.write_parts(message.own, std::move(message.resources));
      // The reading side sees the same failure and ends the connection.
      if (!written) co_return;
    }
  }

  AdsServer& owner;
  http::grpc::MessageStream& stream;
  std::deque<EncodedPush> outbox;
  Proxy proxy;
  net::TaskScope tasks;
};

ProxyIdentity identify(const Peer& peer, const Registry& registry) {
  ProxyIdentity identity;
  identity.ns = peer.ns;
  identity.pod = peer.pod;
  identity.service_account = peer.service_account;
  if (const Workload* workload = registry.workload(peer.ns, peer.pod)) {
    identity.labels = workload->labels;
    identity.ipv6 = workload->ip.find(':') != std::string::npos;
  } else if (!peer.has_pod && peer.ns == "istio-system" && peer.pod.starts_with("istio-ingressgateway")) {
    identity.labels = {{"app", "istio-ingressgateway"}, {"istio", "ingressgateway"}};
  }
  if (is_gateway(identity.labels)) identity.kind = ProxyIdentity::Kind::kGateway;
  return identity;
}

bool node_agrees(std::string_view node_id, const ProxyIdentity& identity) {
  auto parts = split(node_id, '~');
  if (parts.size() != 4) return node_id == identity.id();
  auto service = parts[3].find(".svc.");
  bool other_namespace = service != parts[3].npos && parts[3].substr(0, service) != identity.ns;
  return parts[2] == identity.id() && !other_namespace;
}

std::vector<std::string> AdsServer::absent() const {
  std::set<std::string> ids;
  for (const Peer& peer : authenticator_.running()) ids.insert(peer.pod + "." + peer.ns);
  for (const Proxy* proxy : proxies_) ids.erase(proxy->identity.id());
  return {ids.begin(), ids.end()};
}

/// Resumes when the cache has the pod with an address: only then is it known what the proxy is to run.
net::Task<bool> AdsServer::see_pod(const Peer& peer) {
  const TimePoint deadline = loop_.now() + kPodPatience;
  while (true) {
    const Workload* pod = push_ ? push_->registry.workload(peer.ns, peer.pod) : nullptr;
    if (pod && !pod->ip.empty()) co_return true;
    if (loop_.now() >= deadline) co_return false;
    co_await updated_.wait(deadline);
  }
}

net::Task<std::expected<Peer, Rejection>> AdsServer::admit(const http::grpc::Call& call) {
  auto peer = co_await authenticator_.identify(call);
  if (!peer) co_return peer;
  if (call.admitted) call.admitted();
  const auto streams = std::ranges::count_if(proxies_, [&](const Proxy* proxy) {
    return proxy->peer.pod == peer->pod && proxy->peer.ns == peer->ns;
  });
  if (static_cast<std::size_t>(streams) >= kMaxStreamsOfProxy)
    co_return std::unexpected(Rejection{http::grpc::kResourceExhausted,
                                        "this proxy has " + std::to_string(streams) + " streams already"});
  bool seen = true;
  if (peer->has_pod) seen = co_await see_pod(*peer);
  if (!seen)
    co_return std::unexpected(Rejection{
        http::grpc::kUnavailable, "pod " + peer->ns + "/" + peer->pod + " is not known with an address yet"});
  if (!push_)
    co_return std::unexpected(Rejection{http::grpc::kUnavailable, "the objects are not all read yet"});
  co_return peer;
}

net::Task<void> AdsServer::serve(http::grpc::Call call) {
  auto peer = co_await admit(call);
  if (!peer) {
    WEFT_LOG(kWarn, "control", "a proxy is turned away", {"reason", peer.error().reason},
             {"pid", call.peer ? call.peer->pid : 0});
    call.stream.finish(peer.error().status, peer.error().reason);
    co_return;
  }
  const AdsProtocol protocol = call.path == kDeltaPath ? AdsProtocol::kDelta : AdsProtocol::kStateOfTheWorld;
  Connection connection(*this, call.stream, identify(*peer, push_->registry), *peer, protocol);
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
           {"pid", peer->pid});
  offer(connection.proxy);
  if (protocol == AdsProtocol::kDelta)
    co_await converse<Session::DeltaRequest>(connection, call.stream);
  else
    co_await converse<Session::Request>(connection, call.stream);
  WEFT_LOG(kInfo, "control", "proxy disconnected", {"proxy", connection.proxy.identity.id()});
}

void AdsServer::over_limit(const Proxy& proxy, http::grpc::MessageStream& stream, const std::string& what) {
  ++over_limit_;
  WEFT_LOG(kWarn, "control", "a proxy asks for too much", {"proxy", proxy.identity.id()}, {"what", what});
  stream.finish(http::grpc::kResourceExhausted, what);
}

/// Whether the first request is one of this proxy; else the call is finished.
template <class Request>
bool AdsServer::introduces(const Request& first, Proxy& proxy, http::grpc::MessageStream& stream) {
  const auto& node = first.node();
  if (!node_agrees(node.id(), proxy.identity)) {
    WEFT_LOG(kWarn, "control", "a proxy claims to be another", {"proxy", proxy.identity.id()},
             {"claims", cut(node.id(), 256)});
    stream.finish(http::grpc::kPermissionDenied, "node.id \"" + std::string(cut(node.id(), 256)) +
                                                     "\" does not agree with who this proxy is, " +
                                                     proxy.identity.id());
    return false;
  }
  const auto& features = node.client_features();
  if (std::ranges::find(features, xds::kTableChangeFeature) != features.end())
    proxy.session.allow_table_changes();
  return true;
}

template <class Request>
net::Task<void> AdsServer::converse(Connection& connection, http::grpc::MessageStream& stream) {
  Proxy& proxy = connection.proxy;
  bool first = true;
  while (true) {
    auto message = co_await stream.read();
    if (!message) {
      if (message.error().code == Code::kTooLarge) over_limit(proxy, stream, message.error().text);
      co_return;
    }
    const NameCount said = count_names(*message);
    if (const std::string complaint = complaint_about(said, proxy.session.target().get()); !complaint.empty())
      co_return over_limit(proxy, stream, complaint);
    Request request;
    if (!request.ParseFromString(*message)) {
      stream.finish(http::grpc::kInvalidArgument, "the message is no " + Request::descriptor()->name());
      co_return;
    }
    if (first && !introduces(request, proxy, stream)) co_return;
    if (request.has_error_detail())
      WEFT_LOG(kWarn, "control", "a proxy rejects its configuration", {"proxy", proxy.identity.id()},
               {"type", request.type_url()}, {"reason", cut(request.error_detail().message(), 2000)});
    count_request(request);
    first = false;
    proxy.session.on_request(request);
    // By delta they add up.
    for (const Type type : kAllTypes) {
      const NameCount asked{.names = proxy.session.names(type), .bytes = proxy.session.name_bytes(type)};
      if (const std::string complaint = complaint_about(asked, proxy.session.target().get());
          !complaint.empty())
        co_return over_limit(proxy, stream, complaint);
    }
    if (connection.outbox.size() > kMaxOutbox)
      co_return over_limit(proxy, stream, "it acknowledges responses that it has not read");
    on_progress_();
  }
}

template <class Request>
void AdsServer::count_request(const Request& request) {
  auto type = type_of(request.type_url());
  if (!type || request.response_nonce().empty()) return;
  Counts& counts = counts_[index_of(*type)];
  ++(request.has_error_detail() ? counts.rejected : counts.accepted);
}

void AdsServer::offer(Proxy& proxy) {
  proxy.identity = identify(proxy.peer, push_->registry);
  proxy.session.offer(translator_.translate(proxy.identity), push_->generation);
}

void AdsServer::update(std::shared_ptr<const PushContext> push) {
  push_ = std::move(push);
  translator_.update(push_);
  for (Proxy* proxy : proxies_) offer(*proxy);
  updated_.notify_all();
}

}  // namespace weft::control
