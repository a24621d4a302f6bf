#include "app/capture_main.h"

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "capture/flags.h"
#include "capture/install.h"
#include "capture/pod_environment.h"
#include "capture/rules.h"
#include "capture/self_check.h"

namespace weft::app {
namespace {

constexpr int kDone = 0, kFailed = 1, kUsage = 2, kNotInForce = 126;
constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr std::size_t kMaxResolvConf = 64 * 1024;

struct Options {
  capture::Flags flags;
  bool redirect_dns = false, capture_all_dns = false, dual_stack = false;
  bool print = false, clean = false, skip_rules = false, validate = false;
  std::string form = "nft", level = "info";
};

void add_traffic(CLI::App& command, capture::Flags& flags) {
  command.add_option("-p,--envoy-port", flags.outbound_port, "where outbound connections go (default 15001)");
  command.add_option("-z,--inbound-capture-port", flags.inbound_port,
                     "where inbound connections go (default 15006)");
  command.add_option("-e,--inbound-tunnel-port", flags.tunnel_port,
                     "the port of tunnels, left alone (default 15008)");
  command.add_option("-u,--proxy-uid", flags.users, "users of the sidecar (default 1337)");
  command.add_option("-g,--proxy-gid", flags.groups, "groups of the sidecar (default: as -u)");
  command.add_option("-m,--istio-inbound-interception-mode", flags.mode, "REDIRECT");
  command.add_option("-i,--istio-service-cidr", flags.outbound_ranges,
                     "outbound ranges to capture, or '*' for all (default: none)");
  command.add_option("-x,--istio-service-exclude-cidr", flags.excluded_outbound_ranges,
                     "outbound ranges that are left alone");
  command.add_option("-b,--istio-inbound-ports", flags.inbound_ports,
                     "inbound ports to capture, or '*' for all (default: none)");
  command.add_option("-d,--istio-local-exclude-ports", flags.excluded_inbound_ports,
                     "inbound ports that are left alone under -b '*'");
  command.add_option("-q,--istio-outbound-ports", flags.outbound_ports,
                     "outbound ports to capture even outside -i");
  command.add_option("-o,--istio-local-outbound-ports-exclude", flags.excluded_outbound_ports,
                     "outbound ports that are left alone");
  command.add_option("-k,--kube-virt-interfaces", flags.virtual_interfaces,
                     "interfaces whose inbound traffic counts as outbound");
  command.add_option("-c,--istio-exclude-interfaces", flags.excluded_interfaces,
                     "interfaces that are left alone");
  command.add_flag("--drop-invalid", flags.drop_invalid, "drop packets that belong to no connection")
      ->envname("INVALID_DROP");
  // Istio has no flags for these.
  const auto from_environment = [](const char* name, std::string& into) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') into = value;
  };
  from_environment("ISTIO_OUTBOUND_OWNER_GROUPS", flags.owner_groups);
  from_environment("ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE", flags.excluded_owner_groups);
  from_environment("ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR", flags.loopback_range);
}

void add_work(CLI::App& command, Options& options) {
  command
      .add_flag("--redirect-dns", options.redirect_dns,
                "capture questions to the servers of /etc/resolv.conf")
      ->envname("ISTIO_META_DNS_CAPTURE");
  command.add_flag("--capture-all-dns", options.capture_all_dns, "with --redirect-dns: to any server");
  command.add_flag("--dual-stack", options.dual_stack, "rules for IPv6 when the pod has any such address")
      ->envname("ISTIO_AGENT_DUAL_STACK");
  command
      .add_option("--print", options.form, "print the rules as nft (default) or iptables, and set nothing")
      ->expected(0, 1);
  command.add_flag("--clean,--cleanup-only", options.clean, "take the rules away");
  command.add_flag("--run-validation", options.validate,
                   "make a connection through the rules; 126 when they fail");
  command.add_flag("--skip-rule-apply", options.skip_rules, "set nothing, for --run-validation alone");
  command.add_option("--log-level", options.level, "trace, debug, info, warning, error or off");
}

int wrong(const std::string& text) {
  std::fprintf(stderr, "weft capture: %s\n", text.c_str());
  return kUsage;
}

/// Nothing: go on. Otherwise the exit code.
std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App command(
      "Sets the rules that send this pod's traffic through its sidecar; flags are istio-iptables'.",
      "weft capture");
  add_traffic(command, options.flags);
  add_work(command, options);
  command.footer(
      "  weft capture -p 15001 -z 15006 -u 1337 -m REDIRECT -i '*' -x '' -b '*' -d 15090,15021,15020\n"
      "  weft capture -i 10.0.0.0/8 -b '*' --print iptables\n"
      "  weft capture --clean\n");
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? kDone : kUsage;
  }
  options.print = command.count("--print") != 0;
  if (options.form.empty()) options.form = "nft";
  if (options.form != "nft" && options.form != "iptables")
    return wrong("--print '" + options.form + "': nft or iptables is needed");
  if (options.clean && (options.print || options.validate))
    return wrong("--clean: takes the rules away, so it stands without --print and --run-validation");
  log::Level level{};
  if (!log::parse_level(options.level, level))
    return wrong("--log-level '" + options.level +
                 "': one of trace, debug, info, warning, error, off is needed");
  log::set_level(level);
  return std::nullopt;
}

