#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "http/h2/client_connection.h"
#include "net/testing/pipe.h"

namespace {

using namespace weft::http;

weft::net::Task<void> ask(h2::ClientConnection& connection, RequestHead request) {
  ClientExchange& exchange = connection.start();
  ResponseHead response;
  bool good = (co_await exchange.send_head(request, true)).has_value();
  while (good && response.status < 200 && response.status != 101)
    good = (co_await exchange.read_head(response)).has_value();
  while (good && response.status != 101 && !exchange.response_complete())
    good = (co_await exchange.read_body()).has_value();
  connection.finish(exchange);
}

}  // namespace

/// Bytes as a server would send them to a client with three requests, in pieces as long as the first byte
/// says: nothing is waited for once the server has closed the connection.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto loop = weft::net::Loop::simulated();
  auto [ours, theirs] = weft::net::testing::make_pipe(*loop);
  h2::ClientConnection connection(std::move(ours));
  weft::net::TaskScope tasks;
  for (const char* method : {"GET", "HEAD", "CONNECT"}) {
    RequestHead request;
    request.method = method;
    request.path = "/";
    request.authority = "h:1";
    tasks.spawn(ask(connection, request));
  }
  loop->settle();
  std::string bytes("\0\0\0\4\0\0\0\0\0", 9);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  weft::net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  loop->advance(std::chrono::seconds(2));
  WEFT_ASSERT(tasks.active() == 0);
  return 0;
}
