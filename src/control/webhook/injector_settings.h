#pragma once

#include <optional>
#include <string>

#include "inject/settings.h"
#include "net/loop.h"
#include "store/informer.h"

namespace weft::control {

/// The mesh's injection settings, from ConfigMap `weft-injector`, key `settings`, read again when it changes.
/// One that is wrong is told, and the last good one stays; without the ConfigMap the defaults hold.
///
/// Owner: the program; `store` must outlive it. Thread: the loop's.
class InjectorSettings {
 public:
  InjectorSettings(net::Loop& loop, store::Store& store, std::string ns);
  void start() { informer_.start(); }
  bool synced() const { return informer_.synced(); }
  const inject::Settings& current() const { return current_; }
  /// From now on they ask for nothing that Kubernetes 1.`minor` does not have.
  void fit_to_cluster(int minor);
  /// What is wrong with the ConfigMap as it is now; empty: nothing.
  const std::string& problem() const { return problem_; }

 private:
  void on_event(const store::Event& event);

  inject::Settings current_;
  std::optional<int> minor_;  ///< of the cluster, once it is known
  std::string problem_;
  store::Informer informer_;
};

}  // namespace weft::control
