#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "http/grpc/session.h"
#include "net/testing/pipe.h"

namespace {

weft::net::Task<void> answer_all(weft::http::grpc::MessageStream& stream,
                                 weft::http::grpc::Session::Opening opening) {
  while (const auto message = co_await stream.read()) {
    if (!co_await stream.write(*message)) co_return;
  }
  stream.finish(weft::http::grpc::kInvalidArgument, opening.path);
}

}  // namespace

/// Bytes as a client would send them after a valid preface, in pieces: the session ends or goes on, and keeps
/// within its bounds.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size < 1) return 0;
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  http::grpc::Session session(std::move(ours), answer_all, http::grpc::SessionLimits::for_server());
  net::TaskScope scope;
  scope.spawn(session.run());
  std::string bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  return 0;
}
