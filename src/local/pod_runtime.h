#pragma once

#include <map>
#include <memory>
#include <set>

#include "local/host.h"
#include "local/name_server.h"
#include "local/pace.h"
#include "local/pod.h"
#include "store/informer.h"

namespace weft::local {

/// Makes what the store says about pods true on this machine, and writes back how they are: a kubelet.
///
/// Owner: the supervisor; `host` and `store` outlive it. Thread: the loop's.
/// How it ends: co_await stop(), which ends every pod; their objects stay for the next run.
class PodRuntime {
 public:
  PodRuntime(Host& host, store::Store& store);

  void start();
  /// Every pod that was there at the start is known, and no status of an earlier run is left in the store.
  bool settled() const {
    return pods_informer_.synced() && services_.synced() && slices_.synced() && dirty_.empty() && !writing_;
  }
  /// Ends all pods, each with at most `grace` after its SIGTERM.
  net::Task<void> stop(Duration grace);

 private:
  void on_pod(const store::Event& event);
  void begin(api::ObjectPtr object);
  net::Task<void> end_when_drained(api::Key key, api::ObjectPtr object);
  net::Task<void> unheard_of(std::uint64_t version);
  net::Task<void> end(api::Key key, Duration grace, bool remove_object);
  net::Task<void> remove_object(api::Key key, std::string uid);
  net::Task<void> start_pods();
  void mark_dirty(const api::Key& key);
  net::Task<void> write_statuses();
  net::Task<bool> write_status(const api::Key& key);
  void on_service();
  void tell_services();

  Host& host_;
  store::Store& store_;
  std::map<api::Key, std::unique_ptr<Pod>> pods_;
  std::set<api::Key> ending_;
  std::map<std::string, Duration> draining_;  ///< by uid, pods whose callers are waited for, and their grace
  std::set<api::Key> dirty_;
  bool writing_ = false, stopping_ = false;
  ServiceTable service_table_;
  NameServer name_server_;
  net::Timer services_timer_;
  Pace services_pace_;
  store::Informer pods_informer_, services_, slices_, config_maps_, secrets_;
  net::TaskScope tasks_;
};

}  // namespace weft::local
