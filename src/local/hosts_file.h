#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/object.h"
#include "base/error.h"

namespace weft::local {

using ObjectsByKey = std::map<api::Key, api::ObjectPtr>;

/// /etc/hosts of a pod: itself, and every Service by the names that cluster DNS would know in the pod's
/// namespace.
std::string hosts_text(std::string_view pod_name, std::string_view pod_namespace, const std::string& pod_ip,
                       const ObjectsByKey& services);
/// The names of services that `pod_namespace` can use: for its search list.
std::string resolv_conf_text(std::string_view pod_namespace);
/// Names come from the hosts file; nothing is asked over the network.
std::string nsswitch_text();

/// Writes a file in place: who has it open or bound sees the new content. Mode 0644.
Result<void> write_in_place(const std::string& path, std::string_view content);
/// Writes a file anew and puts it in the place of an older one at once; on disk when it returns. Mode 0600.
Result<void> write_atomically(const std::string& path, std::string_view content);

}  // namespace weft::local
