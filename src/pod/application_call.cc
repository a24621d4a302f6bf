#include "pod/application_call.h"

#include <algorithm>

namespace weft::pod {
namespace {

net::Address source_for(const net::Address& to) {
  if (!to.is_ip()) return {};
  return net::Address::parse_ip(to.is_v4() ? "127.0.0.6" : "::6", 0).value_or(net::Address());
}

}  // namespace

net::Task<Result<std::unique_ptr<net::Socket>>> connect_to_application(net::Loop& loop, net::Address to,
                                                                       TimePoint deadline) {
  net::ConnectOptions options;
  options.deadline = deadline;
  options.bind_source = source_for(to);
  auto made = co_await net::connect(loop, to, options);
  if (made || made.error().code != Code::kExhausted) co_return made;
  options.bind_source = {};
  co_return co_await net::connect(loop, to, options);
}

net::Task<Result<std::unique_ptr<http::Call>>> call_application(net::Loop& loop, net::Address to,
                                                                http::Request request,
                                                                http::FetchOptions options) {
  options.bind_source = source_for(to);
  auto made = co_await http::Call::open(loop, to, request, options);
  if (made || made.error().code != Code::kExhausted) co_return made;
  options.bind_source = {};
  co_return co_await http::Call::open(loop, to, std::move(request), options);
}

net::Task<Result<std::string>> read_body(http::Call& call, std::size_t max, bool cut) {
  std::string body;
  for (;;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await call.read());
    body.append(chunk.data.substr(0, max - std::min(max, body.size()) + (cut ? 0 : 1)));
    if (body.size() > max)
      co_return fail(Error::upstream(Code::kTooLarge, Retry::kNever,
                                     "the body is larger than " + std::to_string(max) + " bytes"));
    if (chunk.end || (cut && body.size() == max)) co_return body;
  }
}

}  // namespace weft::pod
