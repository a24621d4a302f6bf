#pragma once

#include <functional>
#include <memory>

#include "net/loop.h"
#include "proxy/admin.h"
#include "proxy/server.h"
#include "xds/ads_client.h"
#include "xds/bootstrap.h"
#include "xds/catalog.h"

namespace weft::xds {

/// What every process that is a proxy consists of: the data plane, the bootstrap that it begins with, the
/// control plane that changes it, and the admin page.
///
/// Owner: the program. Thread: the main loop. How it ends: the destructor, which ends every connection; a
/// graceful end is the server's drain() or begin_graceful_drain() before that.
class ConfiguredProxy {
 public:
  /// Starts the data plane, without configuration, and opens the admin page of the bootstrap. `quit` is what
  /// `POST /quitquitquit` asks for. Errors: a port or a thread that cannot be had.
  static Result<std::unique_ptr<ConfiguredProxy>> start(net::Loop& loop, Bootstrap bootstrap,
                                                        proxy::ServerOptions options,
                                                        std::function<void()> quit);
  ~ConfiguredProxy();

  /// How the control plane is reached, where the bootstrap does not say it.
  struct ControlPlane {
    std::uint32_t socket_mark = 0;
    std::function<net::Task<Result<ControlConnection>>()> connect = {};  ///< see AdsClient::Options
  };
  /// Applies what the bootstrap holds; what comes from a control plane then is a change of it. `done` runs
  /// once on the loop. Error: the bootstrap cannot be applied, and nothing runs.
  void apply(ControlPlane control_plane, std::function<void(Result<void>)> done);

  proxy::Server& server() { return *server_; }
  const Bootstrap& bootstrap() const { return bootstrap_; }
  /// Null before apply(), and when the bootstrap names no control plane.
  const AdsClient* ads() const { return ads_.get(); }

 private:
  ConfiguredProxy(net::Loop& loop, Bootstrap bootstrap) : loop_(loop), bootstrap_(std::move(bootstrap)) {}
  Result<void> open_admin(std::function<void()> quit);
  void go_on();

  net::Loop& loop_;
  Bootstrap bootstrap_;
  std::unique_ptr<proxy::Server> server_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<proxy::Admin> admin_;
  std::unique_ptr<AdsClient> ads_;
};

}  // namespace weft::xds
