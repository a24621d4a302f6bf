#include <limits>

#include "proxy/filters/fault/fault_filter.h"
#include "xds/convert.h"
#include "xds/filters/http_filters.h"

namespace weft::xds {
namespace {

using HttpFault = envoy::extensions::filters::http::fault::v3::HTTPFault;

Result<void> read_delay(const HttpFault& from, proxy::Fault& into, const Path& path) {
  if (!from.has_delay()) return {};
  if (!from.delay().has_fixed_delay()) return fail(path.invalid("has to have fixed_delay"));
  WEFT_TRY(into.delay, to_milliseconds(from.delay().fixed_delay(), path.field("fixed_delay")));
  if (into.delay.count() == 0) return fail(path.field("fixed_delay").invalid("has to be longer than 0"));
  into.delays_per_million = per_million(from.delay().percentage());
  return {};
}

/// To what is no call, it is said with a status of HTTP that all calls have.
Result<void> read_grpc_status(std::uint32_t status, proxy::Fault& into, const Path& path) {
  if (status > std::numeric_limits<std::int32_t>::max())
    return fail(path.field("grpc_status").invalid("has to be at most 2147483647"));
  into.abort_status = 200;
  into.abort_grpc_status = static_cast<int>(status);
  return {};
}

Result<void> read_abort(const HttpFault& from, proxy::Fault& into, const Path& path) {
  if (!from.has_abort()) return {};
  into.aborts_per_million = per_million(from.abort().percentage());
  if (from.abort().has_grpc_status()) return read_grpc_status(from.abort().grpc_status(), into, path);
  const std::uint32_t status = from.abort().http_status();
  if (status < 200 || status > 599)
    return fail(
        path.field("http_status").invalid("has to be from 200 to 599, not " + std::to_string(status)));
  into.abort_status = static_cast<int>(status);
  return {};
}

}  // namespace

Result<proxy::HttpFilterFactory> to_fault_filter(const google::protobuf::Any& from, const Path& path,
                                                 Conversion& conversion) {
  HttpFault fault;
  WEFT_CHECK(unpack(from, fault, path, conversion));
  proxy::Fault made;
  WEFT_CHECK(read_delay(fault, made, path.field("delay")));
  WEFT_CHECK(read_abort(fault, made, path.field("abort")));
  return proxy::fault_filter(made);
}

}  // namespace weft::xds
