#include "proxy/listener/compiled_listener.h"

#include <gtest/gtest.h>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

/// Of "10.0.0.0/8", for a length that is left out all bits.
FilterChainMatch::Prefix prefix(const std::string& text) {
  const auto slash = text.find('/');
  const net::Address address = *net::Address::parse_ip(text.substr(0, slash), 0);
  const std::uint32_t all = address.is_v4() ? 32 : 128;
  return {address, slash == text.npos ? all : static_cast<std::uint32_t>(std::stoul(text.substr(slash + 1)))};
}

/// What a chain matches: all that is not said.
struct Match {
  std::uint16_t port = 0;
  std::vector<std::string> prefixes = {};
  std::string transport = {};
  std::vector<std::string> protocols = {};
  std::vector<std::string> server_names = {};
};

FilterChain chain(std::string name, const Match& match, bool http = false) {
  FilterChain made;
  made.name = std::move(name);
  if (match.port) made.match.destination_port = match.port;
  for (const std::string& each : match.prefixes) made.match.destination_prefixes.push_back(prefix(each));
  made.match.transport_protocol = match.transport;
  made.match.application_protocols = match.protocols;
  made.match.server_names = match.server_names;
  if (http)
    made.filter = HttpConfig{};
  else
    made.filter = TcpProxyConfig{};
  return made;
}

std::shared_ptr<ListenerConfig> listener_of(std::vector<FilterChain> chains) {
  auto config = std::make_shared<ListenerConfig>();
  config->name = "l";
  config->chains = std::move(chains);
  return config;
}

std::shared_ptr<const CompiledListener> compiled(std::shared_ptr<const ListenerConfig> config) {
  auto made = CompiledListener::compile(std::move(config));
  EXPECT_TRUE(made) << made.error().text;
  return *made;
}

std::string name_of(const CompiledChain* chain) { return chain ? chain->config->name : "none"; }

/// The chain's name for a connection to "10.0.0.1:80".
std::string chosen(const std::vector<FilterChain>& chains, std::string_view destination,
                   std::string_view transport = "raw_buffer", std::string_view protocol = "") {
  const auto listener = compiled(listener_of(chains));
  return name_of(choose_chain(*listener, {.destination = *net::Address::parse_ip_port(destination),
                                          .transport_protocol = transport,
                                          .application_protocol = protocol}));
}

TEST(ChainChoice, what_the_chains_of_a_port_do_not_take_passes_by_no_chain_of_all_ports) {
  const std::vector<FilterChain> chains = {chain("any", {}),
                                           chain("tls only", {.port = 80, .transport = "tls"})};
  EXPECT_EQ(chosen(chains, "10.0.0.1:80", "tls"), "tls only");
  EXPECT_EQ(chosen(chains, "10.0.0.1:80", "raw_buffer"), "none");
  EXPECT_EQ(chosen(chains, "10.0.0.1:81", "raw_buffer"), "any");
}

TEST(ChainChoice, the_port_decides_first_then_the_longest_prefix) {
  const std::vector<FilterChain> all = {
      chain("any", {}),
      chain("net8", {.prefixes = {"10.0.0.0/8"}}),
      chain("net16 or v6", {.prefixes = {"10.1.0.0/16", "fd00::/7"}}),
      chain("host", {.prefixes = {"10.1.2.3"}}),
      chain("v6 host", {.prefixes = {"fd00::1"}}),
      chain("all v4", {.prefixes = {"0.0.0.0/0"}}),
      chain("port", {.port = 80}),
      chain("port and net8", {.port = 80, .prefixes = {"10.0.0.0/8"}}),
  };
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"192.0.2.1:9", "all v4"},      {"10.9.9.9:9", "net8"},           {"11.0.0.0:9", "all v4"},
      {"10.1.9.9:9", "net16 or v6"},  {"10.1.2.3:9", "host"},           {"[fd00::1]:9", "v6 host"},
      {"[fdff::2]:9", "net16 or v6"}, {"[fcff::2]:9", "net16 or v6"},   {"[fe00::2]:9", "any"},
      {"192.0.2.1:80", "port"},       {"10.1.2.3:80", "port and net8"},
  };
  for (const auto& [destination, want] : kRows) {
    EXPECT_EQ(chosen(all, destination), want) << destination;
    EXPECT_EQ(chosen({all.rbegin(), all.rend()}, destination), want) << "in whatever order they stand";
  }
}

