#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sched.h>

#include <cstdio>
#include <functional>
#include <string>
#include <thread>

#include "capture/flags.h"
#include "capture/install.h"
#include "capture/netlink_exchange.h"
#include "capture/netlink_writer.h"
#include "capture/pod_environment.h"
#include "capture/rules.h"
#include "capture/services.h"

namespace weft::capture {
namespace {

constexpr const char* kOneMachine =
    "table ip weft {\n"
    "\tchain output {\n"
    "\t\ttype nat hook output priority -100; policy accept;\n"
    "\t\tmeta mark 0x0000053a return\n"
    "\t\toif \"lo\" ip saddr 127.0.0.6 return\n"
    "\t\toif \"lo\" ip daddr != 127.0.0.0/8 tcp dport != 15008 meta mark 0x00000539 redirect to :15006\n"
    "\t\toif \"lo\" ip daddr != 127.0.0.0/8 tcp dport != 15008 meta skuid 1337 redirect to :15006\n"
    "\t\toif \"lo\" ip daddr != 127.0.0.0/8 tcp dport != 15008 meta skgid 1337 redirect to :15006\n"
    "\t\tmeta mark 0x00000539 return\n"
    "\t\tmeta skuid 1337 return\n"
    "\t\tmeta skgid 1337 return\n"
    "\t\toif \"lo\" return\n"
    "\t\tip daddr 127.0.0.0/8 return\n"
    "\t\tmeta l4proto tcp redirect to :15001\n"
    "\t}\n"
    "\n"
    "\tchain prerouting {\n"
    "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
    "\t\ttcp dport 15008 return\n"
    "\t\ttcp dport 15020 return\n"
    "\t\ttcp dport 15021 return\n"
    "\t\ttcp dport 15090 return\n"
    "\t\tmeta l4proto tcp redirect to :15006\n"
    "\t}\n"
    "}\n";

/// What `nft list ruleset` prints in a network namespace of its own after `action`; the thread ends with it.
std::string listed_after(const std::function<Result<void>()>& action) {
  std::string text;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) != 0) {
      text = "unshare: " + errno_text(errno);
      return;
    }
    if (const auto done = action(); !done) {
      text = done.error().text;
      return;
    }
    // popen's child is in the namespace of the thread that made it.
    FILE* listing = ::popen("/usr/sbin/nft list ruleset", "r");
    char block[4096];
    while (std::size_t got = std::fread(block, 1, sizeof block, listing)) text.append(block, got);
    ::pclose(listing);
  }).join();
  // Newer versions of nft have a name for these priorities at the output hook too.
  for (const auto& [name, number] :
       {std::pair<std::string_view, const char*>{"output priority dstnat + 1", "-99"},
        {"output priority dstnat", "-100"}})
    for (auto at = text.find(name); at != text.npos; at = text.find(name))
      text.replace(at, name.size(), std::string("output priority ") + number);
  return text;
}

Network network(std::string_view text) { return *Network::parse(text); }

/// Every kind of rule that there is, for both families.
Redirection everything() {
  Redirection all;
  all.ipv6 = true;
  all.drop_invalid = true;
  all.sidecar_users = {1337, 1500};
  all.excluded_interfaces = {"eth1"};
  all.virtual_interfaces = {"vm0"};
  all.all_outbound = false;
  all.outbound_ranges = {network("10.0.0.0/9"), network("0.0.0.0/0"), network("fd00::/8"),
                         network("fd01:2::/33")};
  all.excluded_outbound_ranges = {network("10.1.0.0/16"), network("10.9.9.9"), network("fd00:1::1")};
  all.outbound_ports = {80};
  all.excluded_outbound_ports = {3306};
  all.captured_groups = {2000, 2001};
  all.dns = {.to_any_server = false, .servers = {network("10.96.0.10"), network("fd00::a")}};
  return all;
}

/// The lines of one chain, without its braces.
std::string chain_of(const std::string& text, const std::string& table, const std::string& chain) {
  const auto begin = text.find("chain " + chain + " {", text.find("table " + table + " "));
  const auto end = text.find("\t}\n", begin);
  return begin == text.npos ? "" : text.substr(begin, end - begin);
}

TEST(Rules, OfOneMachineKnowItsSidecarByMarkUserOrGroup) {
  EXPECT_EQ(to_nft(rules_of(one_machine())), kOneMachine);
}

constexpr Place place(std::uint8_t last, std::uint16_t port) {
  return {(10u << 24) + (244u << 16) + last, port};
}

Services two_services() {
  const std::uint32_t range = (10u << 24) + (96u << 16);
  return {network("10.96.0.0/12"),
          {{{range + 5, 80}, {place(3, 8080), place(4, 8081), place(9, 8080)}},
           {{range + 6, 9080}, {place(3, 9080)}},
           {{range + 7, 80}, {}}}};
}

