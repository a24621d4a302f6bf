# Names, addresses and helpers of the test cluster's scripts. Sourced, not run.
#   WEFT_CLUSTER        name of the cluster: its network namespace and its cgroup (weft-cluster)
#   WEFT_CLUSTER_DIR    all its state (/tmp/<name>)
#   WEFT_KUBERNETES_BIN the programs that build-binaries makes; by default in the user's cache, outside the tree
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
KUBERNETES_VERSION=v1.34.4
COREDNS_VERSION=v1.14.3
ETCD_VERSION=v3.6.4 # the version of the client in Kubernetes' go.mod; Debian's 3.4 cannot report progress of a watch
cluster=${WEFT_CLUSTER:-weft-cluster}
dir=${WEFT_CLUSTER_DIR:-/tmp/$cluster}
bin=${WEFT_KUBERNETES_BIN:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/weft/kubernetes-$KUBERNETES_VERSION/bin}

node=weft-node
node_ip=10.77.0.1
pod_range=10.88.0.0/24
service_range=10.99.0.0/16
api_ip=10.99.0.1
dns_ip=10.99.0.10

pki=$dir/pki
config=$dir/config
logs=$dir/logs
pids=$dir/pids
state=$dir/state
kubeconfig=$config/admin.kubeconfig
containerd_socket=/run/containerd/containerd.sock # in the cluster's mount namespace, where the kubelet looks for it
programs="kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl coredns etcd"
export PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

fail() {
  echo "$*" >&2
  exit 1
}

# The process that holds the cluster's namespaces, as this machine sees it; nothing if the cluster is down.
holder() {
  local pid
  pid=$(cat "$pids/holder" 2>/dev/null) || return 0
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != catatonit ] || echo "$pid"
}

# Runs a command in the cluster's namespaces (network, mounts, processes, host name, IPC). What `run` started is there
# already.
inside() {
  local pid
  if [ -n "${WEFT_CLUSTER_INSIDE:-}" ]; then
    "$@"
    return
  fi
  pid=$(holder)
  [ -n "$pid" ] || fail "the cluster is down; scripts/kubernetes/up brings it up"
  nsenter -t "$pid" -n -m -p -u -i -- env -u http_proxy -u https_proxy -u HTTP_PROXY -u HTTPS_PROXY \
    KUBECONFIG="$kubeconfig" "$@"
}

cluster_kubectl() { inside kubectl "$@"; }
cluster_ctr() { inside ctr -a "$containerd_socket" -n k8s.io "$@"; }

# wait_until SECONDS WHAT COMMAND...
wait_until() {
  local seconds=$1 what=$2
  shift 2
  local end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "waited $seconds s for $what; the logs are in $logs"
    sleep 0.1
  done
}

# Fills @NAME@ in a file of config/.
render() {
  sed -e "s|@STATE@|$state|g; s|@CONFIG@|$config|g; s|@PKI@|$pki|g; s|@SOCKET@|$containerd_socket|g" \
    -e "s|@CLUSTER@|$cluster|g; s|@NODE@|$node|g; s|@PODS@|$pod_range|g; s|@DNS_IP@|$dns_ip|g" "$here/config/$1"
}

# The cgroup directories of the cluster: one in each hierarchy, or the only one of cgroup v2. Of a v1 machine's extra v2
# hierarchy nothing is asked, but containers' directories appear there too.
cgroups() {
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    echo "/sys/fs/cgroup/$cluster"
    return
  fi
  local hierarchy
  for hierarchy in /sys/fs/cgroup/*/; do echo "$hierarchy$cluster"; done
}
