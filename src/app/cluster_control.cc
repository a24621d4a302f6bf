#include "app/cluster_control.h"

#include "base/backoff.h"
#include "base/log.h"
#include "control/certificates/mesh_authority.h"
#include "store/kubernetes/cluster_version.h"

namespace weft::app {
namespace {

constexpr Backoff::Limits kBackoff{.initial = 200ms, .max = 5s};
constexpr int kMaxDenied = 3;
constexpr Duration kLookAtSettings = 50ms, kLookAtAuthority = 5s;

tls::WallTime wall_now() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

ClusterControl::ClusterControl(net::Loop& loop, store::Store& store, store::RawApi& api,
                               ClusterControlOptions options)
    : loop_(loop),
      store_(store),
      options_(std::move(options)),
      plane_(loop, store, std::make_unique<control::TokenReviewer>(loop, api), control::cluster_options()),
      permissions_(loop, api, options_.ns, control::control_plane_permissions(options_.ns)),
      foreign_(loop, api, metrics_),
      settings_(loop, store, options_.ns),
      webhooks_(settings_, metrics_,
                [this](const api::ObjectPtr& object) { return plane_.remarks_on_write(object); }),
      monitoring_(
          plane_, metrics_,
          [this] { return control::Monitoring::State{webhook_server_ && mesh_api_server_, problems()}; }),
      api_(api) {}

Result<void> ClusterControl::start() {
  WEFT_CHECK(listen_monitoring());
  plane_.start();
  permissions_.start();
  foreign_.follow([this] { return plane_.controllers().leads(); });
  foreign_.start();
  settings_.start();
  tasks_.spawn(run());
  return {};
}

net::Task<void> ClusterControl::run() {
  tls::CertificateAuthority authority = co_await load_authority();
  Result<void> opened = hold_certificate(std::move(authority));
  if (opened) {
    co_await plane_.ready();
    tasks_.spawn(fit_to_cluster());
    while (!settings_.synced() || !version_problem_.empty()) co_await loop_.sleep(kLookAtSettings);
    opened = listen();
  }
  if (!opened) {
    WEFT_LOG(kError, "control", "cannot serve", {"error", opened.error().text});
    if (on_failure_) on_failure_(std::move(opened).error());
    co_return;
  }
  // The API server is told of us only when we respond to it.
  configurations_->start();
  tasks_.spawn(follow_authority());
  WEFT_LOG(kInfo, "control", "ready", {"xds", xds_server_->address().to_string()},
           {"webhooks", webhook_server_->address().to_string()},
           {"mesh-api", mesh_api_server_->address().to_string()});
}

/// Waits for an API server that is away, and for a Secret that must be put right.
net::Task<tls::CertificateAuthority> ClusterControl::load_authority() {
  for (Backoff backoff(kBackoff);;) {
    auto loaded = co_await control::load_authority(store_, options_.ns, wall_now());
    if (loaded) {
      authority_problem_.clear();
      co_return std::move(*loaded);
    }
    authority_problem_ = "the authority is not loaded: " + loaded.error().text;
    WEFT_LOG(kWarn, "control", "cannot load the authority", {"error", loaded.error().text});
    co_await loop_.sleep(backoff.next());
  }
}

net::Task<void> ClusterControl::fit_to_cluster() {
  Backoff backoff(kBackoff);
  for (int denied = 0;;) {
    const auto version = co_await store::cluster_version(api_);
    if (version) {
      version_problem_.clear();
      co_return settings_.fit_to_cluster(version->minor);
    }
    const Code code = version.error().code;
    if (code == Code::kDenied || code == Code::kUnsupported) ++denied;
    // Who may not ask, or is told none, has the newest as far as we know, until it is told.
    if (denied == kMaxDenied) version_problem_.clear();
    if (denied <= kMaxDenied)
      WEFT_LOG(kWarn, "control", "the version of Kubernetes is not known", {"error", version.error().text});
    co_await loop_.sleep(backoff.next());
  }
}

net::Task<void> ClusterControl::follow_authority() {
  while (true) {
    co_await loop_.sleep(kLookAtAuthority);
    auto loaded = co_await control::stored_authority(store_, options_.ns);
    if (loaded && loaded->certificate_pem() != certificate_->root_pem()) adopt(std::move(*loaded));
  }
}

void ClusterControl::adopt(tls::CertificateAuthority authority) {
  if (auto adopted = certificate_->adopt(std::move(authority)); !adopted) {
    WEFT_LOG(kError, "control", "cannot serve by the new authority", {"error", adopted.error().text});
    return;
  }
  publisher_->set_root(certificate_->root_pem());
  configurations_->set_root(certificate_->root_pem());
  WEFT_LOG(kWarn, "control", "the mesh has another authority now", {"namespace", options_.ns});
}

Result<void> ClusterControl::hold_certificate(tls::CertificateAuthority authority) {
  control::ServingCertificate::Options options{.dns_names = control::control_plane_names(options_.ns),
                                               .now = wall_now};
  WEFT_TRY(certificate_, control::ServingCertificate::make(loop_, std::move(authority), std::move(options)));
  const std::string& root = certificate_->root_pem();
  publisher_ = std::make_unique<control::RootPublisher>(loop_, store_, root);
  publisher_->start();
  configurations_ = std::make_unique<control::WebhookConfigurations>(loop_, store_, api_, root, options_.ns);
  return {};
}

Result<void> ClusterControl::listen_monitoring() {
  http::ServerOptions limits;
  limits.response_timeout = 30s;
  WEFT_TRY(monitoring_server_,
           http::Server::listen(
               loop_, options_.monitoring,
               [this](http::ServerExchange& exchange) { return monitoring_.handle(exchange); }, limits));
  WEFT_LOG(kInfo, "control", "monitoring", {"address", monitoring_server_->address().to_string()});
  return {};
}

Result<void> ClusterControl::listen() {
  std::map<std::string, http::grpc::Method> methods;
  for (const char* path : {control::AdsServer::kPath, control::AdsServer::kDeltaPath})
    methods[path] = [this](http::grpc::Call call) { return plane_.serve_proxy(std::move(call)); };
  WEFT_TRY(xds_server_,
           http::grpc::Server::listen(loop_, options_.xds, std::move(methods), certificate_->source("h2")));
  monitoring_.watch(*xds_server_);
  http::ServerOptions over_tls;
  over_tls.tls = certificate_->source("http/1.1");
  WEFT_TRY(webhook_server_, http::Server::listen(
                                loop_, options_.webhooks,
                                [this](http::ServerExchange& exchange) { return webhooks_.handle(exchange); },
                                std::move(over_tls)));
  WEFT_TRY(mesh_api_server_,
           http::Server::listen(loop_, options_.mesh_api, [this](http::ServerExchange& exchange) {
             return plane_.serve_mesh_api(exchange);
           }));
  return {};
}

std::vector<std::string> ClusterControl::problems() const {
  std::vector<std::string> found = plane_.cache().problems();
  if (!authority_problem_.empty()) found.push_back(authority_problem_);
  if (!version_problem_.empty()) found.push_back(version_problem_);
  if (!settings_.synced()) found.emplace_back("configmap weft-injector is not read yet");
  found.insert(found.end(), permissions_.problems().begin(), permissions_.problems().end());
  if (found.empty() && !mesh_api_server_) found.emplace_back("the ports are not open yet");
  return found;
}

ClusterControl::Ports ClusterControl::ports() const {
  Ports ports;
  if (xds_server_) ports.xds = xds_server_->address();
  if (webhook_server_) ports.webhooks = webhook_server_->address();
  if (monitoring_server_) ports.monitoring = monitoring_server_->address();
  if (mesh_api_server_) ports.mesh_api = mesh_api_server_->address();
  return ports;
}

}  // namespace weft::app
