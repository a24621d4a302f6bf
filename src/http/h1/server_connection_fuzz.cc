#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h1/server_connection.h"
#include "net/testing/pipe.h"

namespace {

using namespace weft::http;

/// Responds early or late, in one piece or in several, as the path says.
weft::net::Task<void> serve(ServerExchange& exchange) {
  const std::string path = exchange.request().path;
  const bool early = path.starts_with("/early"), upgrades = !exchange.request().upgrade.empty();
  std::size_t length = 0;
  while (!early) {
    const auto chunk = co_await exchange.read_body();
    if (!chunk) co_return exchange.reset();
    length += chunk->data.size();
    if (chunk->end) break;
  }
  ResponseHead head;
  head.status = upgrades ? 101 : 200;
  head.upgrade = exchange.request().upgrade;
  const auto sent = co_await exchange.send_head(head, upgrades);
  if (!sent || upgrades) co_return;
  const std::string answer = std::to_string(length);
  if (!co_await exchange.send_body(answer, false)) co_return;
  static_cast<void>(co_await exchange.send_body(path, true));
}

}  // namespace

/// Bytes as a client would send them over one connection, in pieces as long as the first byte says: however
/// many requests they are, the connection is over soon after the client has closed it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto loop = weft::net::Loop::simulated();
  auto [ours, theirs] = weft::net::testing::make_pipe(*loop);
  const ServerSessionOptions options;
  h1::ServerConnection connection(*ours, options);
  weft::net::TaskScope tasks;
  const Handler handler = serve;
  tasks.spawn(connection.serve(handler));
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  weft::net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] + 1u);
  loop->advance(options.body_timeout + options.header_timeout);
  loop->settle();
  WEFT_ASSERT(tasks.active() == 0);
  return 0;
}
