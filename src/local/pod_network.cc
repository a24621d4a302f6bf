#include "local/pod_network.h"

#include <arpa/inet.h>

#include <memory>

#include "base/log.h"
#include "capture/install.h"
#include "local/route_socket.h"

namespace weft::local {
namespace {

constexpr const char* kBridge = "weft0";
constexpr const char* kPodInterface = "eth0";
constexpr std::uint32_t kLast = PodNetwork::kNetwork + 0xfffe;

}  // namespace

std::string dotted(std::uint32_t address) {
  const in_addr binary{htonl(address)};
  char text[INET_ADDRSTRLEN];
  return ::inet_ntop(AF_INET, &binary, text, sizeof text);
}

PodInterface::PodInterface(PodNetwork& network, NetworkNamespace space, std::uint32_t address,
                           std::string interface)
    : network_(network), space_(std::move(space)), address_(address), interface_(std::move(interface)) {}

PodInterface::~PodInterface() { network_.release(address_, interface_); }

std::string PodInterface::ip() const { return dotted(address_); }

Result<void> PodNetwork::start() {
  WEFT_TRY(RouteSocket routes, RouteSocket::open());
  WEFT_CHECK(routes.set_up("lo"));
  WEFT_CHECK(routes.add_bridge(kBridge));
  WEFT_CHECK(routes.add_address(kBridge, kGateway, kPrefix));
  return routes.set_up(kBridge);
}

Result<std::uint32_t> PodNetwork::take_address(const std::string& wanted) {
  in_addr binary{};
  if (::inet_pton(AF_INET, wanted.c_str(), &binary) == 1) {
    const std::uint32_t address = ntohl(binary.s_addr);
    if (address > kGateway && address <= kLast && used_.insert(address).second) return address;
  }
  for (std::uint32_t tries = 0; tries < kLast - kGateway; ++tries) {
    next_ = next_ >= kLast ? kGateway + 1 : next_ + 1;
    if (used_.insert(next_).second) return next_;
  }
  return fail(
      Error::internal(Code::kExhausted, "every address of " + dotted(kNetwork) + "/16 belongs to a pod"));
}

Result<std::unique_ptr<PodInterface>> PodNetwork::add(const std::string& wanted, bool captured) {
  WEFT_TRY(const std::uint32_t address, take_address(wanted));
  const std::string interface = "veth" + std::to_string(++interfaces_);
  auto space = NetworkNamespace::create();
  auto connected = space ? connect(*space, interface, address, captured) : std::unexpected(space.error());
  if (!connected) {
    used_.erase(address);
    return std::unexpected(std::move(connected).error());
  }
  return std::make_unique<PodInterface>(*this, std::move(*space), address, interface);
}

Result<void> PodNetwork::connect(const NetworkNamespace& space, const std::string& interface,
                                 std::uint32_t address, bool captured) {
  WEFT_TRY(RouteSocket outside, RouteSocket::open());
  WEFT_CHECK(outside.add_veth(interface, kPodInterface, space.fd()));
  WEFT_CHECK(outside.attach(interface, kBridge));
  WEFT_TRY(const NetworkNamespace::Inside inside, NetworkNamespace::Inside::enter(space));
  WEFT_TRY(RouteSocket routes, RouteSocket::open());
  WEFT_CHECK(routes.set_up("lo"));
  WEFT_CHECK(routes.add_address(kPodInterface, address, kPrefix));
  WEFT_CHECK(routes.set_up(kPodInterface));
  // Service addresses are in no pod's network: they need a route before a rule can send them to the sidecar.
  WEFT_CHECK(routes.add_default_route(kGateway));
  return captured ? capture::install(capture::one_machine()) : Result<void>{};
}

void PodNetwork::release(std::uint32_t address, const std::string& interface) {
  used_.erase(address);
  auto routes = RouteSocket::open();
  auto removed = routes ? routes->remove(interface) : std::unexpected(routes.error());
  if (!removed) WEFT_LOG(kDebug, "local", "a pod's interface", {"error", removed.error().text});
}

}  // namespace weft::local
