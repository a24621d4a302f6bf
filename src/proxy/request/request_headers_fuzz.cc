#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/strings.h"
#include "proxy/filters/router/retry_policy.h"
#include "proxy/request/request_headers.h"

/// Lines "name:value" as the fields of a request that comes to an edge or to a sidecar, as the first byte
/// says, and of the response to it: what the proxy adds has no line end in it, and its request id is a UUID.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft;
  if (size < 1) return 0;
  proxy::HttpConfig config;
  config.use_remote_address = data[0] & 1;
  config.preserve_external_request_id = data[0] & 2;
  config.trusted_hops = data[0] >> 2 & 3;
  config.server_header = static_cast<proxy::HttpConfig::ServerHeader>(data[0] >> 4 & 1);
  http::RequestHead request;
  request.method = data[0] & 0x40 ? "OPTIONS" : "GET";
  request.scheme = "http";
  http::ResponseHead response;
  response.status = 503;
  for (const std::string_view line :
       split(std::string_view(reinterpret_cast<const char*>(data) + 1, size - 1), '\n')) {
    const auto colon = line.find(':');
    if (colon == line.npos || line.find_first_of(std::string_view("\r\0", 2)) != line.npos) continue;
    request.headers.add(line.substr(0, colon), line.substr(colon + 1));
    response.headers.add(line.substr(0, colon), line.substr(colon + 1));
  }
  proxy::ConnectionInfo connection;
  connection.peer = *net::Address::parse_ip(data[0] & 0x80 ? "203.0.113.7" : "10.244.0.9", 40000);
  proxy::RequestInfo info;
  info.connection = &connection;
  Random random{1};
  proxy::prepare_request(request, config, info, random);
  proxy::continue_trace(request.headers, 50, random);
  static_cast<void>(proxy::count_forward(request));
  WEFT_ASSERT(request.headers.get(http::HeaderId::kXRequestId).has_value());
  proxy::RetryPolicy policy;
  policy.rate_limited = policy.retriable_4xx = true;
  policy.grpc_statuses = 1u << 14;
  static_cast<void>(proxy::retries_response(policy, response));
  proxy::finish_response(response, config);
  for (const auto field : request.headers)
    WEFT_ASSERT(field.value.find_first_of(std::string_view("\r\n\0", 3)) == field.value.npos);
  return 0;
}
