#include "capture/flags.h"

#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

#include "base/strings.h"

namespace weft::capture {
namespace {

constexpr std::size_t kMaxEntries = 1024;
constexpr std::size_t kMaxOwnerGroups = 64;
constexpr std::uint8_t kWidestLoopback = 8;

/// One flag on its way into a Redirection.
struct Flag {
  std::string_view name;
  const std::string& value;

  std::unexpected<Error> wrong(std::string_view entry, std::string_view right,
                               Code code = Code::kInvalid) const {
    return fail(Error::config(
        code, std::string(name) + ": '" + std::string(cut(entry, 100)) + "': " + std::string(right)));
  }
  bool is_everything() const { return trim(value) == "*"; }
};

/// Each entry of a list through `parse`, which takes (flag, entry).
template <class T>
Result<std::vector<T>> list_of(const Flag& flag, Result<T> (*parse)(const Flag&, std::string_view),
                               std::size_t max = kMaxEntries) {
  std::vector<T> made;
  for (std::string_view entry : split(flag.value, ',')) {
    entry = trim(entry);
    if (entry.empty()) continue;
    if (made.size() == max)
      return flag.wrong(flag.value, "at most " + std::to_string(max) + " entries are possible",
                        Code::kTooLarge);
    WEFT_TRY(T value, parse(flag, entry));
    made.push_back(std::move(value));
  }
  return made;
}

Result<std::uint32_t> number_in(const Flag& flag, std::string_view entry, std::uint32_t min,
                                std::uint32_t max, std::string_view what) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(entry.data(), entry.data() + entry.size(), number);
  if (error != std::errc() || end != entry.data() + entry.size() || number < min || number > max)
    return flag.wrong(entry, std::string(what) + " from " + std::to_string(min) + " to " +
                                 std::to_string(max) + " is needed");
  return number;
}

Result<std::uint16_t> port(const Flag& flag, std::string_view entry) {
  if (entry == "*") return flag.wrong(entry, "here ports are listed one by one, for example 80,443");
  WEFT_TRY(const std::uint32_t number, number_in(flag, trim(entry), 1, 65535, "a port"));
  return static_cast<std::uint16_t>(number);
}

Result<std::uint32_t> id(const Flag& flag, std::string_view entry) {
  // The highest number means "no user" to the kernel.
  return number_in(flag, entry, 0, std::numeric_limits<std::uint32_t>::max() - 1, "a numeric id");
}

Result<Network> range(const Flag& flag, std::string_view entry) {
  auto parsed = Network::parse(entry);
  if (!parsed) return flag.wrong(entry, "a range like 10.0.0.0/8 or fd00::/8 is needed");
  return parsed;
}

Result<std::string> interface(const Flag& flag, std::string_view entry) {
  const bool printable = std::ranges::all_of(
      entry, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != '"' && c != '\\' && c != '*'; });
  // iptables takes a plus at the end for "whatever follows".
  if (!printable || entry.size() >= IFNAMSIZ || entry.ends_with('+') || entry == "." || entry == "..")
    return flag.wrong(entry, "the name of one interface is needed, at most 15 characters, for example eth0");
  return std::string(entry);
}

/// A list that may be "*" for everything.
template <class T>
Result<void> all_or_list(const Flag& flag, Result<T> (*parse)(const Flag&, std::string_view), bool& all,
                         std::vector<T>& list) {
  all = flag.is_everything();
  if (all) return {};
  WEFT_TRY(list, list_of(flag, parse));
  return {};
}

