#include "cli/config_tables.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/strings.h"
#include "base/text_table.h"
#include "cli/json_path.h"

namespace weft::cli {
namespace {

using api::Json;
using What = ProxyConfigOptions::What;

/// Where a dump keeps resources: lists of entries, and where in an entry the resource itself is.
struct Place {
  What what;
  std::string_view list;
  std::string_view inside;
};
constexpr Place kPlaces[] = {
    {What::kListeners, "static_listeners", "listener"},
    {What::kListeners, "dynamic_listeners", "active_state.listener"},
    {What::kRoutes, "static_route_configs", "route_config"},
    {What::kRoutes, "dynamic_route_configs", "route_config"},
    {What::kClusters, "static_clusters", "cluster"},
    {What::kClusters, "dynamic_active_clusters", "cluster"},
    {What::kEndpoints, "static_endpoint_configs", "endpoint_config"},
    {What::kEndpoints, "dynamic_endpoint_configs", "endpoint_config"},
};

std::string address_text(const Json& address) {
  const Json& socket = at(address, "socket_address");
  return socket.is_object() ? text_at(socket, "address") : text_at(address, "pipe.path");
}
std::string port_text(const Json& address) { return scalar_text(at(address, "socket_address.port_value")); }

std::string filter_target(const Json& filter) {
  const Json& config = at(filter, "typed_config");
  if (std::string name = text_at(config, "rds.route_config_name"); !name.empty()) return "Route: " + name;
  if (at(config, "route_config").is_object()) return "Inline Route: " + text_at(config, "route_config.name");
  if (std::string cluster = text_at(config, "cluster"); !cluster.empty()) return "Cluster: " + cluster;
  return "";
}

std::string chain_match(const Json& match) {
  std::vector<std::string> parts;
  if (const Json& port = at(match, "destination_port"); !port.is_null())
    parts.push_back("Port: " + scalar_text(port));
  for (const Json& range : list_at(match, "prefix_ranges")) {
    const Json& length = at(range, "prefix_len");
    parts.push_back("Addr: " + text_at(range, "address_prefix") +
                    (length.is_null() ? "" : "/" + scalar_text(length)));
  }
  if (std::string transport = text_at(match, "transport_protocol"); !transport.empty())
    parts.push_back("Trans: " + transport);
  if (const Json& protocols = list_at(match, "application_protocols"); !protocols.empty())
    parts.push_back("App: " + joined(protocols, ","));
  return parts.empty() ? "ALL" : join(parts, "; ");
}

void add_listener(TextTable& table, const Json& listener) {
  const Json& address = at(listener, "address");
  std::vector<const Json*> chains;
  for (const Json& chain : list_at(listener, "filter_chains")) chains.push_back(&chain);
  if (at(listener, "default_filter_chain").is_object())
    chains.push_back(&at(listener, "default_filter_chain"));
  for (const Json* chain : chains) {
    std::string target;
    for (const Json& filter : list_at(*chain, "filters"))
      if (std::string found = filter_target(filter); !found.empty()) target = found;
    table.add({text_at(listener, "name"), address_text(address), port_text(address),
               chain_match(at(*chain, "filter_chain_match")), target});
  }
  if (chains.empty())
    table.add({text_at(listener, "name"), address_text(address), port_text(address), "ALL", ""});
}

/// What a header or parameter must be; nothing when it only has to be there.
std::string value_text(const Json& match) {
  for (const auto& [field, before, after] :
       {std::tuple{"exact", "=", ""}, std::tuple{"prefix", "=", "*"}, std::tuple{"suffix", "=*", ""},
        std::tuple{"contains", "=*", "*"}})
    if (at(match, field).is_string()) return before + text_at(match, field) + after;
  const std::string regex = text_at(match, "safe_regex.regex");
  return regex.empty() ? "" : "~" + regex;
}

std::string match_text(const Json& match) {
  std::string text;
  if (at(match, "prefix").is_string()) text = text_at(match, "prefix") + "*";
  if (at(match, "path_separated_prefix").is_string()) text = text_at(match, "path_separated_prefix") + "/*";
  if (at(match, "path").is_string()) text = text_at(match, "path");
  if (at(match, "safe_regex").is_object()) text = "regex " + text_at(match, "safe_regex.regex");
  for (const Json& header : list_at(match, "headers"))
    text += " header " + text_at(header, "name") + value_text(at(header, "string_match"));
  for (const Json& parameter : list_at(match, "query_parameters"))
    text += " query " + text_at(parameter, "name") + value_text(at(parameter, "string_match"));
  return text;
}

std::string action_text(const Json& route) {
  if (at(route, "redirect").is_object()) return "redirect";
  if (at(route, "direct_response").is_object())
    return "respond " + scalar_text(at(route, "direct_response.status"));
  const Json& weighted = list_at(route, "route.weighted_clusters.clusters");
  if (weighted.empty()) return text_at(route, "route.cluster");
  std::vector<std::string> parts;
  for (const Json& cluster : weighted) {
    const Json& weight = at(cluster, "weight");
    parts.push_back(text_at(cluster, "name") + " " + (weight.is_null() ? "0" : scalar_text(weight)));
  }
  return join(parts, ", ");
}

/// Timeout, retries and faults of a route, as far as it has some.
std::string policy_text(const Json& route) {
  std::vector<std::string> parts;
  if (const std::string timeout = text_at(route, "route.timeout"); !timeout.empty() && timeout != "0s")
    parts.push_back("timeout " + timeout);
  if (const Json& policy = at(route, "route.retry_policy"); policy.is_object())
    parts.push_back("retries " + (at(policy, "num_retries").is_null()
                                      ? std::string("1")
                                      : scalar_text(at(policy, "num_retries"))));
  if (const Json& configs = at(route, "typed_per_filter_config"); configs.is_object()) {
    for (const auto& [name, config] : configs.items()) {
      if (at(config, "delay").is_object()) parts.push_back("delay " + text_at(config, "delay.fixed_delay"));
      if (at(config, "abort").is_object())
        parts.push_back("abort " + scalar_text(at(config, "abort.http_status")));
    }
  }
  return parts.empty() ? "" : " (" + join(parts, ", ") + ")";
}

/// The object a route was made from: "reviews.default" for a VirtualService, else with its kind before.
std::string origin_text(const Json& route) {
  // "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews"
  std::string path = text_at(route, "metadata.filter_metadata.istio.config");
  const std::vector<std::string_view> steps = split(path, '/');
  if (steps.size() != 8) return path;
  const std::string name = std::string(steps[7]) + "." + std::string(steps[5]);
  return steps[6] == "virtual-service" ? name : std::string(steps[6]) + "/" + name;
}

/// The shortest of its names, and how many others there are.
std::string domains_text(const Json& domains) {
  if (domains.empty()) return "";
  std::string shown;
  for (const Json& domain : domains) {
    const std::string text = scalar_text(domain);
    const bool address = !text.empty() && text[0] >= '0' && text[0] <= '9';
    if (!address && (shown.empty() || text.size() < shown.size())) shown = text;
  }
  if (shown.empty()) shown = scalar_text(domains[0]);
  if (domains.size() > 1) shown += " + " + std::to_string(domains.size() - 1) + " more";
  return shown;
}

void add_routes(TextTable& table, const Json& config) {
  for (const Json& host : list_at(config, "virtual_hosts")) {
    const std::string domains = domains_text(list_at(host, "domains"));
    for (const Json& route : list_at(host, "routes"))
      table.add({text_at(config, "name"), text_at(host, "name"), domains, match_text(at(route, "match")),
                 origin_text(route), action_text(route) + policy_text(route)});
    if (list_at(host, "routes").empty())
      table.add({text_at(config, "name"), text_at(host, "name"), domains, "", "", "404"});
  }
  if (list_at(config, "virtual_hosts").empty()) table.add({text_at(config, "name"), "", "", "", "", "404"});
}

/// "outbound|9080|v1|reviews.default.svc.cluster.local" in its parts; other names are a service of their own.
void add_cluster(TextTable& table, const Json& cluster) {
  const std::string name = text_at(cluster, "name");
  std::string type = text_at(cluster, "type");
  if (type.empty()) type = text_at(cluster, "cluster_type.name");
  if (type.empty()) type = "STATIC";
  const std::vector<std::string_view> parts = split(name, '|');
  if (parts.size() != 4) return table.add({name, "-", "-", "-", type});
  const auto or_dash = [](std::string_view text) {
    return text.empty() ? std::string("-") : std::string(text);
  };
  table.add({or_dash(parts[3]), or_dash(parts[1]), or_dash(parts[2]), std::string(parts[0]), type});
}

void add_endpoints(TextTable& table, const Json& assignment) {
  for (const Json& locality : list_at(assignment, "endpoints"))
    for (const Json& endpoint : list_at(locality, "lb_endpoints")) {
      const Json& address = at(endpoint, "endpoint.address");
      const std::string port = port_text(address), health = text_at(endpoint, "health_status");
      table.add({address_text(address) + (port == "<none>" ? "" : ":" + port),
                 health.empty() ? "HEALTHY" : health, text_at(assignment, "cluster_name")});
    }
}

/// "outbound|9080|v1|reviews…" or "inbound|9080||" in its parts; of another name the whole as the last.
struct ClusterName {
  std::string port, subset, fqdn;
};
ClusterName parts_of(std::string_view name) {
  const std::vector<std::string_view> parts = split(name, '|');
  if (parts.size() != 4) return {"", "", std::string(name)};
  return {std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
}

std::string name_of(const Json& resource, What what) {
  return text_at(resource, what == What::kEndpoints ? "cluster_name" : "name");
}

bool is_service(const std::string& fqdn, const std::string& wanted) {
  return fqdn == wanted || fqdn.starts_with(wanted + ".");
}

bool has_domain(const Json& route_config, const std::string& wanted) {
  for (const Json& host : list_at(route_config, "virtual_hosts"))
    for (const Json& domain : list_at(host, "domains"))
      if (is_service(scalar_text(domain), wanted)) return true;
  return false;
}

bool passes(const Json& resource, What what, const ConfigFilter& filter) {
  const std::string name = name_of(resource, what);
  const ClusterName parts = parts_of(name);
  if (!filter.name.empty() && name != filter.name) return false;
  if (what == What::kListeners)
    return (filter.port.empty() || port_text(at(resource, "address")) == filter.port) &&
           (filter.fqdn.empty() || is_service(name, filter.fqdn));
  if (what == What::kRoutes)
    return (filter.port.empty() || name == filter.port || parts.port == filter.port ||
            name.ends_with(":" + filter.port) || name.ends_with("." + filter.port)) &&
           (filter.fqdn.empty() || has_domain(resource, filter.fqdn));
  return (filter.port.empty() || parts.port == filter.port) &&
         (filter.fqdn.empty() || is_service(parts.fqdn, filter.fqdn));
}

std::vector<std::string> heading_of(What what) {
  switch (what) {
    case What::kListeners: return {"NAME", "ADDRESS", "PORT", "MATCH", "DESTINATION"};
    case What::kRoutes: return {"NAME", "VIRTUAL HOST", "DOMAINS", "MATCH", "VIRTUAL SERVICE", "DESTINATION"};
    case What::kClusters: return {"SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE"};
    case What::kEndpoints: return {"ENDPOINT", "STATUS", "CLUSTER"};
  }
  return {};
}

}  // namespace

Json resources_of(const Json& dump, What what) {
  Json found = Json::array();
  for (const Json& part : list_at(dump, "configs"))
    for (const Place& place : kPlaces) {
      if (place.what != what) continue;
      for (const Json& entry : list_at(part, place.list))
        if (const Json& resource = at(entry, place.inside); resource.is_object()) found.push_back(resource);
    }
  return found;
}

Json filtered(const Json& resources, What what, const ConfigFilter& filter) {
  Json found = Json::array();
  for (const Json& resource : resources)
    if (passes(resource, what, filter)) found.push_back(resource);
  if (what != What::kClusters && what != What::kEndpoints) return found;
  std::ranges::sort(found.get_ref<Json::array_t&>(), {}, [what](const Json& resource) {
    const ClusterName parts = parts_of(name_of(resource, what));
    return std::tuple(parts.fqdn, parts.port.size(), parts.port, parts.subset, name_of(resource, what));
  });
  return found;
}

std::string config_table(const Json& resources, What what) {
  TextTable table(heading_of(what));
  for (const Json& resource : resources) {
    if (what == What::kListeners) add_listener(table, resource);
    if (what == What::kRoutes) add_routes(table, resource);
    if (what == What::kClusters) add_cluster(table, resource);
    if (what == What::kEndpoints) add_endpoints(table, resource);
  }
  return table.take();
}

}  // namespace weft::cli
