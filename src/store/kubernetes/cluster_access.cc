#include "store/kubernetes/cluster_access.h"

#include <cstdlib>

#include "base/strings.h"
#include "store/kubernetes/server_url.h"
#include "store/kubernetes/small_file.h"

namespace weft::store {

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string ClusterAccess::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ClusterAccess> in_cluster_access(const AccessOptions& options) {
  const std::string host = options.environment("KUBERNETES_SERVICE_HOST");
  const std::string port = options.environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty())
    return fail(Error::config(
        Code::kNotFound,
        "this is not a pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are "
        "not set"));
  ClusterAccess access;
  access.origin = "the pod's service account";
  access.host = access.server_name = host;
  const auto number = parse_port(port);
  if (!number)
    return fail(Error::config(Code::kInvalid, "KUBERNETES_SERVICE_PORT: \"" + port + "\" is not a port"));
  access.port = *number;
  const std::string& directory = options.service_account_directory;
  access.token_file = directory + "/token";
  // The token is read when it is shown; that it is missing is said now.
  WEFT_TRY(const std::string token, read_small_file(access.token_file));
  if (trim(token).empty()) return fail(Error::config(Code::kInvalid, access.token_file + ": holds no token"));
  WEFT_TRY(access.roots_pem, read_small_file(directory + "/ca.crt"));
  const auto ns = read_small_file(directory + "/namespace");
  access.ns = ns ? std::string(trim(*ns)) : "";
  if (access.ns.empty()) access.ns = "default";
  return access;
}

Result<ClusterAccess> find_cluster_access(const AccessOptions& options) {
  const bool named =
      !options.kubeconfig.empty() || !options.context.empty() || !options.environment("KUBECONFIG").empty();
  if (named || options.environment("KUBERNETES_SERVICE_HOST").empty()) return read_kubeconfig(options);
  return in_cluster_access(options);
}

}  // namespace weft::store
