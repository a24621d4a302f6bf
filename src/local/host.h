#pragma once

#include <string>

#include "local/environment.h"
#include "local/hosts_file.h"
#include "local/image_map.h"
#include "local/pod_network.h"
#include "local/process.h"
#include "local/registrar.h"
#include "local/service_table.h"
#include "net/loop.h"

namespace weft::local {

/// What this machine gives to every pod. Owner: the supervisor; it outlives all pods.
struct Host {
  net::Loop& loop;
  Reaper& reaper;
  PodNetwork& network;
  const ImageMap& images;
  Registrar& registrar;
  std::string state_dir;
  std::string proxy_program;
  int ingress_fd = -1;  ///< the listening socket of the ingress, from outside; -1: none
  /// Every Service and its endpoints: for names and for the rules that stand for kube-proxy.
  std::function<const ServiceTable&()> services;
  /// ConfigMaps and Secrets of a namespace, for environments.
  std::function<api::ObjectPtr(std::string_view kind, std::string_view ns, std::string_view name)> find;
};

}  // namespace weft::local
