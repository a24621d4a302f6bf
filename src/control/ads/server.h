#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "control/ads/session.h"
#include "control/identity/authenticator.h"
#include "control/translation/translator.h"
#include "http/grpc/server.h"
#include "net/wait_queue.h"

namespace weft::control {

/// The Aggregated Discovery Service: who connects, what each proxy is sent, how far each one is.
///
/// A proxy is who the authenticator says; what its node says must agree, and never decides. Owner:
/// ControlPlane. Thread: the loop's. How it ends: the gRPC server that calls serve() ends first.
class AdsServer {
 public:
  static constexpr const char* kPath =
      "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
  static constexpr const char* kDeltaPath =
      "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources";

  /// `on_progress` is called whenever a proxy has come, gone, accepted or rejected something.
  AdsServer(net::Loop& loop, Authenticator& authenticator, std::function<void()> on_progress)
      : loop_(loop), authenticator_(authenticator), on_progress_(std::move(on_progress)), updated_(loop) {}
  AdsServer(const AdsServer&) = delete;
  AdsServer& operator=(const AdsServer&) = delete;

  /// One stream, until either side ends it. The method at both paths.
  net::Task<void> serve(http::grpc::Call call);

  /// The snapshot has changed: every proxy is offered what it is to run now.
  void update(std::shared_ptr<const PushContext> push);
  /// Of the last update; 0 before the first.
  std::uint64_t generation() const { return push_ ? push_->generation : 0; }

  /// One connected proxy.
  struct Proxy {
    ProxyIdentity identity;
    Peer peer;
    std::uint64_t connection = 0;
    Session session;
  };
  const std::list<Proxy*>& proxies() const { return proxies_; }
  /// Sidecars that are known to run and are not connected: they have what an earlier control plane gave them,
  /// or nothing yet.
  std::vector<std::string> absent() const;

  /// Since the start, for each type.
  struct Counts {
    std::uint64_t pushes = 0, accepted = 0, rejected = 0;
  };
  /// Requests that asked for more than a proxy can need, since the start.
  std::uint64_t over_limit() const { return over_limit_; }
  const Counts& counts(Type type) const { return counts_[index_of(type)]; }

 private:
  struct Connection;
  template <class Request>
  net::Task<void> converse(Connection& connection, http::grpc::MessageStream& stream);
  net::Task<std::expected<Peer, Rejection>> admit(const http::grpc::Call& call);
  net::Task<bool> see_pod(const Peer& peer);
  void over_limit(const Proxy& proxy, http::grpc::MessageStream& stream, const std::string& what);
  template <class Request>
  bool introduces(const Request& first, Proxy& proxy, http::grpc::MessageStream& stream);
  template <class Request>
  void count_request(const Request& request);
  void offer(Proxy& proxy);

  net::Loop& loop_;
  Authenticator& authenticator_;
  std::function<void()> on_progress_;
  std::shared_ptr<const PushContext> push_;
  Translator translator_;
  PushEncoder encoder_;
  std::list<Proxy*> proxies_;
  std::uint64_t connections_ = 0;
  std::array<Counts, kTypes> counts_{};
  std::uint64_t over_limit_ = 0;
  net::WaitQueue updated_;
};

/// Who a peer is in the mesh: its labels are its Pod's; a pod labelled istio=ingressgateway (or
/// istio=ingress) is a gateway. The one-machine ingress gateway has no Pod and is known by its name.
ProxyIdentity identify(const Peer& peer, const Registry& registry);

/// Whether node.id claims the same pod: "sidecar~<ip>~<pod>.<namespace>~<namespace>.svc.<domain>", or
/// "<pod>.<namespace>".
bool node_agrees(std::string_view node_id, const ProxyIdentity& identity);

}  // namespace weft::control
