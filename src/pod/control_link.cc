#include "pod/control_link.h"

#include "base/log.h"
#include "base/strings.h"
#include "http/grpc/client.h"
#include "net/dns_resolver.h"
#include "net/reply.h"
#include "pod/pod_info.h"
#include "tls/context.h"

namespace weft::pod {
namespace {

/// A file that stays away is spoken of this often.
constexpr Duration kRemind = 10s;

}  // namespace

net::Task<std::string> ControlLink::read_when_there(std::string path) {
  TimePoint next_word = loop_.now();
  for (;;) {
    const Result<std::string> text = read_file(path);
    awaited_file_ = text && !trim(*text).empty() ? std::string() : path;
    if (awaited_file_.empty()) co_return *text;
    if (loop_.now() >= next_word) {
      WEFT_LOG(kWarn, "control-link", "waiting for a file before the control plane can be asked",
               {"file", path}, {"reason", text ? "it is empty" : text.error().text});
      next_word = loop_.now() + kRemind;
    }
    co_await loop_.sleep(options_.poll);
  }
}

net::Task<Result<std::vector<net::Address>>> ControlLink::resolve() {
  if (auto numeric = net::Address::parse_ip(options_.host, options_.port)) co_return std::vector{*numeric};
  // A new one each time: it reads resolv.conf when it is made.
  net::DnsResolver resolver(loop_, options_.name_servers);
  net::Reply<Result<net::DnsResolver::Addresses>> response;
  resolver.resolve(options_.host, options_.port, response.taker());
  net::Timer limit(loop_, [this, time_out = response.taker()] {
    loop_.defer([time_out, text = "resolving '" + options_.host + "' took too long"] {
      time_out(fail(Error::upstream(Code::kTimeout, Retry::kNever, text)));
    });
  });
  limit.arm(loop_.now() + options_.timeout);
  WEFT_CO_TRY(auto found, co_await response.value());
  co_return std::move(found.list);
}

net::Task<Result<xds::ControlConnection>> ControlLink::connect() {
  const std::string roots = co_await read_when_there(options_.root_file);
  const std::string token = co_await read_when_there(options_.token_file);
  const TimePoint deadline = loop_.now() + options_.timeout;
  auto context = tls::Context::client({.roots_pem = roots, .server_name = options_.host, .alpn = {"h2"}});
  if (!context) co_return fail(std::move(context).error().with_context(options_.root_file));
  auto addresses = co_await resolve();
  if (!addresses) co_return std::unexpected(std::move(addresses).error());
  Error last = Error::upstream(Code::kNotFound, Retry::kNever, options_.host + " has no address");
  for (const net::Address& address : *addresses) {
    auto client =
        co_await http::grpc::Client::connect(loop_, address, {.deadline = deadline, .tls = *context});
    if (client) {
      xds::ControlConnection made;
      made.client = std::move(*client);
      made.authority = options_.host;
      made.metadata.add("authorization", "Bearer " + std::string(trim(token)));
      co_return made;
    }
    last = std::move(client).error().with_context("control plane " + address.to_string());
  }
  co_return fail(std::move(last));
}

}  // namespace weft::pod