/// Empty when the file cannot be read.
std::string read_resolv_conf() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(kResolvConf, "re"), std::fclose);
  std::string text(file ? kMaxResolvConf : 0, '\0');
  if (file) text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  return text;
}

std::vector<capture::Network> name_servers() {
  std::vector<capture::Network> servers;
  for (const capture::Nameserver& each : capture::nameservers(read_resolv_conf()))
    servers.push_back(each.address);
  return servers;
}

/// The pod's first address, where it is told.
std::string_view instance_ip() {
  const char* value = std::getenv("INSTANCE_IP");
  return value == nullptr ? std::string_view() : value;
}

std::optional<capture::Redirection::Dns> dns_of(const Options& options) {
  if (!options.redirect_dns) return std::nullopt;
  capture::Redirection::Dns dns{.to_any_server = options.capture_all_dns, .servers = {}};
  if (!dns.to_any_server) dns.servers = name_servers();
  if (dns.to_any_server || !dns.servers.empty()) return dns;
  WEFT_LOG(kWarn, "capture", "DNS is not captured: no server is known; --capture-all-dns needs none",
           {"file", kResolvConf});
  return std::nullopt;
}

int failed(const Error& error, int code) {
  std::fprintf(stderr, "weft capture: %s\n", error.text.c_str());
  return code;
}

int clean() {
  if (const auto removed = capture::remove(); !removed) return failed(removed.error(), kFailed);
  WEFT_LOG(kInfo, "capture", "traffic is no longer captured");
  return kDone;
}

int set(const Options& options, const capture::Redirection& redirection) {
  if (!options.skip_rules) {
    if (const auto set = capture::install(redirection); !set) return failed(set.error(), kFailed);
    WEFT_LOG(kInfo, "capture", "traffic is captured", {"outbound", redirection.outbound_port},
             {"inbound", redirection.inbound_port}, {"ipv6", redirection.ipv6 ? "yes" : "no"},
             {"dns", redirection.dns ? "yes" : "no"});
  }
  if (!options.validate) return kDone;
  constexpr std::chrono::seconds kTimeout(5);
  if (const auto checked = capture::self_check(redirection, kTimeout); !checked)
    return failed(checked.error(), kNotInForce);
  WEFT_LOG(kInfo, "capture", "a connection went through the rules");
  return kDone;
}

}  // namespace

int capture_main(int argc, char** argv) {
  Options options;
  if (const auto code = parse(argc, argv, options)) return *code;
  if (options.clean) return clean();
  auto redirection = capture::to_redirection(options.flags);
  if (!redirection) return wrong(redirection.error().text);
  redirection->dns = dns_of(options);
  redirection->ipv6 = capture::is_ipv6_wanted(options.dual_stack, instance_ip());
  if (!options.print) return set(options, *redirection);
  const auto sets = capture::rules_of(*redirection);
  const std::string text = options.form == "nft" ? capture::to_nft(sets) : capture::to_iptables(sets);
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? kDone : failed(Error::internal(Code::kInternal, "--print: " + errno_text(errno)), kFailed);
}

}  // namespace weft::app
