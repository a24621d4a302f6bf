#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "control/translation/resource_set.h"

namespace envoy::service::discovery::v3 {
class DiscoveryRequest;
class DiscoveryResponse;
}  // namespace envoy::service::discovery::v3

namespace weft::control {

/// The conversation with one proxy, state of the world: what it was sent, what it said, and what comes next.
/// No I/O: requests go in, responses come out through `send`.
///
/// A new target is sent so that no request ever meets a route without its cluster or a cluster without its
/// endpoints: clusters (the new ones and those still in use), endpoints, listeners, routes, each when the
/// proxy has accepted what it stands on, and at last clusters without those that nobody uses any more. Only
/// what differs is sent. While one target is on its way the newest of later ones waits; those between are
/// never sent.
///
/// Owner: AdsServer. Thread: one loop. Source: xDS protocol, "ACK/NACK and versioning" and "Eventual
/// consistency".
class Session {
 public:
  using Response = envoy::service::discovery::v3::DiscoveryResponse;
  using Request = envoy::service::discovery::v3::DiscoveryRequest;
  using Send = std::function<void(const Response&)>;

  /// What the proxy refused: everything that came into the world after `after`, up to `upto`, may be the
  /// cause.
  struct Refusal {
    Type type = Type::kCluster;
    std::uint64_t after = 0, upto = 0;
    std::string reason;
  };

  struct TypeReport {
    std::uint64_t sent = 0, acked = 0, nacked = 0;  ///< generations; 0: never
    std::string reason;                             ///< of the last refusal, when it still stands
  };

  explicit Session(Send send) : send_(std::move(send)) {}

  void on_request(const Request& request);
  /// From now on the proxy is to run `target`, made from generation `generation` of the world.
  void offer(ResourceSetPtr target, std::uint64_t generation);

  /// The proxy runs a configuration made from this generation, or one that does not differ from it for this
  /// proxy.
  std::uint64_t running() const { return running_; }
  /// The last one that was not accepted and has not been replaced by one that was.
  const std::optional<Refusal>& refusal() const { return refusal_; }
  /// Generation of the newest target that the proxy has been sent something of.
  std::uint64_t sending() const { return active_generation_; }
  TypeReport report(Type type) const;

 private:
  enum class Stage : std::uint8_t {
    kIdle,
    kClusters,
    kEndpoints,
    kListeners,
    kRoutes,
    kSettle,
    kPrune,
    kPruned
  };

  struct Channel {
    bool subscribed = false;
    bool must_answer = false;  ///< the first request: answered even when there is nothing
    bool awaiting = false;     ///< sent, neither accepted nor refused yet
    bool rejected = false;     ///< the proxy refused what `sent` says and has what `held` says
    std::set<std::string, std::less<>> names;   ///< endpoints and routes: what the proxy asks for
    std::set<std::string, std::less<>> resend;  ///< of these, what it needs again although nothing changed
    Resources sent, held;
    std::string nonce;
    TypeReport report;
  };

  Channel& channel(Type type) { return channels_[index_of(type)]; }
  const Channel& channel(Type type) const { return channels_[index_of(type)]; }
  void subscribe(Channel& state, Type type, const Request& request, bool repeated);
  void on_verdict(Channel& state, Type type, const Request& request);
  void advance();
  bool step();
  bool settled(Type type) const;
  bool covers(Type type, Type needed_by) const;
  void send_clusters(const Resources& clusters);
  void send_listeners();
  void send_asked(Type type);
  void note_changed_clusters(const Resources& clusters);
  void emit(Type type, const std::vector<const Resources::value_type*>& resources);
  void hold_back();
  void finish_push();

  Send send_;
  std::array<Channel, kTypes> channels_;
  Stage stage_ = Stage::kIdle;
  ResourceSetPtr target_, active_;
  std::uint64_t target_generation_ = 0, active_generation_ = 0;
  std::uint64_t running_ = 0;
  bool refused_now_ = false;  ///< something of the present push was refused
  std::optional<Refusal> refusal_;
  std::uint64_t nonces_ = 0;
};

}  // namespace weft::control
