#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/testing/simulated_server.h"
#include "net/testing/pipe.h"
#include "xds/ads_client.h"
#include "xds/catalog.h"

namespace weft::app::testing {

/// A sidecar as `weft proxy` puts it together, with everything of it on the simulated loop.
///
/// Owner: SimulatedMesh. Thread: the simulated loop. How it ends: the destructor, as a process does that is
/// killed.
class SimulatedSidecar {
 public:
  struct Options {
    std::string pod, ip;
    int pid = 0;
    std::uint64_t seed = 1;
    proxy::Connector connector;
    /// A connection to the control plane.
    std::function<Result<std::unique_ptr<net::Stream>>()> reach_control;
  };
  SimulatedSidecar(net::Loop& loop, Options options);

  /// Whether anything is listened at: a configuration is applied.
  bool listens() const { return server_.current() != nullptr; }
  /// A connection that capture has turned to the sidecar: one of its application to `to`, or one to it. Only
  /// while it listens.
  std::unique_ptr<net::testing::PipeEnd> from_application(const net::Address& to);
  void to_application(std::unique_ptr<net::Stream> stream, const net::Address& to);

  /// Of a gauge or counter; 0: there is none.
  std::uint64_t sum_of(std::string_view suffix);

  int pid() const { return options_.pid; }
  const std::string& pod() const { return options_.pod; }
  SimulatedServer& server() { return server_; }
  const xds::Catalog& catalog() const { return catalog_; }
  xds::AdsClient& ads() { return ads_; }

 private:
  net::Task<Result<xds::ControlConnection>> connect();

  net::Loop& loop_;
  Options options_;
  SimulatedServer server_;
  xds::Catalog catalog_;
  xds::AdsClient ads_;
};

}  // namespace weft::app::testing
