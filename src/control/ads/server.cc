#include "control/ads/server.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <deque>
#include <set>
#include <span>
#include <type_traits>

#include "base/log.h"
#include "base/strings.h"
#include "net/task.h"
#include "xds/proto/discovery.pb.h"

namespace weft::control {

namespace {

// A pod has its address before its containers start; the cache may be that much behind.
constexpr Duration kPodPatience = 10s;
// A proxy has one stream, and for a while another that has not been missed yet.
constexpr std::size_t kMaxStreamsOfProxy = 8;
// Of one type; a name is some 60 bytes, and a proxy asks for those that its clusters and listeners need.
constexpr std::size_t kMaxNames = 10'000;
constexpr std::size_t kMaxOutbox = 16;
constexpr std::size_t kMaxNameBytes = 2 * 1024 * 1024;
// DiscoveryRequest.resource_names; of a DeltaDiscoveryRequest those that come and go, and those that are
// there.
constexpr std::uint32_t kNameFields[] = {3}, kDeltaNameFields[] = {3, 4, 5};

std::string complaint_about_names(std::size_t names, std::size_t bytes) {
  if (names <= kMaxNames && bytes <= kMaxNameBytes) return {};
  return std::to_string(names) + " resource names of " + std::to_string(bytes) + " bytes; the limit is " +
         std::to_string(kMaxNames) + " of " + std::to_string(kMaxNameBytes);
}

/// What is wrong with the number of names in a request, looked at before anything is made of them; else
/// empty.
std::string complaint_about_names(std::string_view message, std::span<const std::uint32_t> fields) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(message.data()),
                                               static_cast<int>(message.size()));
  std::size_t names = 0, bytes = 0;
  while (const std::uint32_t tag = input.ReadTag()) {
    const int before = input.CurrentPosition();
    if (!google::protobuf::internal::WireFormatLite::SkipField(&input, tag)) break;
    if (std::ranges::find(fields, tag >> 3) == fields.end()) continue;
    ++names;
    bytes += static_cast<std::size_t>(input.CurrentPosition() - before);
  }
  return complaint_about_names(names, bytes);
}

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
              .session = Session([this](Push push) { enqueue(push); }, protocol)} {}

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
  constexpr bool kDelta = std::is_same_v<Request, Session::DeltaRequest>;
  const std::span<const std::uint32_t> name_fields =
      kDelta ? std::span(kDeltaNameFields) : std::span<const std::uint32_t>(kNameFields);
  Proxy& proxy = connection.proxy;
  bool first = true;
  while (true) {
    auto message = co_await stream.read();
    if (!message) {
      if (message.error().code == Code::kTooLarge) over_limit(proxy, stream, message.error().text);
      co_return;
    }
    std::string complaint = complaint_about_names(*message, name_fields);
    if (!complaint.empty()) co_return over_limit(proxy, stream, complaint);
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
    if (first) offer(proxy);
    first = false;
    proxy.session.on_request(request);
    // By delta they add up.
    for (const Type type : kAllTypes)
      if (complaint = complaint_about_names(proxy.session.names(type), proxy.session.name_bytes(type));
          !complaint.empty())
        co_return over_limit(proxy, stream, complaint);
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
