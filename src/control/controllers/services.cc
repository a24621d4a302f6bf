#include <arpa/inet.h>

#include <array>
#include <set>

#include "control/controllers/view.h"
#include "control/json.h"
#include "control/service_range.h"

namespace weft::control {
namespace {

// The first addresses are left to those that are expected there (API server, name server).
constexpr std::uint32_t kReserved = 16;
constexpr std::uint32_t kFirstNodePort = 30000;
constexpr std::uint32_t kNodePorts = 2768;

std::string address_text(std::uint32_t address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  in_addr raw{htonl(address)};
  inet_ntop(AF_INET, &raw, text.data(), text.size());
  return text.data();
}

std::uint32_t hash(std::string_view text) {
  std::uint32_t value = 2166136261U;
  for (unsigned char byte : text) value = (value ^ byte) * 16777619U;
  return value;
}

/// What is taken already: by the Services that are there, and by what this plan has given away.
class Taken {
 public:
  explicit Taken(const LinkIndex& links) : links_(links) {}
  /// False: it was taken.
  bool take(About about, const std::string& what) {
    return links_.found(topic(about, what)).empty() && given_.insert(what).second;
  }

 private:
  const LinkIndex& links_;
  std::set<std::string> given_;
};

/// The place follows from the name, so that a service made again most often gets its old address.
std::string allocate_address(const api::Object& service, Taken& taken) {
  std::uint32_t room = kServiceAddresses - kReserved - 1;
  std::uint32_t start = hash(service.key().to_string());
  for (std::uint32_t step = 0; step < room; ++step) {
    std::string address = address_text(kFirstServiceAddress + kReserved + (start + step) % room);
    if (taken.take(About::kAddress, address)) return address;
  }
  return {};
}

std::int64_t allocate_node_port(const api::Object& service, const api::Json& port, Taken& taken) {
  std::uint32_t start = hash(service.key().to_string() + ":" + std::to_string(json::number(port, "port")));
  for (std::uint32_t step = 0; step < kNodePorts; ++step) {
    std::int64_t number = kFirstNodePort + (start + step) % kNodePorts;
    if (taken.take(About::kNodePort, std::to_string(number))) return number;
  }
  return 0;
}

bool complete_node_ports(api::Object& service, Taken& taken) {
  bool changed = false;
  auto ports = service.body["spec"].find("ports");
  if (ports == service.body["spec"].end() || !ports->is_array()) return false;
  for (auto& port : *ports) {
    if (json::number(port, "nodePort") != 0) continue;
    if (std::int64_t number = allocate_node_port(service, port, taken); number != 0) {
      port["nodePort"] = number;
      changed = true;
    }
  }
  return changed;
}

}  // namespace

Plan plan_services(const ObjectSnapshot& snapshot, PlanContext& context) {
  Plan plan;
  View view(snapshot, context);
  Taken taken(view.links());
  view.each(kinds::service(), plan, [&](const api::ObjectPtr& service) {
    std::string_view type = json::text(service->spec(), "type");
    if (type == "ExternalName" || is_terminating(*service)) return;
    api::Object changed = *service;
    bool differs = false;
    if (json::text(service->spec(), "clusterIP").empty()) {
      std::string address = allocate_address(*service, taken);
      differs = !address.empty();
      if (differs) changed.body["spec"]["clusterIP"] = address;
    }
    if (type == "NodePort" || type == "LoadBalancer") differs |= complete_node_ports(changed, taken);
    if (differs) plan.push_back({Change::Kind::kUpdate, std::move(changed)});
  });
  return plan;
}

}  // namespace weft::control