constexpr const char* kTwoServices =
    "table ip weft {\n"
    "\tchain services {\n"
    "\t\ttype nat hook output priority -99; policy accept;\n"
    "\t\tip daddr != 10.96.0.0/12 return\n"
    "\t\tip daddr 10.96.0.5 tcp dport 80 numgen random mod 3 0 dnat to 10.244.0.3:8080\n"
    "\t\tip daddr 10.96.0.5 tcp dport 80 numgen random mod 2 0 dnat to 10.244.0.4:8081\n"
    "\t\tip daddr 10.96.0.5 tcp dport 80 dnat to 10.244.0.9:8080\n"
    "\t\tip daddr 10.96.0.6 tcp dport 9080 dnat to 10.244.0.3:9080\n"
    "\t}\n"
    "\n"
    "\tchain services_rest {\n"
    "\t\ttype filter hook output priority filter; policy accept;\n"
    "\t\tip daddr 10.96.0.0/12 reject with tcp reset\n"
    "\t\tip daddr 10.96.0.0/12 reject\n"
    "\t}\n"
    "}\n";

TEST(Services, HaveChainsOfTheirOwnThatShareAmongEndpointsAndRejectTheRest) {
  EXPECT_EQ(to_nft({rules_of(two_services())}), kTwoServices);
  EXPECT_EQ(listed_after([] { return install_services(transaction_of(two_services())); }), kTwoServices);
}

TEST(Services, AreReplacedWithoutTouchingWhatIsCaptured) {
  EXPECT_EQ(listed_after([]() -> Result<void> {
              WEFT_CHECK(install(one_machine()));
              Services many = two_services();
              for (std::uint16_t port = 1; port < 1000; ++port)
                many.fronts.push_back({{(10u << 24) + (97u << 16), port}, {place(3, port), place(4, port)}});
              WEFT_CHECK(install_services(transaction_of(many)));
              return install_services(transaction_of(two_services()));
            }),
            std::string(kOneMachine).substr(0, std::string(kOneMachine).size() - 2) + "\n" +
                std::string(kTwoServices).substr(std::string("table ip weft {\n").size()));
}

TEST(Rules, ComeInTheOrderThatIstioGivesThem) {
  const std::string text = to_nft(rules_of(everything()));
  EXPECT_EQ(chain_of(text, "ip6", "output"),
            "chain output {\n"
            "\t\ttype nat hook output priority -100; policy accept;\n"
            "\t\toifname \"eth1\" return\n"
            "\t\ttcp dport 3306 return\n"
            "\t\tudp dport 3306 return\n"
            "\t\toif \"lo\" ip6 saddr ::6 return\n"
            "\t\toif \"lo\" ip6 daddr != ::1 tcp dport != 53 tcp dport != 15008 meta skuid 1337 redirect to "
            ":15006\n"
            "\t\toif \"lo\" ip6 daddr != ::1 tcp dport != 53 tcp dport != 15008 meta skuid 1500 redirect to "
            ":15006\n"
            "\t\toif \"lo\" ip6 daddr != ::1 tcp dport != 53 tcp dport != 15008 meta skgid 1337 redirect to "
            ":15006\n"
            "\t\tmeta skuid 1337 return\n"
            "\t\tmeta skuid 1500 return\n"
            "\t\tmeta skgid 1337 return\n"
            "\t\toif \"lo\" tcp dport != 53 return\n"
            "\t\tmeta skgid != 2000 meta skgid != 2001 return\n"
            "\t\tip6 daddr fd00::a tcp dport 53 redirect to :15053\n"
            "\t\tip6 daddr fd00::a udp dport 53 redirect to :15053\n"
            "\t\tip6 daddr ::1 return\n"
            "\t\tip6 daddr fd00:1::1 return\n"
            "\t\ttcp dport 80 redirect to :15001\n"
            "\t\tip6 daddr fd00::/8 meta l4proto tcp redirect to :15001\n"
            "\t\tip6 daddr fd01:2::/33 meta l4proto tcp redirect to :15001\n");
  EXPECT_EQ(chain_of(text, "ip", "prerouting"),
            "chain prerouting {\n"
            "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
            "\t\tiifname \"vm0\" ip daddr 10.0.0.0/9 meta l4proto tcp redirect to :15001\n"
            "\t\tiifname \"vm0\" meta l4proto tcp redirect to :15001\n"
            "\t\tiifname \"vm0\" return\n"
            "\t\tiifname \"eth1\" return\n"
            "\t\ttcp dport 15008 return\n"
            "\t\ttcp dport 15020 return\n"
            "\t\ttcp dport 15021 return\n"
            "\t\ttcp dport 15090 return\n"
            "\t\tmeta l4proto tcp redirect to :15006\n");
}