TEST(ChainChoice, a_prefix_ends_at_any_bit) {
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"10.0.0.127:9", "in"}, {"10.0.0.128:9", "none"}, {"10.0.1.0:9", "none"}, {"10.0.0.0:9", "in"}};
  for (const auto& [destination, want] : kRows)
    EXPECT_EQ(chosen({chain("in", {.prefixes = {"10.0.0.64/25"}})}, destination), want) << destination;
}

TEST(ChainChoice, what_the_first_bytes_say_decides_last) {
  const std::vector<FilterChain> all = {
      chain("tcp", {.port = 80}),
      chain("raw", {.port = 80, .transport = "raw_buffer"}),
      chain("tls", {.port = 80, .transport = "tls"}),
      chain("http", {.port = 80, .transport = "raw_buffer", .protocols = {"http/1.0", "http/1.1"}}),
      chain("h2 in tls", {.port = 80, .transport = "tls", .protocols = {"h2"}}),
  };
  const struct {
    std::string_view transport, protocol, want;
  } rows[] = {{"raw_buffer", "", "raw"},
              {"raw_buffer", "http/1.0", "http"},
              {"raw_buffer", "http/1.1", "http"},
              {"raw_buffer", "h2c", "raw"},
              {"tls", "", "tls"},
              {"tls", "h2", "h2 in tls"},
              {"other", "", "tcp"}};
  for (const auto& [transport, protocol, want] : rows)
    EXPECT_EQ(chosen(all, "10.0.0.1:80", transport, protocol), want) << transport << " " << protocol;
}

TEST(ChainChoice, of_two_that_match_the_same_the_first_is_taken_and_none_asks_for_a_server_s_name) {
  EXPECT_EQ(chosen({chain("a", {.port = 80}), chain("b", {.port = 80})}, "10.0.0.1:80"), "a");
  EXPECT_EQ(chosen({chain("named", {.server_names = {"a.example"}}), chain("any", {})}, "10.0.0.1:80"),
            "any");
}

TEST(ChainChoice, the_default_chain_takes_what_no_other_does) {
  auto config = listener_of({chain("port", {.port = 80})});
  config->default_chain = chain("default", {.port = 1});
  const auto listener = compiled(config);
  const auto at = [&](const char* destination) {
    return name_of(choose_chain(*listener, {*net::Address::parse_ip_port(destination), "raw_buffer", ""}));
  };
  EXPECT_EQ(at("10.0.0.1:80"), "port");
  EXPECT_EQ(at("10.0.0.1:81"), "default") << "whatever it matches";
  EXPECT_EQ(chosen({chain("port", {.port = 80})}, "10.0.0.1:81"), "none");
}

TEST(ChainChoice, only_what_decides_at_a_destination_is_looked_for_in_the_first_bytes) {
  auto config = listener_of({
      chain("h", {.port = 1, .protocols = {"http/1.1"}}),
      chain("t", {.port = 2, .transport = "tls"}),
      chain("h of 3", {.port = 3, .protocols = {"http/1.1"}}),
      chain("t of 3", {.port = 3, .transport = "tls"}),
      chain("tcp", {.port = 4}),
      chain("net of 5", {.port = 5, .prefixes = {"10.0.0.0/8"}}),
      chain("h of 5", {.port = 5, .protocols = {"http/1.1"}}),
      chain("h of all", {.protocols = {"http/1.1"}}),
  });
  config->sniff_http = config->sniff_tls = true;
  const struct {
    const char* destination;
    bool http, tls;
  } rows[] = {{"10.0.0.1:1", true, false},  {"10.0.0.1:2", false, true},  {"10.0.0.1:3", true, true},
              {"10.0.0.1:4", false, false}, {"10.0.0.1:5", false, false}, {"11.0.0.1:5", true, false},
              {"10.0.0.1:6", true, false}};
  for (const auto& row : rows) {
    const net::Address destination = *net::Address::parse_ip_port(row.destination);
    const auto look = [&](bool http, bool tls, std::vector<PortRange> off) {
      auto changed = std::make_shared<ListenerConfig>(*config);
      changed->sniff_http = http;
      changed->sniff_tls = tls;
      changed->sniff_http_off = changed->sniff_tls_off = std::move(off);
      const Sniffing wanted = sniffing_for(*compiled(changed), destination);
      EXPECT_EQ(wanted.any(), wanted.http || wanted.tls);
      return std::pair(wanted.http, wanted.tls);
    };
    EXPECT_EQ(look(true, true, {}), std::pair(row.http, row.tls)) << row.destination;
    EXPECT_EQ(look(true, false, {}), std::pair(row.http, false)) << row.destination;
    EXPECT_EQ(look(false, true, {}), std::pair(false, row.tls)) << row.destination;
    EXPECT_EQ(look(true, true, {{1, 6}}), std::pair(false, false)) << row.destination;
    EXPECT_EQ(look(true, true, {{0, 0}, {7, 65535}}), std::pair(row.http, row.tls)) << row.destination;
  }
}

