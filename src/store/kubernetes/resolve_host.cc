#include <optional>

#include "net/dns_resolver.h"
#include "net/loop.h"
#include "store/kubernetes/api_client.h"

namespace weft::store {

Result<std::vector<net::Address>> resolve_host(const std::string& host, std::uint16_t port,
                                               Duration timeout) {
  if (const auto address = net::Address::parse_ip(host, port)) return std::vector{*address};
  net::Loop loop;
  net::DnsResolver resolver(loop);
  std::optional<Result<net::DnsResolver::Addresses>> found;
  resolver.resolve(host, port,
                   [&](Result<net::DnsResolver::Addresses> addresses) { found = std::move(addresses); });
  const TimePoint until = SteadyClock::now() + timeout;
  while (!found && SteadyClock::now() < until) loop.run_once(until - SteadyClock::now());
  if (!found)
    return fail(
        Error::config(Code::kNotFound, "cannot resolve '" + host + "': no name server responded in time"));
  if (!*found) return fail(Error::config(Code::kNotFound, found->error().text));
  return std::move((*found)->list);
}

}  // namespace weft::store