TEST(Rules, KeepQuestionsOfApplicationAndSidecarInZonesOfTheirOwn) {
  const std::string text = to_nft(rules_of(everything()));
  EXPECT_EQ(chain_of(text, "ip", "output_zone"),
            "chain output_zone {\n"
            "\t\ttype filter hook output priority raw; policy accept;\n"
            "\t\tudp dport 53 meta skuid 1337 ct zone set 1\n"
            "\t\tudp sport 15053 meta skuid 1337 ct zone set 2\n"
            "\t\tudp dport 53 meta skuid 1500 ct zone set 1\n"
            "\t\tudp sport 15053 meta skuid 1500 ct zone set 2\n"
            "\t\tudp dport 53 meta skgid 1337 ct zone set 1\n"
            "\t\tudp sport 15053 meta skgid 1337 ct zone set 2\n"
            "\t\tip daddr 10.96.0.10 udp dport 53 ct zone set 2\n");
  EXPECT_EQ(chain_of(text, "ip", "prerouting_zone"),
            "chain prerouting_zone {\n"
            "\t\ttype filter hook prerouting priority raw; policy accept;\n"
            "\t\tip saddr 10.96.0.10 udp sport 53 ct zone set 1\n");
}

TEST(Rules, LeaveInboundAloneWhenNoPortIsNamedAndListThoseThatAre) {
  Redirection none;
  none.all_inbound = false;
  EXPECT_EQ(chain_of(to_nft(rules_of(none)), "ip", "prerouting"), "");
  none.inbound_ports = {80, 8080};
  EXPECT_EQ(chain_of(to_nft(rules_of(none)), "ip", "prerouting"),
            "chain prerouting {\n"
            "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
            "\t\ttcp dport 15008 return\n"
            "\t\ttcp dport 80 redirect to :15006\n"
            "\t\ttcp dport 8080 redirect to :15006\n");
}

TEST(Rules, CaptureTheApplicationsLoopbackWhenARangeNamesIt) {
  Redirection from;
  from.all_outbound = false;
  from.outbound_ranges = {network("127.0.0.2/32")};
  EXPECT_EQ(to_nft(rules_of(from)).find("oif \"lo\" return"), std::string::npos);
}

TEST(Install, GivesTheKernelExactlyTheRulesThatArePrinted) {
  EXPECT_EQ(listed_after([] { return install(one_machine()); }), kOneMachine);
  EXPECT_EQ(listed_after([] { return install(everything()); }), to_nft(rules_of(everything())));
}

TEST(Install, LeavesOnlyWhatTheLastCallSaid) {
  EXPECT_EQ(listed_after([]() -> Result<void> {
              WEFT_CHECK(install(everything()));
              WEFT_CHECK(install(one_machine()));
              return install(one_machine());
            }),
            kOneMachine);
}

TEST(Install, TakesAsManyRulesAsTheFlagsAllow) {
  Redirection many;
  many.inbound_ports.clear();
  for (std::uint16_t port = 1; port <= 1024; ++port) {
    many.excluded_inbound_ports.push_back(port);
    many.excluded_outbound_ports.push_back(port);
    many.outbound_ports.push_back(port);
  }
  EXPECT_EQ(listed_after([&] { return install(many); }), to_nft(rules_of(many)));
}

TEST(Remove, LeavesNothingAndMayBeRepeated) {
  EXPECT_EQ(listed_after([]() -> Result<void> {
              WEFT_CHECK(install(everything()));
              WEFT_CHECK(remove());
              return remove();
            }),
            "");
}

TEST(NetlinkExchange, GivesTheKernelsError) {
  NetlinkWriter writer;
  writer.message(RTM_DELADDR, 0, std::string(4, '\0'));
  writer.acknowledge();
  // An address of no family.
  EXPECT_EQ(netlink_exchange(NETLINK_ROUTE, writer.take()), EOPNOTSUPP);
}

