#pragma once

namespace weft::app {

/// `weft control --kubernetes`: a replica of the control plane with a cluster's API server as its store.
///
///   --kubeconfig FILE           how to reach the API server; in a pod its service account does unless given
///   --namespace NAME            where the control plane's own objects are; weft-system unless given
///   --xds-address IP:PORT       gRPC over TLS, for proxies; 0.0.0.0:15012 unless given
///   --webhook-address IP:PORT   HTTPS, for the API server; 0.0.0.0:15017
///   --monitoring-address IP:PORT  /ready, /healthz, /metrics; 0.0.0.0:15014
///   --mesh-api-address IP:PORT  /weft/v1/…; 127.0.0.1:15019
///   --log-level LEVEL           as for the control plane of one machine
///
/// Port 0 is any that is free; the log says which. SIGTERM or SIGINT end it in order, the lead is given to
/// another replica at once. Exit codes: 0 ended in order, 1 could not start, 2 wrong command line.
int control_kubernetes_main(int argc, char** argv);

}  // namespace weft::app
