#pragma once

#include <expected>
#include <string>
#include <vector>

#include "http/grpc/server.h"
#include "net/task.h"

namespace weft::control {

/// Who is at the other end of a connection, as told by one who can know: the supervisor of one machine,
/// or a cluster's API server. Nothing of it was said by the peer.
struct Peer {
  std::string ns, pod, service_account;
  int pid = 0;  ///< one machine only
  /// Its Pod is or will be among the objects, and says its labels; otherwise its name alone says what it is.
  bool has_pod = false;
};

/// Why a connection gets nothing: a gRPC status code, and words for the readers of the proxy's log.
struct Rejection {
  int status;
  std::string reason;
};

/// Answers who a connection's peer is. Owner: ControlPlane. Thread: the loop's.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// `call` must outlive the task. Rejections: kUnauthenticated or kPermissionDenied when the peer is known
  /// not to be one of this mesh, kUnavailable when that could not be found out now.
  virtual net::Task<std::expected<Peer, Rejection>> identify(const http::grpc::Call& call) = 0;
  /// Sidecars that are known to run, connected or not; empty where that cannot be known.
  virtual std::vector<Peer> running() = 0;
};

}  // namespace weft::control
