#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/control_plane.h"
#include "control/monitoring/metrics.h"
#include "http/exchange.h"
#include "http/grpc/server.h"

namespace weft::control {

/// /healthz, /ready and /metrics, for the kubelet and Prometheus.
///
/// Owner: the program. Thread: the loop's.
class Monitoring {
 public:
  /// What is not as it should be, one line for each thing; empty: ready.
  using Problems = std::function<std::vector<std::string>()>;
  Monitoring(const ControlPlane& plane, const Metrics& metrics, Problems problems)
      : plane_(plane), metrics_(metrics), problems_(std::move(problems)) {}

  /// What there is to tell of the port that proxies connect to; `xds` must outlive this.
  void watch(const http::grpc::Server& xds) { xds_ = &xds; }

  net::Task<void> handle(http::ServerExchange& exchange);
  std::string metrics_text() const;

 private:
  const ControlPlane& plane_;
  const Metrics& metrics_;
  Problems problems_;
  const http::grpc::Server* xds_ = nullptr;
};

}  // namespace weft::control
