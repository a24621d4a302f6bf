#include "store/kubernetes/server_url.h"

#include <charconv>

namespace weft::store {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Result<ServerUrl> parse_server_url(std::string_view text) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  const auto invalid = [&quoted] {
    return fail(Error::config(Code::kInvalid, quoted + " is not of the form https://HOST:PORT"));
  };
  if (text.starts_with("http://") || text.starts_with("unix:"))
    return fail(
        Error::config(Code::kUnsupported, quoted + ": a server without TLS is not talked to; use https://"));
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) return invalid();
  text.remove_prefix(kScheme.size());
  ServerUrl url;
  const auto slash = text.find('/');
  std::string_view host = text.substr(0, slash);
  if (slash != text.npos) url.path = text.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();
  if (url.path.find_first_of("?# \r\n") != std::string::npos) return invalid();
  const auto bracket = host.starts_with('[') ? host.find(']') : host.npos;
  const auto colon = host.find(':', bracket == host.npos ? 0 : bracket);
  if (colon != host.npos) {
    const auto port = parse_port(host.substr(colon + 1));
    if (!port) return invalid();
    url.port = *port;
    host = host.substr(0, colon);
  }
  if (host.starts_with('[')) {
    if (bracket != host.size() - 1) return invalid();
    host = host.substr(1, host.size() - 2);
  }
  if (host.empty() || host.find_first_of("@?# \r\n") != host.npos) return invalid();
  url.host = host;
  return url;
}

}  // namespace weft::store
