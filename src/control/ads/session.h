#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "control/ads/asked_names.h"
#include "control/ads/push.h"
#include "control/translation/resource_set.h"

namespace envoy::service::discovery::v3 {
class DiscoveryRequest;
class DeltaDiscoveryRequest;
}  // namespace envoy::service::discovery::v3

namespace weft::control {

/// The conversation with one proxy: what it was sent, what it said, and what comes next. No I/O: requests go
/// in, responses come out through `send`.
///
/// Both protocols are one conversation. By delta a response has what the proxy does not hold, and the names
/// of what it holds and is not to have; a request has the names that come and go, and an acknowledgement has
/// none.
///
/// A new target is sent so that no request ever meets a route without its cluster or a cluster without its
/// endpoints: clusters (the new ones and those still in use), endpoints, listeners, routes, each when the
/// proxy has accepted what it stands on, and finally clusters without those that are not used any more: what
/// was rejected leaves an earlier form in use, and with it the clusters of then, not those since. Only what
/// differs is sent. While one target is on its way the newest of later ones waits; those between are
/// never sent.
///
/// Owner: AdsServer. Thread: one loop. Source: xDS protocol, "ACK/NACK and versioning" and "Eventual
/// consistency".
class Session {
 public:
  using Request = envoy::service::discovery::v3::DiscoveryRequest;
  using DeltaRequest = envoy::service::discovery::v3::DeltaDiscoveryRequest;
  using Send = std::function<void(Push)>;

  /// What the proxy rejected: everything that came into the snapshot after `after`, up to `upto`, may be the
  /// cause. It stands until the proxy has accepted what takes the place of each rejected resource.
  struct Rejection {
    Type type = Type::kCluster;
    std::uint64_t after = 0, upto = 0;
    std::string reason;
    bool blames(std::uint64_t since) const { return since > after && since <= upto; }
  };

  struct TypeReport {
    std::uint64_t sent = 0, acked = 0, nacked = 0;  ///< generations; 0: never
    std::string reason;                             ///< of the last rejection, while it stands
  };

  explicit Session(Send send, AdsProtocol protocol = AdsProtocol::kStateOfTheWorld)
      : send_(std::move(send)), protocol_(protocol) {}

  AdsProtocol protocol() const { return protocol_; }
  void on_request(const Request& request);
  void on_request(const DeltaRequest& request);
  /// The proxy can be sent what has changed in a route table that it has.
  void allow_table_changes() { table_changes_ = true; }
  /// How many the proxy asks for.
  std::size_t names(Type type) const;
  /// How long these are together, where they are not just those that what it was sent needs.
  std::size_t name_bytes(Type type) const;
  /// From now on the proxy is to run `target`, made from generation `generation` of the snapshot.
  void offer(ResourceSetPtr target, std::uint64_t generation);

  /// Null before the first offer.
  const ResourceSetPtr& target() const { return target_; }

  /// The proxy runs all of a configuration made from this generation, or of one that does not differ from it
  /// for this proxy. While something is rejected it is the last one before that.
  std::uint64_t running() const;
  /// The proxy runs what came into the snapshot with generation `since`: nothing that it may have done is
  /// rejected or on its way.
  bool runs(std::uint64_t since) const;
  /// Why it does not run what came with `since`; null when nothing stands rejected that `since` may be the
  /// cause of.
  const Rejection* rejection_of(std::uint64_t since) const;
  /// Whether anything stands rejected.
  bool any_doubted() const;
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

  using NameSet = std::set<std::string, std::less<>>;

  struct Rejected {
    ResourcePtr form;
    /// What was applied when the proxy was sent that: its routes and listeners of then, which it may go on
    /// with, need the clusters of then. Null: nothing was.
    ResourceSetPtr before;
  };
  /// A rejection, and what it may be about: it ends when all of that has been accepted, or is not wanted.
  struct Doubt {
    Rejection rejection;
    std::map<std::string, Rejected, std::less<>> resources;
  };

  struct Channel {
    bool subscribed = false;
    bool must_respond = false;  ///< the first request: responded to even when there is nothing
    bool awaiting = false;      ///< sent, neither accepted nor rejected yet
    bool rejected = false;      ///< the proxy rejected what `sent` says and has what `held` says
    AskedNames names;           ///< endpoints and routes: what the proxy asks for
    Names known;                ///< delta: what it had when the stream began, until that may go
    NameSet unsure;  ///< delta, a complete type: what it may have in one form or another, having rejected
    bool resend_all = false;  ///< it needs all of these again although nothing changed
    NameSet resend;           ///< or these
    /// In the ordinary case both are the target's own table.
    ResourceTablePtr sent = empty_table(), held = empty_table();
    ResourceTablePtr compared;              ///< with which `sent` was compared last for the present names
    ResourceTablePtr last = empty_table();  ///< what the response with `nonce` said that was new
    std::uint64_t base = 0;                 ///< what the proxy ran when that was sent
    ResourceSetPtr before;                  ///< and of what it had been sent all
    std::vector<Doubt> doubts;
    std::string nonce;
    TypeReport report;
  };

  Channel& channel(Type type) { return channels_[index_of(type)]; }
  const Channel& channel(Type type) const { return channels_[index_of(type)]; }
  void subscribe(Channel& state, Type type, const Request& request, bool repeated);
  void subscribe(Channel& state, Type type, const DeltaRequest& request);
  void names_changed(Channel& state);
  void after_request(Channel& state, bool first);
  /// `rejection` null: it accepts.
  void on_verdict(Channel& state, Type type, const std::string* rejection);
  void on_rejected(Channel& state, Type type, std::string_view reason);
  void on_accepted(Channel& state, Type type);
  static bool is_doubted(const Channel& state, const Resource& form);
  static void hold_all_but(Channel& state, Type type, const Doubt& doubt);
  static void doubt_forms(Channel& state);
  void forget_unwanted();
  static void drop_settled(std::vector<Doubt>& doubts, TypeReport& report);
  bool lacks_clusters() const;
  void advance();
  bool step();
  bool settled(Type type) const;
  bool covers(Type type, Type needed_by);
  void send_complete(Type type, const ResourceTablePtr& resources);
  void send_asked(Type type);
  std::vector<ResourcePtr> unsent(const Channel& state, const ResourceTable& target) const;
  void note_recreated(Type type, const ResourceTable& resources);
  bool owes() const;
  static bool stands_rejected(const Channel& state, const Doubt& doubt);
  void join_oldest(Channel& state, Type type) const;
  void erase_unwanted(Doubt& doubt, Type type) const;
  Rejected rejected(const Channel& state, const std::string& name) const;
  ResourceTablePtr needed_clusters() const;
  void emit(Type type, ResourceTablePtr resources, ResourceTablePtr changed, ResourceTablePtr base = nullptr);
  bool may_drop_known(Type type) const;
  bool has_stale(Type type, const ResourceTable& resources) const;
  Names gone(Type type, const ResourceTable& resources) const;
  void hold_back();
  void finish_push();

  Send send_;
  AdsProtocol protocol_;
  bool table_changes_ = false;
  std::array<Channel, kTypes> channels_;
  Stage stage_ = Stage::kIdle;
  ResourceSetPtr target_, active_;
  ResourceSetPtr whole_;  ///< the last that was sent in all its parts
  std::uint64_t target_generation_ = 0, active_generation_ = 0;
  std::uint64_t settled_ = 0;  ///< what the proxy runs, but for what is doubted
  bool rejected_now_ = false;  ///< something of the present push was rejected
  bool asked_again_ = false;   ///< a request came during it that it may be too late for
  std::uint64_t nonces_ = 0;
};

}  // namespace weft::control
