#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/object.h"
#include "http/client.h"
#include "local/network_namespace.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::local {

/// How to ask whether a container is well: one try, nothing (it is) or why not.
struct ProbeTarget {
  net::Loop& loop;
  const NetworkNamespace& space;
  std::string pod_ip;
  const api::Json& container;  ///< for ports by name
  /// Runs a command in the container: its exit code, or why it could not run.
  std::function<net::Task<Result<int>>(std::vector<std::string>, Duration)> exec;
};

/// One HTTP GET in a pod's network that no capture rule touches: the status.
net::Task<Result<int>> http_status(net::Loop& loop, const NetworkNamespace& space, net::Address to,
                                   http::Request request, Duration limit);
/// Whether something accepts there.
net::Task<Result<void>> accepts(net::Loop& loop, const NetworkNamespace& space, net::Address to,
                                Duration limit);

/// One try of a probe as written in a pod (httpGet, tcpSocket or exec). Error: the text says what was wrong.
net::Task<Result<void>> try_probe(ProbeTarget target, const api::Json& probe);

}  // namespace weft::local
