#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/log.h"
#include "http/testing/fake_exchange.h"
#include "proxy/admin.h"
#include "proxy/testing/fake_server.h"

/// Any text as the target of a request to a proxy's admin port; the first byte says whether it is a POST.
/// Each has a response.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size < 1) return 0;
  const auto loop = net::Loop::simulated();
  proxy::testing::FakeServer server;
  server.stats = "cluster.a.upstream_rq_total: 3\ncluster.\"b\\\".upstream_rq_total: 0\n";
  proxy::Admin admin(*loop, server, {[](std::string_view query) { return std::string(query); }, [] {}});
  const std::string target(reinterpret_cast<const char*>(data) + 1, size - 1);
  http::testing::FakeExchange exchange(data[0] & 1 ? "POST" : "GET", target);
  net::TaskScope tasks;
  const auto level = log::level();
  tasks.spawn(admin.handle(exchange));
  loop->settle();
  log::set_level(level);
  WEFT_ASSERT(tasks.active() == 0 && exchange.status() != 0 && exchange.response_complete());
  return 0;
}
