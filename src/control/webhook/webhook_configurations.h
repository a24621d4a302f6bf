#pragma once

#include <string>

#include "net/loop.h"
#include "net/task.h"
#include "store/informer.h"
#include "store/kubernetes/raw_api.h"

namespace weft::control {

/// Keeps the API server able to call our webhooks: the `caBundle` of MutatingWebhookConfiguration
/// `weft-sidecar-injector` and ValidatingWebhookConfiguration `weft-validator` is the mesh's root, and is put
/// back whenever it is not. Other configurations, and webhooks in these that are not ours by their name's
/// end, are left alone.
///
/// The validating webhook is installed with failurePolicy Ignore. It becomes Fail only when the API server
/// has been seen to reject a bad Gateway (a dry run) by that webhook's word; one that lets it through makes
/// it Ignore again. A write that fails is tried again after 100 ms, five times, then each minute.
///
/// Owner: the program; `store` and `api` must outlive it. Thread: the loop's. Every replica does this, and
/// all write the same.
class WebhookConfigurations {
 public:
  WebhookConfigurations(net::Loop& loop, store::Store& store, store::RawApi& api, const std::string& root_pem,
                        std::string ns);
  void start();
  /// Another authority's, for the API server to trust instead.
  void set_root(const std::string& root_pem);
  /// The API server has rejected the bad Gateway.
  bool proven() const { return proof_ == Proof::kRejected; }

 private:
  enum class Proof : std::uint8_t { kUnknown, kRejected, kAccepted };
  void on_event();
  net::Task<void> repair_all();
  net::Task<bool> repair(const store::Informer& informer, std::string name);
  net::Task<void> prove();
  bool bring_right(api::Json& body) const;

  net::Loop& loop_;
  store::Store& store_;
  store::RawApi& api_;
  std::string bundle_, ns_;
  store::Informer mutating_, validating_;
  Proof proof_ = Proof::kUnknown;
  bool repairing_ = false, again_ = false, proving_ = false;
  int failed_in_a_row_ = 0;
  net::Timer retry_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  net::TaskScope tasks_;
};

namespace kinds {
// Not of api::kinds(): no user of ours writes them.
const api::KindInfo* mutating_webhook_configuration();
const api::KindInfo* validating_webhook_configuration();
}  // namespace kinds

}  // namespace weft::control
