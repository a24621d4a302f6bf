#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/json_text.h"
#include "cli/config_tables.h"
#include "cli/object_table.h"

namespace {

using namespace weft;

void print_object(const api::Json& body, const api::KindInfo& kind) {
  cli::ObjectTable table(kind,
                         {.wide = true, .with_namespace = true, .with_labels = true, .with_type = true});
  table.add(api::Object{&kind, body}, std::chrono::sys_seconds(std::chrono::seconds(1'800'000'000)));
  static_cast<void>(table.take());
}

void print_dump(const api::Json& dump) {
  using What = cli::ProxyConfigOptions::What;
  for (const What what : {What::kListeners, What::kRoutes, What::kClusters, What::kEndpoints}) {
    const api::Json resources = cli::resources_of(dump, what);
    static_cast<void>(cli::config_table(resources, what));
    const api::Json some = cli::filtered(resources, what, {.name = "a", .port = "80", .fqdn = "a.b"});
    static_cast<void>(cli::config_table(some, what));
  }
}

}  // namespace

/// Any JSON as an object that an API server gives, of the kind that the first byte says, and as a proxy's
/// configuration: both print as tables.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const auto body = api::parse_json({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!body.is_object()) return 0;
  print_object(body, api::kinds()[data[0] % api::kinds().size()]);
  print_dump(body);
  return 0;
}
