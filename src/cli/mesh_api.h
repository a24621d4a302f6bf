#pragma once

#include <cstdint>
#include <string>

#include "api/json.h"
#include "base/error.h"
#include "base/time.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::cli {

/// The mesh's own questions to the control plane, beside the objects: who runs what, and whether a change is
/// applied. Owner: main, or a test. Thread: one loop.
class MeshApi {
 public:
  struct Response {
    int status = 0;
    api::Json body;  ///< null when it is not JSON
  };
  virtual ~MeshApi() = default;
  /// GET `path` below /weft/v1/, with its query; `limit` is for the whole response.
  virtual net::Task<Result<Response>> get(std::string path, Duration limit) = 0;
};

/// The control plane behind a Unix socket.
class RemoteMeshApi final : public MeshApi {
 public:
  RemoteMeshApi(net::Loop& loop, net::Address at) : loop_(loop), at_(at) {}
  net::Task<Result<Response>> get(std::string path, Duration limit) override;

 private:
  net::Loop& loop_;
  net::Address at_;
};

}  // namespace weft::cli
