#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "control/certificates/root_publisher.h"
#include "control/certificates/serving_certificate.h"
#include "control/control_plane.h"
#include "control/identity/token_reviewer.h"
#include "control/monitoring/metrics.h"
#include "control/monitoring/monitoring.h"
#include "control/monitoring/permissions.h"
#include "control/remarks/foreign_objects.h"
#include "control/webhook/injector_settings.h"
#include "control/webhook/webhook_configurations.h"
#include "control/webhook/webhooks.h"
#include "http/grpc/server.h"
#include "http/server.h"
#include "store/kubernetes/raw_api.h"
#include "store/store.h"

namespace weft::app {

struct ClusterControlOptions {
  std::string ns = "weft-system";
  net::Address xds, webhooks, monitoring, mesh_api;  ///< port 0: any; the log says which
};

/// One replica of the control plane on a cluster, whatever its store really is: certificates, webhooks, xDS,
/// monitoring.
///
/// It begins with /ready alone, which says what is missing. The other ports open when everything they serve
/// from is there. Owner: the program; `store` and `api` must outlive it. Thread: the loop's. How it ends: the
/// destructor.
class ClusterControl {
 public:
  ClusterControl(net::Loop& loop, store::Store& store, store::RawApi& api, ClusterControlOptions options);
  /// Error: the monitoring address cannot be listened on.
  Result<void> start();
  /// Called when a port cannot be opened, which no waiting helps.
  void on_failure(std::function<void(Error)> action) { on_failure_ = std::move(action); }

  control::ControllerManager& controllers() { return plane_.controllers(); }
  /// One line for each thing that keeps us from being ready, or is missing since.
  std::vector<std::string> problems() const;

  /// Where the servers listen; of `xds`, `webhooks` and `mesh_api` nothing before they do.
  struct Ports {
    std::optional<net::Address> xds, webhooks, monitoring, mesh_api;
  };
  Ports ports() const;
  /// Before it is loaded, empty.
  std::string root_pem() const { return certificate_ ? certificate_->root_pem() : std::string(); }

 private:
  net::Task<void> run();
  net::Task<tls::CertificateAuthority> load_authority();
  /// Pods are injected only once it is known what the cluster has, or has been denied a few times. Goes on
  /// asking.
  net::Task<void> fit_to_cluster();
  /// Replicas that hold different authorities would undo each other's writes, and proxies reject half of
  /// them.
  net::Task<void> follow_authority();
  void adopt(tls::CertificateAuthority authority);
  Result<void> hold_certificate(tls::CertificateAuthority authority);
  Result<void> listen();
  Result<void> listen_monitoring();

  net::Loop& loop_;
  store::Store& store_;
  ClusterControlOptions options_;
  std::function<void(Error)> on_failure_;
  control::Metrics metrics_;
  control::ControlPlane plane_;
  control::Permissions permissions_;
  control::ForeignObjects foreign_;
  control::InjectorSettings settings_;
  control::Webhooks webhooks_;
  control::Monitoring monitoring_;
  std::string authority_problem_ = "the authority is not loaded yet";
  std::string version_problem_ = "the version of Kubernetes is not known yet";  ///< empty: known, or denied
  store::RawApi& api_;
  std::unique_ptr<control::ServingCertificate> certificate_;
  std::unique_ptr<control::RootPublisher> publisher_;
  std::unique_ptr<control::WebhookConfigurations> configurations_;
  std::unique_ptr<http::grpc::Server> xds_server_;
  std::unique_ptr<http::Server> webhook_server_, monitoring_server_, mesh_api_server_;
  net::TaskScope tasks_;
};

}  // namespace weft::app
