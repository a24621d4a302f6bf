#include "control/registry.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/strings.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr std::string_view kSuffix = ".svc.cluster.local";

struct Word {
  std::string_view word;
  Protocol protocol;
};

/// Istio's words: a port of such a name, or whose name begins with one and a dash.
constexpr std::array<Word, 17> kWords = {{{"http", Protocol::kHttp},
                                          {"http/1.1", Protocol::kHttp},
                                          {"http_proxy", Protocol::kHttp},
                                          {"grpc-web", Protocol::kHttp},
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

std::string_view family_of(std::string_view ip) {
  if (ip.empty()) return "";
  return ip.find(':') == ip.npos ? "IPv4" : "IPv6";
}

/// What an endpoint of a slice says, but for its addresses and its port.
Endpoint read_endpoint(const api::Json& endpoint) {
  const auto& conditions = json::map(endpoint, "conditions");
  const bool terminating = json::boolean(conditions, "terminating");
  Endpoint made;
  made.ready = json::boolean(conditions, "ready", true) && !terminating;
  made.ending = terminating && json::boolean(conditions, "serving", true);
  made.pod = json::text(json::map(endpoint, "targetRef"), "name");
  return made;
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
    case Protocol::kTcp: return "tcp";
    case Protocol::kTls: return "tls";
    case Protocol::kSniff: return "sniffed";
    case Protocol::kUdp: return "udp";
  }
  return "unknown";
}

std::string full_host(std::string_view service, std::string_view ns) {
  return std::string(service) + "." + std::string(ns) + std::string(kSuffix);
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
  auto found = std::ranges::find(ports, number, &ServicePort::number);
  return found == ports.end() ? nullptr : &*found;
}

std::uint16_t Workload::find_port(std::string_view wanted) const {
  for (const ContainerPort& port : ports)
    if (port.tcp && port.name == wanted) return port.number;
  return 0;
}

Registry::Registry(const World& world) {
  read_services(world);
  read_aliases(world);
  read_workloads(world);
  read_slices(world);
  find_conflicts();
}

void Registry::read_services(const World& world) {
  for (const auto& object : world.all(kinds::service())) {
    if (json::text(object->spec(), "type") == "ExternalName") continue;
    services_.push_back(read_service(*object));
    by_host_[services_.back().host] = services_.size() - 1;
  }
}

void Registry::read_aliases(const World& world) {
  for (const auto& object : world.all(kinds::service())) {
    if (json::text(object->spec(), "type") != "ExternalName") continue;
    std::string to = to_lower(json::text(object->spec(), "externalName"));
    if (to.ends_with('.')) to.pop_back();
    aliases_[full_host(object->name(), object->ns())] = std::move(to);
  }
  for (auto& [alias, to] : aliases_) {
    // Aliases that lead round in a circle lead nowhere; the number of steps ends the walk.
    for (std::size_t steps = 0; steps < aliases_.size() && !by_host_.contains(to); ++steps) {
      auto next = aliases_.find(to);
      if (next == aliases_.end()) break;
      to = next->second;
    }
    auto found = by_host_.find(to);
    if (found != by_host_.end()) services_[found->second].aliases.push_back(alias);
  }
}

void Registry::read_workloads(const World& world) {
  for (const auto& object : world.all(kinds::pod())) {
    Workload workload{std::string(object->ns()),
                      std::string(object->name()),
                      std::string(json::text(object->status(), "podIP")),
                      std::string(json::text(object->spec(), "serviceAccountName")),
                      object->labels(),
                      container_ports(object->spec())};
    workloads_[{workload.ns, workload.name}] = std::move(workload);
  }
}

void Registry::read_slices(const World& world) {
  for (const auto& object : world.all(kinds::endpoint_slice()))
    if (json::text(object->body, "addressType") != "FQDN") read_slice(*object);
  for (auto& [key, list] : endpoints_) {
    if (const Service* service = find(key.first)) choose_families(*service, list);
    // An endpoint that moves from one slice to another is in both for a while; the better word will do.
    std::ranges::sort(list, {},
                      [](const Endpoint& e) { return std::tuple(e.ip, e.port, !e.ready, !e.ending, e.pod); });
    auto same = std::ranges::unique(
        list, [](const Endpoint& a, const Endpoint& b) { return a.ip == b.ip && a.port == b.port; });
    list.erase(same.begin(), same.end());
  }
}

void Registry::read_slice(const api::Object& slice) {
  const std::string host = full_host(slice.label("kubernetes.io/service-name"), slice.ns());
  for (const auto& port : json::list(slice.body, "ports")) {
    auto& into = endpoints_[{host, std::string(json::text(port, "name"))}];
    for (const auto& endpoint : json::list(slice.body, "endpoints")) {
      Endpoint made = read_endpoint(endpoint);
      made.port = static_cast<std::uint16_t>(json::number(port, "port"));
      const Workload* pod = workload(slice.ns(), made.pod);
      // Its labels decide which subsets it is in; it is added when the pod is seen.
      if (!pod && json::text(json::map(endpoint, "targetRef"), "kind") == "Pod") continue;
      if (pod) made.labels = pod->labels;
      for (const auto& address : json::list(endpoint, "addresses")) {
        if (!address.is_string()) continue;
        made.ip = address.get<std::string>();
        into.push_back(made);
      }
    }
  }
}

/// A Service of two families has slices of both, and a pod's addresses are to count once.
void Registry::choose_families(const Service& service, std::vector<Endpoint>& list) const {
  const auto rank = [&](const Endpoint& endpoint) {
    const std::string_view family = family_of(endpoint.ip);
    const Workload* pod = workload(service.ns, endpoint.pod);
    if (pod && family == family_of(pod->ip)) return 0;
    return service.family.empty() || family == service.family ? 1 : 2;
  };
  std::map<std::string, int> best;
  for (const Endpoint& each : list)
    if (!each.pod.empty()) {
      const int found = rank(each);
      int& known = best.try_emplace(each.pod, found).first->second;
      known = std::min(known, found);
    }
  std::erase_if(list, [&](const Endpoint& each) {
    auto found = best.find(each.pod);
    return rank(each) > (found == best.end() ? 1 : found->second);
  });
}

/// By the addresses that ports of different Services have in common, each pair of ports once.
void Registry::find_conflicts() {
  std::map<std::pair<std::string_view, std::uint16_t>, std::vector<ServicePortRef>> takers;
  for (const Service& service : services_) {
    if (service.selector.empty()) continue;
    for (const ServicePort& port : service.ports) {
      if (port.protocol == Protocol::kUdp) continue;
      for (const Endpoint& endpoint : endpoints(service, port))
        takers[{endpoint.ip, endpoint.port}].push_back({&service, &port});
    }
  }
  std::map<std::pair<const ServicePort*, const ServicePort*>, PortConflict> found;
  for (const auto& [address, refs] : takers) {
    const auto first = std::ranges::min_element(refs, decides_before);
    for (const ServicePortRef& each : refs)
      if (each.port->protocol != first->port->protocol)
        found.try_emplace(
            {first->port, each.port},
            PortConflict{first->service->ns, address.second, first->service->name, first->port->number,
                         first->port->protocol, each.service->name, each.port->number, each.port->protocol});
  }
  for (auto& [ports, conflict] : found) conflicts_.push_back(std::move(conflict));
  std::ranges::sort(conflicts_);
}

bool decides_before(const ServicePortRef& a, const ServicePortRef& b) {
  const auto rank = [](const ServicePortRef& ref) {
    return std::tie(ref.service->created, ref.service->ns, ref.service->name, ref.port->number);
  };
  const bool a_guesses = a.port->protocol == Protocol::kSniff,
             b_guesses = b.port->protocol == Protocol::kSniff;
  return a_guesses != b_guesses ? b_guesses : rank(a) < rank(b);
}

std::string to_text(const PortConflict& conflict) {
  const auto port = [](const std::string& service, std::uint16_t number, Protocol protocol) {
    return "Service " + service + " port " + std::to_string(number) + " (" +
           std::string(to_string(protocol)) + ")";
  };
  return port(conflict.service, conflict.port, conflict.protocol) + " and " +
         port(conflict.other, conflict.other_port, conflict.other_protocol) + " in namespace " + conflict.ns +
         " lead to the same port " + std::to_string(conflict.pod_port) + " of a pod, which is taken for " +
         std::string(to_string(conflict.protocol)) +
         ": a declared protocol comes before a sniffed one, then the older Service decides; give both the "
         "same "
         "appProtocol";
}

std::vector<Endpoint> receivers(const std::vector<Endpoint>& endpoints, const Labels& wanted) {
  std::vector<Endpoint> ready, ending;
  for (const Endpoint& each : endpoints) {
    if (!contains(each.labels, wanted)) continue;
    if (each.ready) ready.push_back(each);
    if (each.ending) ending.push_back(each);
  }
  return ready.empty() ? ending : ready;
}

const Service* Registry::find(std::string_view host) const {
  auto found = by_host_.find(host);
  return found == by_host_.end() ? nullptr : &services_[found->second];
}

const std::vector<Endpoint>& Registry::endpoints(const Service& service, const ServicePort& port) const {
  static const std::vector<Endpoint> kNone;
  auto found = endpoints_.find({service.host, port.name});
  return found == endpoints_.end() ? kNone : found->second;
}

const Workload* Registry::workload(std::string_view ns, std::string_view pod) const {
  auto found = workloads_.find({std::string(ns), std::string(pod)});
  return found == workloads_.end() ? nullptr : &found->second;
}

std::string Registry::resolve_destination(std::string_view host, std::string_view ns) const {
  std::string name = resolve(host, ns);
  auto parts = split(name, '.');
  bool short_form = parts.size() == 2 || (parts.size() == 3 && parts[2] == "svc");
  auto alias = aliases_.find(short_form ? full_host(parts[0], parts[1]) : name);
  return alias == aliases_.end() ? name : alias->second;
}

std::string Registry::resolve(std::string_view written, std::string_view ns) const {
  // Host names know no case (RFC 9110, 4.2.3), and everything they are compared with is lower case.
  std::string host = to_lower(written);
  if (host.find('.') == host.npos && host != "*") return full_host(host, ns);
  if (find(host)) return host;
  auto parts = split(host, '.');
  bool short_form = parts.size() == 2 || (parts.size() == 3 && parts[2] == "svc");
  if (short_form && find(full_host(parts[0], parts[1]))) return full_host(parts[0], parts[1]);
  return host;
}

}  // namespace weft::control
