#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "control/carry_over.h"
#include "control/object_snapshot.h"
#include "control/shared_list.h"

namespace weft::control {

using Labels = std::map<std::string, std::string>;

/// What is spoken at a port, and so how its bytes are treated. gRPC is kHttp2; so is kGrpcWeb to the pods,
/// whose sidecars make gRPC of what browsers send (grpc/doc/PROTOCOL-WEB.md).
enum class Protocol : std::uint8_t { kHttp, kHttp2, kGrpcWeb, kTcp, kTls, kSniff, kUdp };
inline bool is_http2(Protocol protocol) {
  return protocol == Protocol::kHttp2 || protocol == Protocol::kGrpcWeb;
}
/// Declared to be HTTP, of whatever version.
inline bool is_http(Protocol protocol) { return protocol == Protocol::kHttp || is_http2(protocol); }

/// What a service says of one port.
struct PortHints {
  std::string_view app_protocol, name;
  std::string_view transport;  ///< "TCP", "UDP" or "SCTP"; empty: TCP
  std::uint16_t number = 0;
};
/// By appProtocol, else the port's name, whole ("postgres") or by its prefix ("http-web"); what neither tells
/// is sniffed, but for well-known numbers of protocols in which the server speaks first, which are TCP.
Protocol protocol_of(const PortHints& hints);
std::string_view to_string(Protocol protocol);

struct ServicePort {
  std::uint16_t number = 0;
  std::string name;
  Protocol protocol = Protocol::kSniff;
  std::uint16_t target = 0;  ///< 0 when `target_name` says it
  std::string target_name;   ///< a container port's name
  bool operator==(const ServicePort&) const = default;
};

struct Service {
  std::string ns, name;
  std::string host;     ///< "reviews.default.svc.cluster.local"
  std::string created;  ///< RFC 3339, in UTC: earlier ones sort before later ones
  std::string family;   ///< its first: "IPv4" or "IPv6"; empty when it is not said
  /// One of each family; empty while none is allocated, and for headless services.
  std::vector<std::string> cluster_ips;
  bool headless = false;
  /// Full names of the Services of type ExternalName that lead here in the end. They have nothing of their
  /// own.
  std::vector<std::string> aliases;
  std::vector<ServicePort> ports;
  Labels selector;
  const ServicePort* find_port(std::uint16_t number) const;
  /// The order of a registry's list: by namespace, then name.
  static bool by_name(const Service& a, const Service& b);
  bool operator==(const Service&) const = default;
};

struct ServicePortRef {
  const Service* service;
  const ServicePort* port;
};
/// Of two that lead to one port of a pod, or to one address, which says what is spoken there: a declared
/// protocol before a sniffed one, then the older Service, then by name.
bool decides_before(const ServicePortRef& a, const ServicePortRef& b);

/// Two Services say different things of one port of a pod that both lead to.
struct PortConflict {
  std::string ns;
  std::uint16_t pod_port = 0;
  std::string service;  ///< whose word counts
  std::uint16_t port = 0;
  Protocol protocol = Protocol::kSniff;
  std::string other;  ///< whose does not
  std::uint16_t other_port = 0;
  Protocol other_protocol = Protocol::kSniff;
  auto operator<=>(const PortConflict&) const = default;
};
/// One line with what would mend it.
std::string to_text(const PortConflict& conflict);

/// One address behind a service's port. A pod of two families stands here once, by the family of its
/// status.podIP, since that one its sidecar captures for certain; where its Service has no such address, by
/// one that it has.
struct Endpoint {
  std::string ip;
  std::uint16_t port = 0;
  bool ready = true;
  bool ending = false;  ///< its pod ends, and still serves; then it is not ready
  Labels labels;        ///< of its pod: what subsets choose by
  std::string pod;
  bool operator==(const Endpoint&) const = default;
};

struct ContainerPort {
  std::string name;
  std::uint16_t number = 0;
  bool tcp = true;
  bool operator==(const ContainerPort&) const = default;
};

struct Workload {
  std::string ns, name, ip, service_account;
  Labels labels;
  std::vector<ContainerPort> ports;
  /// Of the TCP port of that name; 0 when there is none.
  std::uint16_t find_port(std::string_view name) const;
  bool operator==(const Workload&) const = default;
};

struct Slice;
struct ServiceEndpoints;

/// What there is to talk to, read from one ObjectSnapshot: services, what is behind them, and pods.
/// Immutable; any thread. What has not changed since an earlier registry is the same in memory in both:
/// reading one more snapshot costs what has changed in it, and a pointer for each object.
class Registry {
 public:
  Registry();
  explicit Registry(const ObjectSnapshot& snapshot);
  /// `old` was read from `old_snapshot`.
  Registry(const ObjectSnapshot& snapshot, const ObjectSnapshot& old_snapshot, const Registry& old);

