#pragma once

#include <array>
#include <compare>
#include <map>
#include <string>
#include <vector>

#include "control/translation/proof.h"
#include "control/translation/push_context.h"
#include "control/translation/route_builder.h"
#include "control/translation/route_table.h"
#include "control/translation/translate.h"

namespace weft::control {

/// Whose calls look alike: proxies of a kind in a namespace, and where rules ask for labels of the caller,
/// those that have the same.
struct ScopeKey {
  ProxyIdentity::Kind kind = ProxyIdentity::Kind::kSidecar;
  std::string ns;
  Labels labels;  ///< only those that some rule asks for
  auto operator<=>(const ScopeKey&) const = default;
};

/// What proxies of one scope need for calls to services: clusters and endpoints, and for sidecars listeners
/// and route tables. It is carried from one generation to the next: what has not changed keeps its place in
/// memory, table by table, resource by resource, virtual host by virtual host.
///
/// Owner: Translator. Thread: the loop's.
class OutboundScope {
 public:
  /// `proof` may be null: then resources are as they are written. It must outlive this.
  OutboundScope(ScopeKey key, Proof* proof);

  /// Goes on to `push`; `changes` says in what they differ from those of the last call.
  void update(const PushContext& push, const Changes& changes);
  const ResourceTablePtr& table(Type type) const { return tables_[index_of(type)]; }

 private:
  /// A virtual host, and what it was made from.
  struct Host {
    std::shared_ptr<const Service> service;  ///< null: a host that a rule names and no service has
    std::string name;                        ///< of that host
    std::uint64_t rule = 0;                  ///< its meaning; 0: none
    HostPiecePtr piece;
  };
  /// The table that all HTTP services of a port number share.
  struct PortTable {
    std::vector<Host> hosts;  ///< those of services first
    bool unique = false;      ///< no domain is that of two hosts
  };
  /// A host that rules of the mesh name and that no service has.
  struct ForeignHost {
    std::string_view name;
    std::vector<const VirtualService*> rules;  ///< oldest first
  };
  using ForeignHosts = std::vector<ForeignHost>;
  static ForeignHosts foreign_hosts(const PushContext& push, std::string_view ns);
  /// service_host() or only_host().
  using MakeHost = HostPiecePtr(const Service&, const ServicePort&, const VirtualService*, const RouteScope&,
                                Proof*);

  void update_clusters(const PushContext& push, const Changes& changes);
  void update_listeners(const PushContext& push, const Changes& changes);
  void update_port_tables(const PushContext& push, const Changes& changes);
  void update_sniffed_tables(const PushContext& push, const Changes& changes);
  void update_hosts_in_place(const PushContext& push, const Names& names);
  bool update_host_in_place(PortTable& table, const std::shared_ptr<const Service>& service,
                            const ServicePort& port, const RouteScope& scope) const;
  bool update_port_table(PortTable& table, std::uint16_t port, const PushContext& push,
                         const Changes& changes, const ForeignHosts* foreign_hosts);
  static bool same_domains(const Host& a, const Host& b);
  void add_foreign_hosts(std::vector<Host>& hosts, const PortTable& before, const RouteScope& scope,
                         const ForeignHosts& foreign_hosts) const;
  Host made_host(const std::shared_ptr<const Service>& service, const ServicePort& port, const Host* before,
                 const RouteScope& scope, MakeHost& make) const;
  Resource port_table(PortTable& table, std::uint16_t port) const;
  void replace(Type type, std::vector<ResourcePtr> made, const Names& removed);
  Names names_of(Type type, const Names& hosts) const;
  RouteScope route_scope(const PushContext& push, std::uint16_t port) const;

  ScopeKey key_;
  ProxyIdentity proxy_;  ///< stands for all of the scope
  Proof* proof_;
  std::array<ResourceTablePtr, kTypes> tables_ = {empty_table(), empty_table(), empty_table(), empty_table()};
  std::map<std::uint16_t, PortTable> ports_;
  std::map<std::string, Host, std::less<>> sniffed_;  ///< by the name of the table that is its alone
};

}  // namespace weft::control
