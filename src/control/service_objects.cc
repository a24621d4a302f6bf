#include "control/service_objects.h"

#include <algorithm>
#include <array>

#include "base/strings.h"
#include "control/json.h"

namespace weft::control {
namespace {

struct Word {
  std::string_view word;
  Protocol protocol;
};

/// Istio's words: a port of such a name, or whose name begins with one and a dash.
constexpr std::array<Word, 17> kWords = {{{"http", Protocol::kHttp},
                                          {"http/1.1", Protocol::kHttp},
                                          {"http_proxy", Protocol::kHttp},
                                          {"grpc-web", Protocol::kGrpcWeb},
                                          {"kubernetes.io/ws", Protocol::kHttp},
                                          {"http2", Protocol::kHttp2},
                                          {"kubernetes.io/h2c", Protocol::kHttp2},
                                          {"grpc", Protocol::kHttp2},
                                          {"tcp", Protocol::kTcp},
                                          {"mongo", Protocol::kTcp},
                                          {"mysql", Protocol::kTcp},
                                          {"redis", Protocol::kTcp},
                                          {"postgresql", Protocol::kTcp},
                                          {"https", Protocol::kTls},
                                          {"kubernetes.io/wss", Protocol::kTls},
                                          {"tls", Protocol::kTls},
                                          {"udp", Protocol::kUdp}}};

/// What else is plainly no HTTP. As whole names only: "nats-monitor" and "kafka-ui" are pages, and to take
/// them for TCP would go past their rules, while not to know "ssh-admin" costs its connections a short wait.
constexpr std::array<std::string_view, 38> kOtherWords = {
    "amqp",   "amqps", "cassandra", "cql",        "ftp",       "ftps",    "imap", "imaps",    "irc",  "kafka",
    "ldap",   "ldaps", "mariadb",   "memcache",   "memcached", "mongodb", "mqtt", "mqtts",    "nats", "nntp",
    "oracle", "pgsql", "pop3",      "pop3s",      "postgres",  "rsync",   "sftp", "sip",      "smb",  "smtp",
    "smtps",  "ssh",   "stomp",     "submission", "telnet",    "vnc",     "xmpp", "zookeeper"};

std::optional<Protocol> named_protocol(std::string_view word) {
  const auto row = std::ranges::find(kWords, word, &Word::word);
  return row == kWords.end() ? std::nullopt : std::optional(row->protocol);
}

/// Those of init containers too that go on beside the application.
std::vector<ContainerPort> container_ports(const api::Json& spec) {
  std::vector<ContainerPort> ports;
  for (std::string_view list : {"containers", "initContainers"}) {
    for (const auto& container : json::list(spec, list)) {
      if (list == "initContainers" && json::text(container, "restartPolicy") != "Always") continue;
      for (const auto& port : json::list(container, "ports")) {
        std::string_view transport = json::text(port, "protocol");
        ports.push_back({std::string(json::text(port, "name")),
                         static_cast<std::uint16_t>(json::number(port, "containerPort")),
                         transport.empty() || transport == "TCP"});
      }
    }
  }
  return ports;
}

/// "http-web" and "http" are HTTP; "grpc-web" is one word.
std::optional<Protocol> protocol_by_name(std::string_view name) {
  std::string lower = to_lower(name);
  if (auto whole = named_protocol(lower)) return whole;
  if (std::ranges::binary_search(kOtherWords, lower)) return Protocol::kTcp;
  if (lower.starts_with("grpc-web")) return named_protocol("grpc-web");
  return named_protocol(std::string_view(lower).substr(0, lower.find('-')));
}

/// FTP, SSH, telnet, SMTP, POP3, NNTP, IMAP, submission, MySQL; and those that Istio counts among them though
/// their clients begin: DNS and MongoDB.
bool server_speaks_first(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 11> kPorts = {21, 22, 23, 25, 53, 110, 119, 143, 587, 3306, 27017};
  return std::ranges::binary_search(kPorts, port);
}

std::vector<std::string> cluster_ips(const api::Json& spec) {
  std::vector<std::string> all;
  const auto add = [&all](std::string ip) {
    if (!ip.empty() && ip != "None" && std::ranges::find(all, ip) == all.end()) all.push_back(std::move(ip));
  };
  add(std::string(json::text(spec, "clusterIP")));
  for (const auto& ip : json::list(spec, "clusterIPs"))
    if (ip.is_string()) add(ip.get<std::string>());
  return all;
}

}  // namespace

Protocol protocol_of(const PortHints& hints) {
  if (hints.transport == "UDP" || hints.transport == "SCTP") return Protocol::kUdp;
  auto said = protocol_by_name(hints.app_protocol.empty() ? hints.name : hints.app_protocol);
  if (said) return *said;
  return server_speaks_first(hints.number) ? Protocol::kTcp : Protocol::kSniff;
}

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttp: return "http";
    case Protocol::kHttp2: return "http2";
    case Protocol::kGrpcWeb: return "grpc-web";
    case Protocol::kTcp: return "tcp";
    case Protocol::kTls: return "tls";
    case Protocol::kSniff: return "sniffed";
    case Protocol::kUdp: return "udp";
  }
  return "unknown";
}

