#include "local/pod_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/log.h"
#include "capture/install.h"
#include "capture/services.h"
#include "local/route_socket.h"

namespace weft::local {
namespace {

constexpr const char* kBridge = "weft0";
constexpr const char* kPodInterface = "eth0";
constexpr std::uint32_t kLast = PodNetwork::kNetwork + 0xfffe;

/// A setting of the calling thread's network namespace. kNotFound: the kernel has no such thing.
Result<void> set_kernel(const std::string& name, std::string_view value) {
  const std::string path = "/proc/sys/net/" + name;
  const net::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (fd && ::write(fd.get(), value.data(), value.size()) == static_cast<ssize_t>(value.size())) return {};
  return fail(
      Error::internal(errno == ENOENT ? Code::kNotFound : Code::kDenied, path + ": " + errno_text(errno)));
}

/// Before the pod's interface is there, which takes its settings from these.
Result<void> set_up_kernel() {
  // Pods have IPv4 addresses only. A link-local address of IPv6, which the kernel would give by itself, is a
  // way past the capture rules. `lo` is older and keeps ::1.
  const auto disabled = set_kernel("ipv6/conf/default/disable_ipv6", "1");
  if (!disabled && disabled.error().code != Code::kNotFound) return disabled;
  // Redirected connections to all destinations are of one port to the kernel, and it draws another offset of
  // timestamps for each destination: the SYN of a reused port then looks old (PAWS) and is dropped for a
  // second. 2: timestamps without offsets.
  const auto monotonic = set_kernel("ipv4/tcp_timestamps", "2");
  if (!monotonic) WEFT_LOG(kWarn, "local", "a pod's TCP timestamps", {"error", monotonic.error().text});
  return {};
}

/// After rules: a kernel that translates addresses has this setting by then.
void set_up_translation() {
  // A client's port is free again after 60 s of TIME_WAIT; an entry that is older leads it to an endpoint
  // that may be gone. An entry ends before that.
  const auto shorter = set_kernel("netfilter/nf_conntrack_tcp_timeout_time_wait", "30");
  if (!shorter && shorter.error().code != Code::kNotFound)
    WEFT_LOG(kWarn, "local", "a pod's translated connections", {"error", shorter.error().text});
}

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

Result<void> PodInterface::lead_to_services(const std::string& transaction) const {
  WEFT_TRY(const NetworkNamespace::Inside inside, NetworkNamespace::Inside::enter(space_));
  WEFT_CHECK(capture::install_services(transaction));
  set_up_translation();
  return {};
}

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

Result<std::unique_ptr<PodInterface>> PodNetwork::add(const std::string& wanted,
                                                      const std::optional<capture::Redirection>& captured) {
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
                                 std::uint32_t address, const std::optional<capture::Redirection>& captured) {
  WEFT_TRY(RouteSocket outside, RouteSocket::open());
  {
    WEFT_TRY(const NetworkNamespace::Inside inside, NetworkNamespace::Inside::enter(space));
    WEFT_CHECK(set_up_kernel());
  }
  WEFT_CHECK(outside.add_veth(interface, kPodInterface, space.fd()));
  WEFT_CHECK(outside.attach(interface, kBridge));
  WEFT_TRY(const NetworkNamespace::Inside inside, NetworkNamespace::Inside::enter(space));
  WEFT_TRY(RouteSocket routes, RouteSocket::open());
  WEFT_CHECK(routes.set_up("lo"));
  WEFT_CHECK(routes.add_address(kPodInterface, address, kPrefix));
  WEFT_CHECK(routes.set_up(kPodInterface));
  // Service addresses are in no pod's network: they need a route before a rule can send them to the sidecar.
  WEFT_CHECK(routes.add_default_route(kGateway));
  return captured ? capture::install(*captured) : Result<void>{};
}

void PodNetwork::release(std::uint32_t address, const std::string& interface) {
  used_.erase(address);
  auto routes = RouteSocket::open();
  auto removed = routes ? routes->remove(interface) : std::unexpected(routes.error());
  if (!removed) WEFT_LOG(kDebug, "local", "a pod's interface", {"error", removed.error().text});
}

}  // namespace weft::local
