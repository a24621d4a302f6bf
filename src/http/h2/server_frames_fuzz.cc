#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h2/server_connection.h"
#include "net/testing/pipe.h"

namespace {

using namespace weft::http;

/// Responds early or late, in one piece or in several, as the path says.
weft::net::Task<void> serve(ServerExchange& exchange) {
  const std::string path = exchange.request().path;
  const bool early = path.starts_with("/early"), upgrades = !exchange.request().upgrade.empty();
  std::size_t length = 0;
  while (!early && !upgrades) {
    const auto chunk = co_await exchange.read_body();
    if (!chunk) co_return exchange.reset();
    length += chunk->data.size();
    if (chunk->end) break;
  }
  ResponseHead head;
  head.status = upgrades ? 101 : 200;
  if (!co_await exchange.send_head(head, false)) co_return;
  if (upgrades) {
    weft::net::Stream& stream = *exchange.upgrade().stream;
    char block[100];
    for (;;) {
      const weft::net::IoResult got = co_await stream.read(block);
      if (!got.ok() || !(co_await stream.write({block, got.bytes})).ok()) co_return;
    }
  }
  if (!co_await exchange.send_body(std::to_string(length), false)) co_return;
  static_cast<void>(co_await exchange.send_body(path, true));
}

}  // namespace

/// Bytes as a client would send them behind a valid beginning, in pieces as long as the first byte says: the
/// connection is over soon after the client has closed it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto loop = weft::net::Loop::simulated();
  auto [ours, theirs] = weft::net::testing::make_pipe(*loop);
  ServerSessionOptions options;
  options.http2.extended_connect = true;
  h2::ServerConnection connection(*ours, options);
  weft::net::TaskScope tasks;
  const Handler handler = serve;
  tasks.spawn(connection.serve(handler));
  std::string bytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  weft::net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  loop->advance(options.body_timeout + options.header_timeout);
  WEFT_ASSERT(tasks.active() == 0);
  return 0;
}
