#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"

namespace weft::store {

/// Where a cluster's API server is, how it proves who it is, and as whom we speak. A value; any thread. It
/// holds secrets: never log it whole.
struct ClusterAccess {
  std::string host;  ///< a name or an address without brackets
  std::uint16_t port = 443;
  std::string base_path;    ///< what stands before every path, e.g. "/k8s/clusters/c-1"; mostly empty
  std::string server_name;  ///< whom its certificate must name; `host` unless the file says otherwise
  std::string roots_pem;
  std::string certificate_chain_pem, private_key_pem;  ///< of the client; empty: none
  std::string token;                                   ///< a bearer token; empty: none, or `token_file`
  std::string token_file;                              ///< read again while we run: tokens in it expire
  std::string ns;                                      ///< "default" when nothing says otherwise
  std::string origin;  ///< for messages: "/root/.kube/config, context kind" or "the pod's service account"

  std::string authority() const;  ///< "10.96.0.1:443", "[::1]:6443"
};

/// What a process reads of its environment; a missing variable is an empty text. Tests give their own.
using Environment = std::function<std::string(const char* name)>;
std::string process_environment(const char* name);

struct AccessOptions {
  std::string kubeconfig;  ///< a file; empty: those of $KUBECONFIG, else ~/.kube/config
  std::string context;     ///< empty: current-context
  /// Where a pod finds its service account.
  std::string service_account_directory = "/var/run/secrets/kubernetes.io/serviceaccount";
  Environment environment = process_environment;
};

/// A context of one or several kubeconfig files, by kubectl's rules: of several the first that names a thing
/// wins, those that do not exist are passed over, relative paths start at the file they stand in.
///
/// Errors: kNotFound: no file, or no such context, cluster or user. kInvalid: "FILE:LINE: FIELD: ...".
/// kUnsupported, the same way: exec and auth-provider, user names with passwords, proxies,
/// insecure-skip-tls-verify, servers without TLS.
Result<ClusterAccess> read_kubeconfig(const AccessOptions& options = {});

/// As a pod: token, ca.crt and namespace of its directory, KUBERNETES_SERVICE_HOST and _PORT. Errors:
/// kNotFound when this is not a pod, or the file that is missing.
Result<ClusterAccess> in_cluster_access(const AccessOptions& options = {});

/// read_kubeconfig when a file or a context is named by `options` or $KUBECONFIG, else in_cluster_access when
/// this is a pod, else ~/.kube/config.
Result<ClusterAccess> find_cluster_access(const AccessOptions& options = {});

}  // namespace weft::store
