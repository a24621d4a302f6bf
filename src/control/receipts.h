#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "control/ads/server.h"
#include "control/translation/translate.h"

namespace weft::control {

/// For each rule and service: since which generation it is as it is, and with that which proxies run it.
///
/// Nothing is kept for each pair of object and proxy: a proxy that runs generation G runs every object that
/// has not changed since G, and one that rejected G rejected something that came after what it runs. Owner:
/// ControlPlane. Thread: the loop's.
class Receipts {
 public:
  /// Notes what has changed. Status changes do not count. Costs what has changed.
  void update(const PushContext& push);

  /// {"receipts": [{kind, namespace, name, resourceVersion, sent, applied, pending, rejected: [{proxy,
  /// reason}]}]}
  api::Json to_json(const AdsServer& ads) const;
  /// {"proxies": [{id, pod, namespace, kind, pid, running, types: {CDS: {sent, acked, nacked, reason},
  /// ...}}]}
  static api::Json proxies_json(const AdsServer& ads);

  /// Rules of which something is not applied because no proxy would accept it, or some proxy did not, and
  /// why. A proxy that has never run anything blames none.
  std::map<api::Key, std::string> rejections(const AdsServer& ads) const;

  /// Whether every proxy that is known to run runs `generation`.
  static bool is_applied(const AdsServer& ads, std::uint64_t generation);
  /// Whether every connected proxy has accepted or rejected what it was sent up to `generation`, but for
  /// those that have not even done so with what they were sent up to `but_behind`; 0: no exceptions.
  static bool is_settled(const AdsServer& ads, std::uint64_t generation, std::uint64_t but_behind = 0);
  /// Whether a proxy has rejected something that `generation` may be the cause of.
  static bool is_rejected(const AdsServer& ads, std::uint64_t generation);
  /// How far the proxies are on the way to `generation`: {"missing": [...], "rejected": [...]}, both empty
  /// when it is applied everywhere.
  static api::Json progress_json(const AdsServer& ads, std::uint64_t generation);

 private:
  struct Entry {
    std::string uid;
    std::uint64_t object_generation = 0;
    std::uint64_t resource_version = 0;
    std::uint64_t since = 0;  ///< generation of the configuration
  };
  void note(const api::Object& object, const PushContext& push);

  ObjectSnapshotPtr seen_ = std::make_shared<const ObjectSnapshot>();
  std::map<api::Key, Entry> entries_;
  std::map<api::Key, std::string> left_out_;  ///< what of it no proxy would accept, and is not sent
};

}  // namespace weft::control