bool contains(const Labels& labels, const Labels& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& want) {
    auto found = labels.find(want.first);
    return found != labels.end() && found->second == want.second;
  });
}

Labels labels_from(const api::Json& map) {
  Labels labels;
  for (const auto& [key, value] : map.items())
    if (value.is_string()) labels[key] = value.get<std::string>();
  return labels;
}

const ServicePort* Service::find_port(std::uint16_t number) const {
  const auto found = std::ranges::find_if(ports, [&](const ServicePort& port) {
    return port.number == number && port.protocol != Protocol::kUdp;
  });
  return found == ports.end() ? nullptr : &*found;
}

std::uint16_t Workload::find_port(std::string_view wanted) const {
  for (const ContainerPort& port : ports)
    if (port.tcp && port.name == wanted) return port.number;
  return 0;
}

Service read_service(const api::Object& object) {
  const api::Json& spec = object.spec();
  Service service;
  service.ns = object.ns();
  service.name = object.name();
  service.host = full_host(service.name, service.ns);
  service.created = json::text(json::map(object.body, "metadata"), "creationTimestamp");
  service.headless = json::text(spec, "clusterIP") == "None";
  if (!service.headless) service.cluster_ips = cluster_ips(spec);
  for (const auto& family : json::list(spec, "ipFamilies"))
    if (service.family.empty() && family.is_string()) service.family = family.get<std::string>();
  service.selector = labels_from(json::map(spec, "selector"));
  for (const auto& port : json::list(spec, "ports")) {
    ServicePort made;
    made.number = static_cast<std::uint16_t>(json::number(port, "port"));
    made.name = json::text(port, "name");
    made.protocol =
        protocol_of({json::text(port, "appProtocol"), made.name, json::text(port, "protocol"), made.number});
    made.target_name = json::text(port, "targetPort");
    if (made.target_name.empty())
      made.target = static_cast<std::uint16_t>(json::number(port, "targetPort", made.number));
    service.ports.push_back(std::move(made));
  }
  return service;
}

Workload read_workload(const api::Object& object) {
  return {std::string(object.ns()),
          std::string(object.name()),
          std::string(json::text(object.status(), "podIP")),
          std::string(json::text(object.spec(), "serviceAccountName")),
          object.labels(),
          container_ports(object.spec())};
}

namespace {

SliceEndpoint read_endpoint(const api::Json& endpoint) {
  const auto& conditions = json::map(endpoint, "conditions");
  const auto& target = json::map(endpoint, "targetRef");
  const bool terminating = json::boolean(conditions, "terminating");
  SliceEndpoint made;
  made.ready = json::boolean(conditions, "ready", true) && !terminating;
  made.ending = terminating && json::boolean(conditions, "serving", true);
  made.pod = json::text(target, "name");
  made.is_pod = json::text(target, "kind") == "Pod";
  for (const auto& address : json::list(endpoint, "addresses"))
    if (address.is_string()) made.addresses.push_back(address.get<std::string>());
  return made;
}

}  // namespace

Slice read_slice(const api::Object& object) {
  Slice made;
  made.ns = object.ns();
  made.host = full_host(object.label("kubernetes.io/service-name"), object.ns());
  for (const auto& port : json::list(object.body, "ports"))
    made.ports.push_back(
        {std::string(json::text(port, "name")), static_cast<std::uint16_t>(json::number(port, "port"))});
  for (const auto& endpoint : json::list(object.body, "endpoints"))
    made.endpoints.push_back(read_endpoint(endpoint));
  return made;
}

}  // namespace weft::control
