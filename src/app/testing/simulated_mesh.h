#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/testing/simulated_control.h"
#include "app/testing/simulated_sidecar.h"
#include "app/testing/wire.h"
#include "base/random.h"
#include "control/testing/memory_store.h"
#include "http/h1/client_connection.h"
#include "http/h1/server_connection.h"

namespace weft::app::testing {

/// A whole mesh on one simulated loop: an API server's double, the control plane, sidecars, applications, and
/// the network between them. Pipes stand for sockets and capture; time moves only when the test moves it; all
/// chance is from one seed.
///
/// Owner: a test. Thread: the test's. How it ends: the destructor, everything in the middle of what it does.
class SimulatedMesh {
 public:
  explicit SimulatedMesh(std::uint64_t seed);
  ~SimulatedMesh();

  net::Loop& loop() { return *loop_; }
  control::testing::MemoryStore& store() { return store_; }

  void start_control();
  void stop_control() { control_.reset(); }
  SimulatedControl* control() { return control_.get(); }  ///< null while it is down

  /// Pods by name; every pod has an address of its own that no other ever has.
  void start_application(const std::string& pod, const std::string& ip);
  void stop_application(const std::string& pod);
  void start_sidecar(const std::string& pod);
  void stop_sidecar(const std::string& pod);
  SimulatedSidecar* sidecar(const std::string& pod);
  const std::map<std::string, std::unique_ptr<SimulatedSidecar>>& sidecars() const { return sidecars_; }

  /// What one request came to. Status 0: the connection broke.
  struct Answer {
    int status = 0;
    std::string pod;    ///< that served it; empty: a local reply
    std::string token;  ///< of the request that the pod served
    bool left = false;  ///< the client has gone before
  };
  struct Request {
    std::string from;      ///< the pod, which has a sidecar
    std::string ip, host;  ///< of the service
    std::string method = "GET", token, variant;
    bool fresh = false;  ///< on a connection of its own
    std::optional<Duration> leaves_after = {};
  };
  net::Task<Answer> ask(Request request);
  /// How often applications were given the request with that token.
  int handled(const std::string& token) const;
  /// Clients' connections that wait for their next request end.
  void close_clients() { idle_.clear(); }

  /// Told of each connection to the control plane as it begins; it may give it faults.
  std::function<void(Wire&)> on_wire;
  /// How long an application takes for a request; empty: no time.
  std::function<Duration()> thinks;
  /// As SimulatedServer's, of every sidecar that is started from now on.
  std::function<Duration()> sidecars_take;
  std::function<Result<void>(const proxy::Snapshot&)> sidecars_check;
  /// Connections to the control plane that are not over.
  std::list<std::unique_ptr<Wire>>& wires();

 private:
  struct Application;
  struct Serving;
  Result<std::unique_ptr<net::Stream>> reach_control(int pid);
  net::Task<Result<proxy::Connection>> dial(std::string from, net::Address to, net::ConnectOptions options);
  Result<std::unique_ptr<net::Stream>> connect_to(const net::Address& to, bool past_sidecar);
  net::Task<void> handle(const std::string& pod, http::ServerExchange& exchange);
  net::Task<Answer> exchange(http::h1::ClientConnection& connection, const Request& request);

  std::unique_ptr<net::Loop> loop_;
  Random random_;
  control::testing::MemoryStore store_;
  std::map<std::string, std::unique_ptr<Application>> applications_;  ///< by pod
  std::map<std::string, std::string> pods_by_ip_, ips_;
  std::map<std::string, int> handled_;
  std::map<std::string, std::unique_ptr<SimulatedSidecar>> sidecars_;
  std::unique_ptr<SimulatedControl> control_;
  std::list<std::unique_ptr<Wire>> wires_;
  std::multimap<std::string, std::unique_ptr<http::h1::ClientConnection>> idle_;  ///< by pod and address
  int pids_ = 5'000'000;
};

}  // namespace weft::app::testing
