#include "cli/other_tools.h"

#include <initializer_list>

namespace weft::cli {
namespace {

struct Instead {
  std::initializer_list<std::string_view> names;
  std::string_view text;
};

std::string_view find(std::initializer_list<Instead> all, std::string_view name) {
  for (const Instead& each : all)
    for (std::string_view known : each.names)
      if (known == name) return each.text;
  return {};
}

}  // namespace

std::string_view instead_of_command(std::string_view command) {
  return find(
      {
          {{"exec", "attach", "debug", "cp", "run"},
           "a pod's processes run on this machine: 'nsenter -n -t PID COMMAND' is in its network, with a PID "
           "that 'ps' shows"},
          {{"edit", "create", "patch", "label", "annotate", "set", "replace", "expose"},
           "write the object into a file and type 'weft apply -f FILE'; 'weft get TYPE NAME -o yaml' prints "
           "it as it is"},
          {{"rollout"},
           "'weft delete pods -l app=NAME' creates a deployment's pods again, 'weft get deploy -w' shows how "
           "far "
           "it is"},
          {{"autoscale"}, "'weft scale deployment NAME --replicas N' sets the number of pods"},
          {{"wait"}, "'weft apply', 'weft delete' and 'weft scale' return when what they changed is there"},
          {{"port-forward"},
           "the ingress listens at the address that 'weft up' printed; 'weft get pods -o wide' shows the "
           "address of a pod inside the mesh"},
          {{"explain", "api-resources", "api-versions"},
           "'weft get --help' lists the types, and 'weft apply -f FILE --dry-run' names each field that is "
           "not known"},
          {{"events"}, "'weft describe TYPE NAME' says what is wrong, and 'weft logs POD' what it printed"},
          {{"top"},
           "the processes of the mesh are this machine's own: 'top' shows them, and each sidecar counts at "
           "its port 15090 under /stats/prometheus"},
          {{"diff", "validate"}, "'weft apply -f FILE --dry-run' says what would change and what is wrong"},
          {{"analyze", "precheck"},
           "'weft apply' checks what it applies, 'weft describe TYPE NAME' says whether it works, and 'weft "
           "check' looks at a cluster"},
          {{"kustomize"}, "'weft apply -k FOLDER' applies what a kustomization.yaml says"},
          {{"config", "cluster-info", "auth"},
           "a mesh on this machine has neither contexts nor users: --name or WEFT_INSTANCE chooses it"},
          {{"completion", "plugin", "options"}, "'weft --help' lists the commands and their options"},
          {{"cordon", "uncordon", "drain", "taint", "certificate"},
           "this machine is the only node, and 'weft down' ends everything on it"},
          {{"proxy-log", "log"},
           "'weft logs POD -c istio-proxy' prints a sidecar's access log; its level is set by the annotation "
           "sidecar.istio.io/logLevel"},
          {{"dashboard", "viz", "jaeger", "d"},
           "there are no dashboards; each proxy has its metrics at port 15090 under /stats/prometheus"},
          {{"stat", "tap", "edges", "routes"},
           "'weft logs POD -c istio-proxy -f' shows each request as it ends, 'weft proxy-config routes POD' "
           "the routes"},
          {{"inject"}, "'weft kube-inject -f FILE' puts a sidecar into the workloads of a file"},
          {{"manifest", "upgrade", "operator", "install-cni", "admin", "tag", "revision"},
           "'weft install' prints what a cluster needs, and applying it again upgrades it"},
          {{"prune"}, "'weft uninstall' removes the mesh from a cluster"},
          {{"bug-report", "diagnostics"},
           "'weft proxy-status' and the logs folder of the instance say what goes on"},
          {{"waypoint", "ztunnel-config", "multicluster", "create-remote-secret", "remote-clusters"},
           "weft has sidecars and gateways on one machine or one cluster, nothing else"},
          {{"profile", "policy", "authz", "identity", "experimental", "x", "alpha"},
           "'weft describe TYPE NAME' and 'weft proxy-config' show what is in effect"},
      },
      command);
}

std::string_view instead_of_type(std::string_view type) {
  return find(
      {
          {{"events", "event", "ev"},
           "'weft describe TYPE NAME' says what is wrong with an object, and 'weft logs POD' what it "
           "printed"},
          {{"endpoints", "endpoint", "ep"}, "'weft get endpointslices' shows the same"},
          {{"nodes", "node", "no"}, "this machine is the only node"},
          {{"daemonsets", "ds", "statefulsets", "sts", "jobs", "job", "cronjobs", "cj"},
           "on one machine weft runs deployments and pods"},
          {{"customresourcedefinitions", "crd", "crds"},
           "the types of Istio and of the Gateway API are built in; 'weft get --help' lists them"},
      },
      type);
}

std::string_view instead_of_config(std::string_view what) {
  return find(
      {
          {{"all", "a", "bootstrap", "b", "ecds"},
           "listeners, routes, clusters and endpoints are shown one at a time; -o json has all of their "
           "fields"},
          {{"log"}, "'weft logs POD -c istio-proxy' prints the sidecar's access log"},
          {{"secret", "s"}, "pods on one machine speak without certificates of their own"},
      },
      what);
}

}  // namespace weft::cli