  SharedList<Service> services() const;  ///< in the order of Service::by_name
  SharedList<Service> services_of(std::string_view ns) const;
  /// By full name; null when there is none.
  const Service* find(std::string_view host) const { return shared(host).get(); }
  const std::shared_ptr<const Service>& shared(std::string_view host) const;
  /// Whether both have the same Services, ExternalNames among them.
  bool same_services(const Registry& other) const { return services_ == other.services_; }
  bool same_aliases(const Registry& other) const;
  /// By host, of all services that have some.
  std::span<const std::shared_ptr<const ServiceEndpoints>> all_endpoints() const { return endpoints_; }
  /// Sorted by address.
  const std::vector<Endpoint>& endpoints(const Service& service, const ServicePort& port) const;
  const Workload* workload(std::string_view ns, std::string_view pod) const;
  /// Sorted; each pair of ports once, however many pods they have in common.
  const std::vector<PortConflict>& port_conflicts() const { return conflicts_; }

  /// The full name that `host` means to a client in namespace `ns`: "reviews", "reviews.default" and
  /// "reviews.default.svc" find their service; other names with a dot stay as they are.
  std::string resolve(std::string_view host, std::string_view ns) const;
  /// The same for where a rule sends requests: an ExternalName service stands for what it leads to.
  std::string resolve_destination(std::string_view host, std::string_view ns) const;

 private:
  struct ServiceTable;
  using Slices = std::vector<std::shared_ptr<const Slice>>;

  void read_services(const ObjectSnapshot& snapshot, const ObjectSnapshot& old_snapshot,
                     std::set<std::string>& hosts);
  std::map<std::string, std::string, std::less<>> read_aliases(const ObjectSnapshot& snapshot) const;
  std::shared_ptr<const ServiceTable> make_services(
      std::map<std::string, std::string, std::less<>> aliases) const;
  void read_workloads(const ObjectSnapshot& snapshot, const ObjectSnapshot& old_snapshot,
                      std::set<std::string>& hosts);
  std::map<std::string, Slices> read_slices(const ObjectSnapshot& snapshot,
                                            const ObjectSnapshot& old_snapshot, std::set<std::string>& hosts);
  void read_endpoints(const std::set<std::string>& hosts, std::map<std::string, Slices>& slices);
  void find_conflicts();

  MadeOf<Service> service_objects_;  ///< null: an ExternalName
  std::shared_ptr<const ServiceTable> services_;
  MadeOf<Workload> workloads_;
  MadeOf<Slice> slices_;                                            ///< null: of names, not addresses
  std::vector<std::shared_ptr<const ServiceEndpoints>> endpoints_;  ///< by host
  std::vector<PortConflict> conflicts_;
};

/// "reviews.default.svc.cluster.local"
std::string full_host(std::string_view service, std::string_view ns);
/// Of the endpoints with the labels `wanted`, those that get new requests: the ready ones; where none is,
/// those that end and still serve, as kube-proxy has it.
std::vector<Endpoint> receivers(const std::vector<Endpoint>& endpoints, const Labels& wanted);
/// Every label of `wanted` is in `labels`.
bool contains(const Labels& labels, const Labels& wanted);
/// A JSON map of strings as labels; other values are left out.
Labels labels_from(const api::Json& map);

}  // namespace weft::control
