#pragma once

#include <string_view>

namespace weft::cli {

/// What --help says of a command: the line in the list of all, and the texts before and after its options.
struct CommandText {
  std::string_view summary;
  std::string_view purpose;
  std::string_view examples;
};

inline constexpr const char* kMeshGroup = "The mesh on this machine";
inline constexpr const char* kObjectGroup = "Objects";
inline constexpr const char* kProxyGroup = "Proxies";
inline constexpr const char* kKubernetesGroup = "Kubernetes";
inline constexpr const char* kPartGroup = "The parts themselves";
inline constexpr const char* kOtherGroup = "Other";

inline constexpr std::string_view kPurpose =
    "weft is a service mesh: on one machine, sidecar proxies, a control plane and your services by one "
    "command.";
inline constexpr std::string_view kFooter =
    "Start with 'weft up -f FILE'; 'weft COMMAND --help' shows a command's examples.\n"
    "Exit codes: 0 done, 1 the thing failed, 2 wrong usage.\n"
    "Environment: WEFT_INSTANCE is the instance when --name is not given; WEFT_STATE_DIR the folder in "
    "which\n"
    "instances keep objects and logs (default: ~/.local/state/weft); NO_COLOR turns colours off.";
inline constexpr std::string_view kGlobalFooter =
    "With every command, before or after it:\n"
    "  --name INSTANCE             the instance of the mesh (or WEFT_INSTANCE; default: default)\n"
    "  -n,--namespace NAMESPACE    the namespace (default: default)\n"
    "  --request-timeout TIME      how long one response of the control plane may take (default: 10s)\n"
    "WEFT_STATE_DIR is the folder in which instances keep objects and logs (default: ~/.local/state/weft).\n";

inline constexpr CommandText kUp = {
    "Start the mesh on this machine",
    "Start the mesh on this machine: control plane, ingress, and for each pod its processes and a sidecar. "
    "Objects of "
    "an earlier run are there again. Without --detach it ends with Ctrl-C.",
    "  weft up -f bookinfo.yaml -f bookinfo-gateway.yaml\n"
    "  weft up --detach --ingress-port 9090 --name second\n"
    "  weft up -f shop.yaml --image 'example/shop:1=/usr/local/bin/shop --port 8000'\n"};
inline constexpr CommandText kDown = {
    "Stop the mesh on this machine",
    "Stop the mesh on this machine and everything it started. The objects stay for the next 'weft up' unless "
    "--purge.",
    "  weft down\n  weft down --purge --name second\n"};
inline constexpr CommandText kApply = {
    "Create or change objects as files say",
    "Create the objects of files, or change those that exist to what the files say. Every file is checked "
    "first; when one is wrong, nothing is applied. Returns when every proxy concerned runs the change, and "
    "names each proxy that rejected it.",
    "  weft apply -f virtual-service-reviews-v3.yaml\n"
    "  weft apply -f rules/ -R\n"
    "  cat rule.yaml | weft apply -f -\n"
    "  weft apply -k samples/bookinfo/overlays/gateway\n"
    "  weft apply -f rule.yaml --dry-run=server\n"};
inline constexpr CommandText kDelete = {
    "Delete objects",
    "Delete objects by type and name, by label, or those that files name. Returns when they are gone.",
    "  weft delete virtualservice reviews\n"
    "  weft delete deployment/reviews-v1 service/reviews\n"
    "  weft delete pods -l app=ratings\n"
    "  weft delete -f bookinfo.yaml\n"};
inline constexpr CommandText kGet = {
    "Show objects as a table, YAML or JSON",
    "Show objects as a table or as they are. Types: pods (po), services (svc), deployments (deploy), "
    "replicasets (rs), "
    "ingresses (ing), gateways (gw), virtualservices (vs), destinationrules (dr), namespaces (ns), "
    "configmaps (cm), "
    "secrets, serviceaccounts (sa), endpointslices, ingressclasses, httproutes, gatewayclasses (gc), "
    "gateways.gateway.networking.k8s.io (gtw); all: pods, services, deployments, "
    "replicasets.",
    "  weft get pods\n"
    "  weft get svc,deploy -o wide\n"
    "  weft get virtualservice reviews -o yaml\n"
    "  weft get pods -l app=reviews -w\n"
    "  weft get pods -o jsonpath='{.items[*].status.podIP}'\n"};
inline constexpr CommandText kDescribe = {
    "Show an object's fields, its state, and which proxies run it",
    "Show an object's fields and its state, and for rules which proxies run them, which rejected them, and "
    "why.",
    "  weft describe pod reviews-v1-5d8f6c7b9-x2x4v\n"
    "  weft describe virtualservice reviews\n"
    "  weft describe pods -l app=reviews\n"};
inline constexpr CommandText kLogs = {
    "Show what a container printed",
    "Show what a container printed: the application's, or with -c istio-proxy the access log of the "
    "sidecar.",
    "  weft logs reviews-v1-5d8f6c7b9-x2x4v\n"
    "  weft logs deploy/productpage-v1 -c istio-proxy -f\n"
    "  weft logs deploy/ratings-v1 --tail 20\n"
    "  weft logs deploy/ratings-v1 -c istio-proxy --since 5m\n"
    "  weft logs -l app=reviews --all-containers\n"};
inline constexpr CommandText kScale = {
    "Change how many pods a deployment has",
    "Change how many pods a deployment has. Returns when so many are ready and the others are gone.",
    "  weft scale deployment reviews-v1 --replicas 3\n"
    "  weft scale deploy/details-v1 --replicas=0\n"};
inline constexpr CommandText kProxyStatus = {
    "Show which proxies run what the control plane sent",
    "Show each connected proxy and whether it runs what the control plane sent last, for each type of "
    "resource: "
    "SYNCED, "
    "STALE (sent, not yet confirmed), REJECTED (the reason follows the table), NOT SENT.",
    "  weft proxy-status\n  weft proxy-status -o json\n"};
inline constexpr CommandText kProxyConfig = {
    "Show what a sidecar runs at this moment",
    "Show what a pod's sidecar runs at this moment, as the sidecar itself says it: listeners, routes, "
    "clusters or "
    "endpoints. It is asked in its own network namespace, so this needs the rights 'weft up' was started "
    "with.",
    "  weft proxy-config routes reviews-v1-5d8f6c7b9-x2x4v\n"
    "  weft proxy-config routes reviews-v1-5d8f6c7b9-x2x4v.default --name 9080\n"
    "  weft pc clusters deploy/productpage-v1 --fqdn reviews.default.svc.cluster.local -o json\n"};
inline constexpr CommandText kKubeInject = {
    "Put a sidecar into the workloads of a file",
    "Put a sidecar into every workload of a Kubernetes file and print it: Pod, Deployment, DaemonSet, "
    "ReplicaSet, StatefulSet, ReplicationController, Job, CronJob, DeploymentConfig, and the items of a "
    "List. "
    "Everything else comes out as it was, comments too. API versions that Kubernetes no longer serves are "
    "written as today's. Settings and the sidecar's form are those of the cluster that kubectl would speak "
    "with, when there is one.",
    "  kubectl apply -f <(weft kube-inject -f bookinfo.yaml)\n"
    "  cat bookinfo.yaml | weft kube-inject -f - | kubectl apply -f -\n"
    "  weft kube-inject -f shop.yaml --classic -o shop-injected.yaml\n"};
inline constexpr CommandText kInstall = {
    "Print the objects that install weft on a cluster",
    "Print one YAML stream for 'kubectl apply -f -': namespace, definitions, rights, control plane, webhooks "
    "and an ingress gateway, each with the reason why it is there. Profiles: minimal is the control plane "
    "alone; default adds the ingress gateway; demo says what it does in its logs; walkthrough adds "
    "istio-ingress in istio-system. Keys of --set: image, imagePullPolicy, logLevel, replicas, "
    "gatewayApi.crds, gateway.nodePort, gateway.replicas, gateway.serviceType, ingress.nodePort, "
    "ingress.replicas, and injector.NAME for every setting of injection. The same command prints the same "
    "bytes.",
    "  weft install | kubectl apply -f -\n"
    "  weft install --profile walkthrough --set gateway.nodePort=30080 | kubectl apply -f -\n"
    "  weft install --set injector.native=false --set replicas=2 -o weft.yaml\n"};
inline constexpr CommandText kUninstall = {
    "Remove the mesh from a cluster",
    "Remove everything from the cluster that install and the control plane made, with the definitions and so "
    "every object of their kinds. Lists it and asks first, when standard input is a terminal. Webhooks go "
    "first, so that nothing is held up. Pods keep their sidecars until they are created again. Exit code 1 "
    "names what has stayed.",
    "  weft uninstall --dry-run\n"
    "  weft uninstall --yes --context kind-test\n"
    "  weft uninstall --print --profile walkthrough | kubectl delete --ignore-not-found -f -\n"};
inline constexpr CommandText kCheck = {
    "Check a cluster before or after weft is installed",
    "Look at a cluster and change nothing. Each line is ok, warn or FAIL, what was looked at, and what to "
    "do. Before an installation: the version, your rights, and what is in the way; --profile and --set are "
    "those that install will be given. After it: the control plane, webhooks, certificates, gateways, and "
    "pods without a sidecar of today's version. Exit code 1 when something has failed.",
    "  weft check --before --set gateway.nodePort=30080\n"
    "  weft check\n"
    "  weft check --after -o json\n"};
inline constexpr CommandText kVersion = {"Show the version",
                                         "Show the version of this program and of what it was built with.",
                                         "  weft version\n  weft version -o json\n"};
inline constexpr CommandText kHelp = {
    "Show what a command does", "Show what a command does, its examples and options.", "  weft help apply\n"};
inline constexpr CommandText kCapture = {
    "Send a pod's traffic through its sidecar",
    "Set the rules that send a pod's traffic through its sidecar; 'weft capture --help' shows its options.",
    "  weft capture -p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x '' -b '*' -d 15090,15021,15020\n"};
inline constexpr CommandText kControl = {
    "Run the control plane alone", "Run the control plane alone; 'weft control --help' shows its options.",
    "  weft control --help\n"};
inline constexpr CommandText kProxy = {
    "Run a proxy alone, from an Envoy bootstrap file",
    "Run a proxy alone, from an Envoy bootstrap file; 'weft proxy --help' shows its options.",
    "  weft proxy -c bootstrap.yaml\n"};

}  // namespace weft::cli
