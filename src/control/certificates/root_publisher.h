#pragma once

#include <string>

#include "net/loop.h"
#include "net/task.h"
#include "store/informer.h"
#include "store/store.h"

namespace weft::control {

/// Keeps the mesh's root certificate where every pod can mount it: ConfigMap `weft-ca-root-cert`, key
/// `root-cert.pem`, in every namespace but the system's. A new namespace has it at once, and an edited or
/// deleted one is repaired; every replica does this, and all write the same.
///
/// Owner: the program; `store` must outlive it. Thread: the loop's. How it ends: the destructor.
class RootPublisher {
 public:
  RootPublisher(net::Loop& loop, store::Store& store, std::string root_pem);
  void start();
  /// Another authority's, to be published instead.
  void set_root(std::string root_pem);

 private:
  void on_event();
  net::Task<void> run();
  net::Task<bool> publish(std::string ns);

  net::Loop& loop_;
  store::Store& store_;
  std::string root_pem_;
  store::Informer namespaces_, config_maps_;
  bool running_ = false, again_ = false;
  net::Timer retry_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  net::TaskScope tasks_;
};

}  // namespace weft::control
