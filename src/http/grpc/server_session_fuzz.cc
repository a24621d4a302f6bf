#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "http/grpc/session.h"
#include "net/testing/pipe.h"

/// Bytes as a client would send them after a valid preface, in pieces: the session ends or goes on, and keeps
/// within its bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size < 1) return 0;
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  std::vector<std::unique_ptr<http::grpc::SessionStream>> calls;
  http::grpc::Session session(std::move(ours),
                              [&](auto stream, auto) { calls.push_back(std::move(stream)); });
  net::TaskScope scope;
  scope.spawn(session.run());
  std::string bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  return 0;
}