Result<void> read_sidecar(const Flags& from, Redirection& into) {
  WEFT_TRY(into.outbound_port, port({"-p/--envoy-port", from.outbound_port}, from.outbound_port));
  WEFT_TRY(into.inbound_port, port({"-z/--inbound-capture-port", from.inbound_port}, from.inbound_port));
  WEFT_TRY(into.tunnel_port, port({"-e/--inbound-tunnel-port", from.tunnel_port}, from.tunnel_port));
  const Flag users{"-u/--proxy-uid", from.users};
  WEFT_TRY(into.sidecar_users, list_of(users, id));
  if (into.sidecar_users.empty())
    return users.wrong(from.users, "the user of the sidecar is needed, for example 1337");
  const Flag groups{"-g/--proxy-gid", from.groups};
  WEFT_TRY(into.sidecar_groups, list_of(groups, id));
  if (into.sidecar_groups.empty()) into.sidecar_groups = into.sidecar_users;
  const Flag mode{"-m/--istio-inbound-interception-mode", from.mode};
  if (from.mode == "TPROXY")
    return mode.wrong(from.mode, "not supported; REDIRECT is the mode there is", Code::kUnsupported);
  if (from.mode != "REDIRECT") return mode.wrong(from.mode, "REDIRECT is the mode there is");
  return {};
}

Result<void> read_inbound(const Flags& from, Redirection& into) {
  WEFT_CHECK(all_or_list({"-b/--istio-inbound-ports", from.inbound_ports}, port, into.all_inbound,
                         into.inbound_ports));
  WEFT_TRY(into.excluded_inbound_ports,
           list_of({"-d/--istio-local-exclude-ports", from.excluded_inbound_ports}, port));
  WEFT_TRY(into.virtual_interfaces,
           list_of({"-k/--kube-virt-interfaces", from.virtual_interfaces}, interface));
  WEFT_TRY(into.excluded_interfaces,
           list_of({"-c/--istio-exclude-interfaces", from.excluded_interfaces}, interface));
  into.drop_invalid = from.drop_invalid;
  return {};
}

Result<void> read_outbound(const Flags& from, Redirection& into) {
  WEFT_CHECK(all_or_list({"-i/--istio-service-cidr", from.outbound_ranges}, range, into.all_outbound,
                         into.outbound_ranges));
  const Flag excluded{"-x/--istio-service-exclude-cidr", from.excluded_outbound_ranges};
  if (excluded.is_everything())
    return excluded.wrong("*", "everything cannot be excluded; -i '' captures nothing outbound");
  WEFT_TRY(into.excluded_outbound_ranges, list_of(excluded, range));
  WEFT_TRY(into.outbound_ports, list_of({"-q/--istio-outbound-ports", from.outbound_ports}, port));
  WEFT_TRY(into.excluded_outbound_ports,
           list_of({"-o/--istio-local-outbound-ports-exclude", from.excluded_outbound_ports}, port));
  return {};
}

Result<void> read_owner_groups(const Flags& from, Redirection& into) {
  const Flag captured{"ISTIO_OUTBOUND_OWNER_GROUPS", from.owner_groups};
  const Flag uncaptured{"ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", from.excluded_owner_groups};
  WEFT_TRY(into.uncaptured_groups, list_of(uncaptured, id, kMaxOwnerGroups));
  if (captured.is_everything()) return {};
  WEFT_TRY(into.captured_groups, list_of(captured, id, kMaxOwnerGroups));
  if (!into.captured_groups.empty() && !into.uncaptured_groups.empty())
    return uncaptured.wrong(from.excluded_owner_groups,
                            "only one of it and ISTIO_OUTBOUND_OWNER_GROUPS can be a list");
  return {};
}

Result<void> read_loopback(const Flags& from, Redirection& into) {
  const Flag flag{"ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", from.loopback_range};
  WEFT_TRY(into.loopback, range(flag, from.loopback_range));
  if (into.loopback.family != Family::kIpv4 || !into.loopback.is_loopback() ||
      into.loopback.prefix < kWidestLoopback)
    return flag.wrong(from.loopback_range, "a range inside 127.0.0.0/8 is needed");
  return {};
}

}  // namespace

Result<Redirection> to_redirection(const Flags& flags) {
  Redirection made;
  WEFT_CHECK(read_sidecar(flags, made));
  WEFT_CHECK(read_inbound(flags, made));
  WEFT_CHECK(read_outbound(flags, made));
  WEFT_CHECK(read_owner_groups(flags, made));
  WEFT_CHECK(read_loopback(flags, made));
  return made;
}

}  // namespace weft::capture
