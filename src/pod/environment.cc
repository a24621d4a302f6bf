#include "pod/environment.h"

#include <charconv>

#include "api/duration.h"
#include "api/json_text.h"
#include "base/strings.h"

extern "C" char** environ;

namespace weft::pod {
namespace {

using api::Json;

constexpr std::string_view kMetadataPrefix = "ISTIO_META_";
constexpr std::string_view kJsonMetadataPrefix = "ISTIO_METAJSON_";

std::unexpected<Error> rejected(std::string_view name, std::string_view value, std::string_view right) {
  return fail(Error::config(Code::kInvalid, "environment variable " + std::string(name) + ": \"" +
                                                std::string(cut(value, 100)) + "\": " + std::string(right)));
}

/// The variables as their reader asks for them.
class Reader {
 public:
  explicit Reader(Variables variables) : all_(std::move(variables)) {}

  const std::string& get(const std::string& name) const {
    static const std::string none;
    const auto found = all_.find(name);
    return found == all_.end() ? none : found->second;
  }
  Result<std::string> need(const std::string& name, std::string_view what) const {
    const std::string& value = get(name);
    if (value.empty())
      return fail(Error::config(Code::kNotFound,
                                "environment variable " + name + ": is missing; it is " + std::string(what)));
    return value;
  }
  /// What the container says itself goes before what proxyMetadata says.
  void add(const std::map<std::string, std::string>& more) { all_.insert(more.begin(), more.end()); }
  const Variables& all() const { return all_; }

 private:
  Variables all_;
};

/// "host:port", "[::1]:port".
Result<void> read_control_address(const Reader& reader, Environment& into) {
  WEFT_TRY(const std::string text,
           reader.need("CA_ADDR", "the control plane, such as weft-control.weft-system.svc:15012"));
  const auto colon = text.rfind(':');
  unsigned port = 0;
  const char* const end = text.data() + text.size();
  const bool number =
      colon != std::string::npos && std::from_chars(text.data() + colon + 1, end, port).ptr == end;
  std::string host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!number || port == 0 || port > 65535 || host.empty())
    return rejected("CA_ADDR", text, "has to be host:port, such as weft-control.weft-system.svc:15012");
  into.control_host = std::move(host);
  into.control_port = static_cast<std::uint16_t>(port);
  return {};
}

Result<void> read_metadata(const Reader& reader, Environment& into) {
  for (const auto& [name, value] : reader.all()) {
    if (name.starts_with(kJsonMetadataPrefix)) {
      Json parsed = api::parse_json(value);
      if (parsed.is_discarded()) return rejected(name, value, "has to be JSON");
      into.metadata[name.substr(kJsonMetadataPrefix.size())] = std::move(parsed);
    } else if (name == "ISTIO_META_POD_PORTS") {
      // A text that holds JSON, and so it is sent: istiod reads no list here.
      if (!api::parse_json(value).is_array()) return rejected(name, value, "has to be a JSON list of ports");
      into.metadata["POD_PORTS"] = value;
    } else if (name.starts_with(kMetadataPrefix)) {
      into.metadata[name.substr(kMetadataPrefix.size())] = value;
    }
  }
  const Json& mode = api::json_member(into.metadata, "INTERCEPTION_MODE");
  if (!mode.is_null() && mode != "REDIRECT" && mode != "NONE" && mode != "TPROXY")
    return rejected("ISTIO_META_INTERCEPTION_MODE",
                    mode.is_string() ? mode.get<std::string>() : api::json_text(mode),
                    "has to be REDIRECT, TPROXY or NONE");
  const std::string& account = reader.get("SERVICE_ACCOUNT");
  const std::string& trust_domain = reader.get("TRUST_DOMAIN");
  into.metadata["NAMESPACE"] = into.ns;
  into.metadata["NAME"] = into.pod;
  into.metadata["INSTANCE_IPS"] = into.ip.ip();
  into.metadata["SERVICE_ACCOUNT"] = account.empty() ? "default" : account;
  into.metadata["TRUST_DOMAIN"] = trust_domain.empty() ? "cluster.local" : trust_domain;
  if (!into.metadata.contains("WORKLOAD_NAME")) into.metadata["WORKLOAD_NAME"] = into.pod;
  return {};
}

Result<void> read_drain(const Reader& reader, Environment& into) {
  const std::string& by_connections = reader.get("EXIT_ON_ZERO_ACTIVE_CONNECTIONS");
  if (!by_connections.empty() && by_connections != "true" && by_connections != "false")
    return rejected("EXIT_ON_ZERO_ACTIVE_CONNECTIONS", by_connections, "has to be true or false");
  into.wait_for_connections = by_connections == "true";
  const std::string& minimum = reader.get("MINIMUM_DRAIN_DURATION");
  if (minimum.empty()) return {};
  const auto parsed = api::parse_duration(minimum);
  if (!parsed) return rejected("MINIMUM_DRAIN_DURATION", minimum, parsed.error().text);
  into.proxy_config.termination_drain = *parsed;
  return {};
}

}  // namespace

Variables process_variables() {
  Variables all;
  for (char** each = environ; each && *each; ++each) {
    const std::string_view text = *each;
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      all.emplace(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
  }
  return all;
}

std::string Environment::node_id() const {
  return std::string(role == Role::kRouter ? "router" : "sidecar") + "~" + ip.ip() + "~" + pod + "." + ns +
         "~" + domain;
}

Result<Environment> Environment::read(Role role, std::string domain, Variables variables) {
  Reader reader(std::move(variables));
  Environment made;
  made.role = role;
  WEFT_TRY(made.proxy_config, ProxyConfig::parse(reader.get("PROXY_CONFIG")));
  reader.add(made.proxy_config.metadata);
  WEFT_TRY(made.pod, reader.need("POD_NAME", "the pod's name, from its metadata.name"));
  WEFT_TRY(made.ns, reader.need("POD_NAMESPACE", "the pod's namespace, from its metadata.namespace"));
  WEFT_TRY(const std::string ip, reader.need("INSTANCE_IP", "the pod's address, from its status.podIP"));
  auto address = net::Address::parse_ip(ip, 0);
  if (!address) return rejected("INSTANCE_IP", ip, "has to be an IPv4 or IPv6 address");
  made.ip = *address;
  for (const auto& [name, value] : {std::pair("POD_NAME", made.pod), std::pair("POD_NAMESPACE", made.ns)})
    if (value.find('~') != std::string::npos) return rejected(name, value, "cannot have a '~'");
  made.domain = domain.empty() ? made.ns + ".svc.cluster.local" : std::move(domain);
  WEFT_CHECK(read_control_address(reader, made));
  WEFT_CHECK(read_metadata(reader, made));
  WEFT_CHECK(read_drain(reader, made));
  // The same value as injection goes by; a gateway's traffic is not captured.
  made.capture_dns = role == Role::kSidecar && reader.get("ISTIO_META_DNS_CAPTURE") == "true";
  made.probes = reader.get("ISTIO_KUBE_APP_PROBERS");
  made.metrics = reader.get("ISTIO_PROMETHEUS_ANNOTATIONS");
  return made;
}

}  // namespace weft::pod
