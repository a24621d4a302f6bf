#pragma once

#include <string>

#include "base/error.h"
#include "local/service_table.h"

namespace weft::local {

/// /etc/hosts of a pod: itself, and every Service by the names that cluster DNS would know in the pod's
/// namespace, the full one also with its final dot. A headless Service has a line for each ready endpoint.
std::string hosts_text(std::string_view host_name, std::string_view pod_namespace, const std::string& pod_ip,
                       const ServiceTable& services);
/// What gethostname(2) says in a pod: its name, at most 63 characters, which end in a letter or digit.
std::string host_name_of(std::string_view pod_name);
/// The address of the instance's name server, and the names of services that `pod_namespace` can use.
std::string resolv_conf_text(std::string_view pod_namespace);
/// Names come from the hosts file; only who asks DNS by itself asks the name server.
std::string nsswitch_text();

/// Writes a file in place: who has it open or bound sees the new content. Mode 0644.
Result<void> write_in_place(const std::string& path, std::string_view content);
/// Writes a new file and puts it in the place of an older one at once; on disk when it returns. Mode 0600.
Result<void> write_atomically(const std::string& path, std::string_view content);

}  // namespace weft::local
