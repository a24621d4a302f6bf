#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/time.h"
#include "install/cluster_reader.h"
#include "net/loop.h"

namespace weft::install {

/// One object that goes.
struct Removal {
  /// What is removed together; a stage begins when the one before it is gone.
  enum class Stage : std::uint8_t {
    kWebhooks,  ///< first, so that no request waits for a control plane that is gone
    kPrograms,  ///< they would make again what is removed after them
    kObjects,
    kDefinitions,  ///< and with them every object of their kinds
    kNamespaces,
  };
  Stage stage;
  std::string path, uid;
  std::string text;         ///< "deployment weft-system/weft-control"
  std::string reason = {};  ///< of one that stayed: why
};

/// What a cluster holds of weft, and its removal. Goes by the label app.kubernetes.io/part-of=weft, and by
/// name for what the control plane makes. A namespace with pods that are not weft's stays.
///
/// Owner: a command; `api` must outlive it. Thread: the loop's.
class Uninstall {
 public:
  using Say = std::function<void(const std::string& line)>;

  Uninstall(net::Loop& loop, store::RawApi& api, Say say);

  /// In the order in which they go. What stays on purpose is said. Errors: those of the API server.
  net::Task<Result<std::vector<Removal>>> find();
  /// Asks the API server to remove them without doing it (dryRun=All): those that it would not, with why.
  net::Task<std::vector<Removal>> rehearse(std::vector<Removal> all);
  /// Removes them, says of each that it is gone, and returns what has stayed after `limit`.
  net::Task<std::vector<Removal>> remove(std::vector<Removal> all, Duration limit);

 private:
  net::Task<Result<void>> find_labelled();
  net::Task<Result<void>> find_named();
  net::Task<Result<void>> find_class();
  net::Task<Result<void>> find_namespaces();
  net::Task<Result<void>> add_definition(Removal definition, api::Json object);
  void add(Removal removal);
  net::Task<void> start(Removal& removal, bool dry_run = false);
  net::Task<void> wait(std::vector<Removal>& removals, TimePoint deadline);

  net::Loop& loop_;
  store::RawApi& api_;
  ClusterReader reader_;
  Say say_;
  std::vector<Removal> found_;
};

}  // namespace weft::install