TEST(CompiledListener, a_chain_s_successor_has_its_name_or_without_one_its_match_and_its_protocol) {
  const auto successor = [](FilterChain before, std::vector<FilterChain> now) {
    const auto old = compiled(listener_of({std::move(before)})), next = compiled(listener_of(std::move(now)));
    const CompiledChain* found = next->successor_of(*old, old->chains[0]);
    return found ? static_cast<int>(found - next->chains.data()) : -1;
  };
  const Match a{.port = 1}, b{.port = 2};
  EXPECT_EQ(successor(chain("n", a), {chain("m", a), chain("n", b)}), 1);
  EXPECT_EQ(successor(chain("n", a), {chain("m", a), chain("", a)}), -1);
  EXPECT_EQ(successor(chain("", a), {chain("m", b), chain("m", a)}), 1);
  EXPECT_EQ(successor(chain("n", a), {chain("n", a, true)}), -1) << "of another protocol";
  const Match whole{.port = 1, .prefixes = {"10.0.0.0/8"}, .transport = "tls", .protocols = {"h2"}};
  EXPECT_EQ(successor(chain("", whole), {chain("", whole)}), 0);
  for (void (*change)(Match&) :
       {+[](Match& m) { m.port = 0; }, +[](Match& m) { m.prefixes = {"10.0.0.0/9"}; },
        +[](Match& m) { m.prefixes = {"11.0.0.0/8"}; }, +[](Match& m) { m.transport = ""; },
        +[](Match& m) { m.protocols = {}; }, +[](Match& m) { m.server_names = {"a"}; }}) {
    Match other = whole;
    change(other);
    EXPECT_EQ(successor(chain("", whole), {chain("", other)}), -1);
  }
}

TEST(CompiledListener, the_default_chain_s_successor_is_the_default_chain_unless_it_has_a_name) {
  const auto with_default = [](std::vector<FilterChain> chains, const std::string& name) {
    auto config = listener_of(std::move(chains));
    config->default_chain = chain(name, {});
    return compiled(config);
  };
  const auto old = with_default({chain("", {.port = 1})}, ""), next = with_default({chain("", {})}, "");
  EXPECT_EQ(next->successor_of(*old, *old->default_chain), &*next->default_chain);
  EXPECT_EQ(next->successor_of(*old, old->chains[0]), nullptr);
  const auto named = with_default({chain("d", {.port = 1})}, "d"), moved = with_default({}, "d");
  EXPECT_EQ(named->successor_of(*named, *named->default_chain), &named->chains[0]) << "by its name";
  EXPECT_EQ(moved->successor_of(*named, *named->default_chain), &*moved->default_chain);
}

TEST(CompiledListener, what_cannot_be_compiled_is_told_with_the_listener_s_name) {
  const std::vector<AccessLogConfig> bad = {{.path = "/dev/null", .format = "%NO%", .only_with_flags = {}}};
  FilterChain in_tcp = chain("", {}), in_http = chain("", {}, true);
  std::get<TcpProxyConfig>(in_tcp.filter).access_logs = bad;
  std::get<HttpConfig>(in_http.filter).access_logs = bad;
  auto of_default = listener_of({}), of_listener = listener_of({});
  of_default->default_chain = in_tcp;
  of_listener->access_logs = bad;
  for (const auto& config : {listener_of({in_tcp}), listener_of({in_http}), of_default, of_listener})
    EXPECT_EQ(CompiledListener::compile(config).error().text, "listener 'l': unknown operator '%NO%'");
}

}  // namespace
}  // namespace weft::proxy
