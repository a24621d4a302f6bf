#include "local/service_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <set>

#include "local/json.h"

namespace weft::local {
namespace {

constexpr const char* kServiceLabel = "kubernetes.io/service-name";
/// Where the control plane takes the addresses of Services from.
constexpr capture::Network kServiceRange{.family = capture::Family::kIpv4, .bytes = {10, 96}, .prefix = 12};

std::optional<std::uint32_t> address_of(const std::string& text) {
  in_addr binary{};
  if (::inet_pton(AF_INET, text.c_str(), &binary) != 1) return std::nullopt;
  return ntohl(binary.s_addr);
}

std::uint16_t port_of(const api::Json& json, const char* name) {
  const auto number = json::number(json, name, 0);
  return number > 0 && number <= 0xffff ? static_cast<std::uint16_t>(number) : std::uint16_t{0};
}

/// The ready endpoints' addresses of one slice; what says nothing of readiness is ready.
std::vector<std::string> ready_addresses(const api::Object& slice) {
  std::vector<std::string> found;
  for (const api::Json& endpoint : json::list(slice.body, "endpoints")) {
    const api::Json& conditions = json::at(endpoint, "conditions");
    if (conditions.contains("ready") && !json::boolean(conditions, "ready")) continue;
    for (const api::Json& address : json::list(endpoint, "addresses"))
      if (address.is_string()) found.push_back(address.get<std::string>());
  }
  return found;
}

using Slices = std::vector<const api::Object*>;

/// The places behind the port `name` of a Service.
std::vector<capture::Place> places_of(const Slices& slices, const std::string& name) {
  std::vector<capture::Place> places;
  for (const api::Object* slice : slices)
    for (const api::Json& port : json::list(slice->body, "ports")) {
      if (json::string(port, "name") != name || port_of(port, "port") == 0) continue;
      for (const std::string& text : ready_addresses(*slice))
        if (const auto address = address_of(text)) places.push_back({*address, port_of(port, "port")});
    }
  std::ranges::sort(places, {},
                    [](const capture::Place& place) { return std::pair(place.address, place.port); });
  const auto twice = std::ranges::unique(places);
  places.erase(twice.begin(), twice.end());
  return places;
}

std::vector<std::string> headless_addresses(const Slices& slices) {
  std::set<std::string> addresses;
  for (const api::Object* slice : slices)
    for (std::string& address : ready_addresses(*slice)) addresses.insert(std::move(address));
  return {addresses.begin(), addresses.end()};
}

bool is_tcp(const api::Json& port) {
  const std::string transport = json::string(port, "protocol");
  return port_of(port, "port") != 0 && (transport.empty() || transport == "TCP");
}

/// A headless Service's ports are those of its pods, which no address translates.
std::vector<ServiceTable::Port> ports_of(const api::Object& service, const Slices& slices, bool headless) {
  std::vector<ServiceTable::Port> ports;
  for (const api::Json& port : json::list(service.spec(), "ports")) {
    if (!is_tcp(port)) continue;
    ports.push_back({json::string(port, "name"), port_of(port, "port")});
    const auto places = headless ? places_of(slices, ports.back().name) : std::vector<capture::Place>{};
    if (!places.empty()) ports.back().number = places.front().port;
  }
  return ports;
}

void add_fronts(std::vector<capture::ServiceFront>& into, const api::Object& service, const Slices& slices) {
  const auto address = address_of(json::string(service.spec(), "clusterIP"));
  if (!address) return;
  for (const api::Json& port : json::list(service.spec(), "ports")) {
    if (!is_tcp(port)) continue;
    into.push_back({{*address, port_of(port, "port")}, places_of(slices, json::string(port, "name"))});
  }
}

}  // namespace

const ServiceTable::Name* ServiceTable::find(std::string_view ns, std::string_view name) const {
  const auto found =
      std::ranges::find_if(names_, [&](const Name& each) { return each.ns == ns && each.name == name; });
  return found == names_.end() ? nullptr : &*found;
}

ServiceTable::ServiceTable() { make_rules(); }

void ServiceTable::make_rules() {
  rules_ = capture::transaction_of({kServiceRange, fronts_});
  ++rules_version_;
}

bool ServiceTable::set(const ObjectsByKey& services, const ObjectsByKey& slices) {
  std::map<std::pair<std::string, std::string>, Slices> by_service;
  for (const auto& [key, slice] : slices)
    by_service[{key.ns, std::string(slice->label(kServiceLabel))}].push_back(slice.get());
  std::vector<Name> names;
  std::vector<capture::ServiceFront> fronts;
  for (const auto& [key, service] : services) {
    const std::string address = json::string(service->spec(), "clusterIP");
    const Slices& own = by_service[{key.ns, key.name}];
    if (address.empty()) continue;
    const bool headless = address == "None";
    names.push_back({key.name, key.ns, headless,
                     headless ? headless_addresses(own) : std::vector<std::string>{address},
                     ports_of(*service, own, headless)});
    add_fronts(fronts, *service, own);
  }
  const bool renamed = names != names_, led_elsewhere = fronts != fronts_;
  names_ = std::move(names);
  fronts_ = std::move(fronts);
  if (led_elsewhere) make_rules();
  return renamed || led_elsewhere;
}

}  // namespace weft::local