TEST(Network, ReadsRangesAndClearsWhatIsBehindThePrefix) {
  EXPECT_EQ(network("10.1.2.3/9").to_string(), "10.0.0.0/9");
  EXPECT_EQ(network("10.1.2.3").to_string(), "10.1.2.3");
  EXPECT_EQ(network("fd00:0:0::ffff/16").to_string(), "fd00::/16");
  EXPECT_TRUE(network("10.0.0.0/8").contains(network("10.255.0.0/16")));
  EXPECT_FALSE(network("10.0.0.0/8").contains(network("11.0.0.1")));
  EXPECT_FALSE(network("10.1.0.0/16").contains(network("10.0.0.0/8")));
  EXPECT_FALSE(network("::/0").contains(network("10.0.0.1")));
  for (const char* text : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0",
                           "fd00::/129", "10.0.0.0 /8", "example.org"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Nameservers, AreReadFromLinesOfThatKind) {
  const auto servers = nameservers(
      "# made by hand\nsearch a.b\nnameserver 10.96.0.10\nnameserver\tfd00::a  \nnameserver "
      "fe80::1%eth0\n"
      "nameserver\nnameservers 1.1.1.1\nnameserver nowhere\nnameserver 10.0.0.0/8\n;nameserver "
      "2.2.2.2\noptions ndots:5");
  ASSERT_EQ(servers.size(), 3u);
  EXPECT_EQ(servers[0].address.to_string(), "10.96.0.10");
  EXPECT_EQ(servers[1].address.to_string(), "fd00::a");
  EXPECT_EQ(servers[2].address.to_string(), "fe80::1");
  EXPECT_EQ(servers[2].zone, "eth0");
  EXPECT_EQ(servers[0].zone, "");
}

TEST(PodEnvironment, TheAddressThatThePodIsGivenDecidesItsFamily) {
  EXPECT_TRUE(is_ipv6_wanted(false, "fd00::7")) << "also beside an IPv4 address that the kernel lists first";
  EXPECT_FALSE(is_ipv6_wanted(false, "10.0.0.7"));
  for (const char* none : {"", "$(INSTANCE_IP)", "fd00::/8"})
    EXPECT_EQ(is_ipv6_wanted(false, none), is_ipv6_wanted(false, "")) << none;
}

TEST(Flags, BecomeARedirection) {
  const auto made = to_redirection({.users = "1337,1338",
                                    .outbound_ranges = "10.0.0.0/8, fd00::/8,",
                                    .inbound_ports = "*",
                                    .excluded_inbound_ports = "15090,15021",
                                    .virtual_interfaces = "vm0"});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ(made->sidecar_groups, (std::vector<std::uint32_t>{1337, 1338}));
  EXPECT_EQ(made->outbound_ranges.size(), 2u);
  EXPECT_FALSE(made->all_outbound);
  EXPECT_TRUE(made->all_inbound);
  EXPECT_EQ(made->excluded_inbound_ports, (std::vector<std::uint16_t>{15090, 15021}));
  EXPECT_EQ(made->sidecar_mark, 0u);
}

std::string complaint(const Flags& flags) {
  const auto made = to_redirection(flags);
  return made ? "none" : made.error().text;
}

TEST(Flags, NameThemselvesTheirValueAndWhatIsRight) {
  EXPECT_EQ(complaint({.outbound_port = "65536"}),
            "-p/--envoy-port: '65536': a port from 1 to 65535 is needed");
  EXPECT_EQ(complaint({.inbound_port = ""}),
            "-z/--inbound-capture-port: '': a port from 1 to 65535 is needed");
  EXPECT_EQ(complaint({.users = "istio-proxy"}),
            "-u/--proxy-uid: 'istio-proxy': a numeric id from 0 to 4294967294 is needed");
  EXPECT_EQ(complaint({.mode = "TPROXY"}),
            "-m/--istio-inbound-interception-mode: 'TPROXY': not supported; REDIRECT is the mode there is");
  EXPECT_EQ(complaint({.outbound_ranges = "10.0.0.0/8,10.0.0.0/x"}),
            "-i/--istio-service-cidr: '10.0.0.0/x': a range like 10.0.0.0/8 or fd00::/8 is needed");
  EXPECT_EQ(complaint({.outbound_ranges = "*,10.0.0.0/8"}),
            "-i/--istio-service-cidr: '*': a range like 10.0.0.0/8 or fd00::/8 is needed");
  EXPECT_EQ(
      complaint({.excluded_outbound_ranges = "*"}),
      "-x/--istio-service-exclude-cidr: '*': everything cannot be excluded; -i '' captures nothing outbound");
  EXPECT_EQ(complaint({.excluded_inbound_ports = "*"}),
            "-d/--istio-local-exclude-ports: '*': here ports are listed one by one, for example 80,443");
  EXPECT_EQ(
      complaint({.excluded_interfaces = "eth+"}),
      "-c/--istio-exclude-interfaces: 'eth+': the name of one interface is needed, at most 15 characters, "
      "for example eth0");
  EXPECT_EQ(complaint({.loopback_range = "10.0.0.0/8"}),
            "ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: '10.0.0.0/8': a range inside 127.0.0.0/8 is needed");
  std::string many;
  for (int i = 0; i < 1025; ++i) many += "80,";
  EXPECT_NE(complaint({.outbound_ports = many}).find("at most 1024 entries"), std::string::npos);
}

}  // namespace
}  // namespace weft::capture
