#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "http/h1/client_connection.h"
#include "net/testing/pipe.h"

namespace {

using namespace weft::http;

/// As many requests, one after another, as the connection takes.
weft::net::Task<void> ask(h1::ClientConnection& connection, std::string method) {
  do {
    ClientExchange& exchange = connection.start();
    RequestHead request;
    request.method = method;
    request.path = "/";
    request.authority = "h";
    if (!co_await exchange.send_head(request, true)) co_return;
    ResponseHead response;
    do {
      if (!co_await exchange.read_head(response)) co_return;
    } while (response.status < 200 && response.status != 101);
    for (bool end = response.status == 101; !end;) {
      const auto chunk = co_await exchange.read_body();
      if (!chunk) co_return;
      end = chunk->end;
    }
  } while (connection.usable());
}

}  // namespace

/// Bytes as a server would send them to a client that asks as long as it may, in pieces as long as the first
/// byte says: nothing is waited for once the server has closed the connection.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto loop = weft::net::Loop::simulated();
  auto [ours, theirs] = weft::net::testing::make_pipe(*loop);
  h1::ClientConnection connection(std::move(ours));
  weft::net::TaskScope tasks;
  tasks.spawn(ask(connection, data[0] & 1 ? "HEAD" : "GET"));
  loop->settle();
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  weft::net::testing::send_in_pieces(*loop, *theirs, bytes, data[0] / 2 + 1u);
  WEFT_ASSERT(tasks.active() == 0);
  return 0;
}
