#include "xds/configured_proxy.h"

#include "xds/config_dump.h"

namespace weft::xds {

Result<std::unique_ptr<ConfiguredProxy>> ConfiguredProxy::start(net::Loop& loop, Bootstrap bootstrap,
                                                                proxy::ServerOptions options,
                                                                std::function<void()> quit) {
  std::unique_ptr<ConfiguredProxy> made(new ConfiguredProxy(loop, std::move(bootstrap)));
  options.node_id = made->bootstrap_.node_id;
  options.node_cluster = made->bootstrap_.node_cluster;
  WEFT_TRY(made->server_, proxy::Server::start(loop, std::move(options)));
  made->catalog_ = std::make_unique<Catalog>(made->bootstrap_.clusters, made->bootstrap_.listeners);
  WEFT_CHECK(made->open_admin(std::move(quit)));
  return made;
}

ConfiguredProxy::~ConfiguredProxy() {
  ads_.reset();
  admin_.reset();
  if (server_) server_->stop();
}

Result<void> ConfiguredProxy::open_admin(std::function<void()> quit) {
  if (!bootstrap_.admin) return {};
  proxy::Admin::Hooks hooks;
  hooks.config_dump = [this](std::string_view query) { return config_dump(bootstrap_, *catalog_, query); };
  hooks.quit = std::move(quit);
  admin_ = std::make_unique<proxy::Admin>(loop_, *server_, std::move(hooks));
  return admin_->listen(*bootstrap_.admin);
}

void ConfiguredProxy::apply(ControlPlane control_plane, std::function<void(Result<void>)> done) {
  if (bootstrap_.ads) {
    AdsClient::Options options;
    options.source = *bootstrap_.ads;
    options.node = bootstrap_.node;
    options.socket_mark = control_plane.socket_mark;
    options.connect = std::move(control_plane.connect);
    ads_ = std::make_unique<AdsClient>(loop_, *server_, *catalog_, std::move(options));
  }
  catalog_->follow_references(loop_.now());
  server_->apply(catalog_->build(loop_.now()), [this, done = std::move(done)](Result<void> result) {
    if (result) go_on();
    done(std::move(result));
  });
}

void ConfiguredProxy::go_on() {
  catalog_->commit();
  if (ads_)
    ads_->start();
  else
    server_->set_ready(true);
}

}  // namespace weft::xds
