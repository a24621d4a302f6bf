#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/grpc/client.h"
#include "net/testing/pipe.h"

namespace {

weft::net::Task<void> read_all(weft::http::grpc::MessageStream& stream) {
  while (co_await stream.read()) {
  }
}

}  // namespace

/// Bytes as a server would send them to a client with a call under way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size < 1) return 0;
  const auto loop = net::Loop::simulated();
  auto [ours, theirs] = net::testing::make_pipe(*loop);
  const auto client = http::grpc::Client::over(std::move(ours));
  const auto call = client->open("/service/Method", "authority");
  net::TaskScope scope;
  scope.spawn(read_all(*call));
  loop->settle();
  std::string bytes("\0\0\0\4\0\0\0\0\0", 9);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  return 0;
}
