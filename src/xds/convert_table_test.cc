#include "xds/convert_table.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "proxy/routing/routing_table.h"
#include "xds/convert.h"
#include "xds/testing/messages.h"
#include "xds/testing/shown.h"

namespace weft::xds {
namespace {

using testing::parsed;
using testing::shown;

route::VirtualHost host(const std::string& name, const std::string& cluster) {
  return parsed<route::VirtualHost>("name: '" + name + "' domains: '" + name +
                                    "' routes { match { prefix: '/' } route { cluster: '" + cluster +
                                    "' } }");
}

route::RouteConfiguration table_of(const std::vector<route::VirtualHost>& hosts) {
  route::RouteConfiguration table;
  table.set_name("t");
  for (const auto& each : hosts) *table.add_virtual_hosts() = each;
  return table;
}

ResourcePtr decoded(const route::RouteConfiguration& table, const Resource* before = nullptr) {
  auto made = decode(Type::kRoute, table.SerializeAsString(), before);
  EXPECT_TRUE(made) << made.error().text;
  return made ? *made : nullptr;
}

const proxy::VirtualHosts& hosts_of(const ResourcePtr& resource) {
  return resource->as<proxy::RouteTable>()->hosts;
}

std::shared_ptr<const proxy::RoutingTable> compiled(const ResourcePtr& resource,
                                                    const proxy::RoutingTable* before = nullptr) {
  auto made = proxy::RoutingTable::compile(resource->as<proxy::RouteTable>(), before);
  EXPECT_TRUE(made) << made.error().text;
  return *made;
}

const proxy::RoutingTable::CompiledHost* found(const proxy::RoutingTable& table,
                                               const std::string& authority) {
  http::RequestHead request;
  request.authority = authority;
  request.path = "/";
  Random random(1);
  return table.find(request, random).host;
}

TEST(DecodeTable, a_changed_host_is_the_only_one_that_is_converted_and_compiled) {
  const auto first = decoded(table_of({host("a", "1"), host("b", "1"), host("c", "1")}));
  const auto second = decoded(table_of({host("a", "1"), host("b", "2"), host("c", "1")}), first.get());
  for (const std::size_t same : {0, 2})
    EXPECT_EQ(hosts_of(second).shared()[same], hosts_of(first).shared()[same]);
  EXPECT_NE(hosts_of(second).shared()[1], hosts_of(first).shared()[1]);
  const auto before = compiled(first), after = compiled(second, before.get());
  EXPECT_EQ(found(*after, "a"), found(*before, "a"));
  EXPECT_NE(found(*after, "b"), found(*before, "b"));
  EXPECT_EQ(found(*after, "c"), found(*before, "c"));
}

TEST(DecodeTable, equal_retry_policies_of_all_hosts_are_one_object) {
  const auto with_retries = [](const std::string& name, std::uint32_t retries) {
    route::VirtualHost made = host(name, "1");
    auto& policy = *made.mutable_routes(0)->mutable_route()->mutable_retry_policy();
    policy.set_retry_on("5xx");
    policy.mutable_num_retries()->set_value(retries);
    return made;
  };
  const auto table = decoded(table_of({with_retries("a", 2), with_retries("b", 3), with_retries("c", 2)}));
  const auto policy_of = [&](std::size_t host) {
    return std::get<proxy::ForwardAction>(hosts_of(table)[host].routes[0].action).retry;
  };
  EXPECT_EQ(policy_of(0), policy_of(2));
  EXPECT_EQ(policy_of(0)->retries, 2u);
  EXPECT_EQ(policy_of(1)->retries, 3u);
}

TEST(DecodeTable, hosts_that_move_are_found_again) {
  const auto first = decoded(table_of({host("a", "1"), host("b", "1"), host("c", "1")}));
  const auto second = decoded(table_of({host("c", "1"), host("new", "1"), host("a", "1")}), first.get());
  EXPECT_EQ(hosts_of(second).shared()[0], hosts_of(first).shared()[2]);
  EXPECT_EQ(hosts_of(second).shared()[2], hosts_of(first).shared()[0]);
  const auto before = compiled(first), after = compiled(second, before.get());
  EXPECT_EQ(found(*after, "a"), found(*before, "a"));
  EXPECT_EQ(found(*after, "c"), found(*before, "c"));
  EXPECT_EQ(found(*after, "b"), nullptr);
}

TEST(DecodeTable, hosts_are_converted_again_when_what_they_share_has_changed) {
  auto table =
      table_of({parsed<route::VirtualHost>("domains: '*' routes { match { prefix: '/' } direct_response { "
                                           "status: 200 body { inline_string: 'xx' } } }")});
  const auto first = decoded(table);
  EXPECT_TRUE(first->rejected.empty());
  table.mutable_max_direct_response_body_size_bytes()->set_value(1);
  const auto second = decoded(table, first.get());
  ASSERT_EQ(second->rejected.size(), 1u);
  EXPECT_EQ(second->rejected, decoded(table)->rejected);
}

TEST(DecodeTable, what_is_noted_of_a_host_has_its_place_also_after_it_has_moved) {
  auto bad = host("bad", "1");
  bad.mutable_routes(0)->mutable_route()->mutable_cluster()->clear();
  const auto first = decoded(table_of({bad, host("a", "1")}));
  ASSERT_EQ(first->rejected.size(), 1u);
  const auto second = decoded(table_of({host("a", "1"), bad}), first.get());
  EXPECT_EQ(second->rejected, std::vector<std::string>{"virtual_hosts[1].routes[0].route.cluster: is empty"});
  const auto third = decoded(table_of({host("b", "1"), bad}), second.get());
  EXPECT_EQ(third->rejected, second->rejected) << "it stands where it stood";
}

TEST(DecodeTable, a_domain_is_of_the_first_host_that_names_it_whichever_has_changed) {
  auto both = host("b", "1");
  both.add_domains("A");
  const auto first = decoded(table_of({host("x", "1"), both}));
  EXPECT_EQ(hosts_of(first)[1].domains, (std::vector<std::string>{"b", "A"}));
  const auto second = decoded(table_of({host("a", "1"), both}), first.get());
  EXPECT_EQ(hosts_of(second)[1].domains, std::vector<std::string>{"b"});
  EXPECT_EQ(
      second->rejected,
      std::vector<std::string>{"virtual_hosts[1].domains[1]: 'A' is there twice in one route configuration"});
  const auto third = decoded(table_of({host("x", "1"), both}), second.get());
  EXPECT_EQ(hosts_of(third)[1].domains, (std::vector<std::string>{"b", "A"}));
  EXPECT_TRUE(third->rejected.empty());
}

TEST(DecodeTable, errors_of_a_host_are_those_of_the_whole) {
  const auto error_of = [](const std::string& bytes, const Resource* before) {
    const auto made = decode(Type::kRoute, bytes, before);
    return made ? "none" : made.error().text;
  };
  const auto before = decoded(table_of({host("a", "1")}));
  const std::string name("\x0a\x01t", 3);
  EXPECT_EQ(error_of(name + std::string("\x12\x01\xff", 3), before.get()),
            "the bytes are no envoy.config.route.v3.RouteConfiguration");
  auto guarded = host("a", "1");
  testing::add_unknown(*guarded.mutable_retry_policy()->add_retriable_headers(), 900);
  const std::string bytes = table_of({host("a", "1"), guarded}).SerializeAsString();
  EXPECT_EQ(error_of(bytes, before.get()), error_of(bytes, nullptr));
  EXPECT_TRUE(error_of(bytes, nullptr).starts_with("virtual_hosts[1].retry_policy.retriable_headers[0]"))
      << error_of(bytes, nullptr);
}

/// A table whose hosts, domains and routes come, go, move and change, also for the worse.
class AnyTable {
 public:
  explicit AnyTable(Random& random) : random_(random) {}

  void change() {
    const std::size_t at = hosts_.empty() ? 0 : random_.below(hosts_.size());
    switch (random_.below(8)) {
      case 0: hosts_.insert(hosts_.begin() + static_cast<std::ptrdiff_t>(at), any_host()); break;
      case 1:
        if (!hosts_.empty()) hosts_.erase(hosts_.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 2:
        if (!hosts_.empty()) std::swap(hosts_[at], hosts_.front());
        break;
      case 3: ignore_port_ = !ignore_port_; break;
      case 4: max_body_ = random_.below(3); break;
      default:
        if (hosts_.empty()) break;
        hosts_[at].clear_routes();
        add_routes(hosts_[at]);
    }
  }
  route::RouteConfiguration message() const {
    route::RouteConfiguration table = table_of(hosts_);
    table.set_ignore_port_in_host_matching(ignore_port_);
    table.mutable_max_direct_response_body_size_bytes()->set_value(static_cast<std::uint32_t>(max_body_));
    return table;
  }
  std::string any_domain() {
    constexpr const char* kDomains[] = {"a",   "A", "b.c",  "b.c.", "*.c", "*.d.c",
                                        "e.*", "*", "f:80", "g",    "h",   "i"};
    return kDomains[random_.below(std::size(kDomains))];
  }

 private:
  route::VirtualHost any_host() {
    route::VirtualHost made;
    made.set_name("h" + std::to_string(random_.below(20)));
    for (std::uint64_t i = random_.below(4); i > 0; --i) made.add_domains(any_domain());
    add_routes(made);
    if (random_.below(6) == 0) testing::add_unknown(made, 900);
    return made;
  }
  void add_routes(route::VirtualHost& host) {
    for (std::uint64_t i = random_.below(4); i > 0; --i) {
      auto& made = *host.add_routes();
      made.set_name("r" + std::to_string(random_.below(1000)));
      made.mutable_match()->set_prefix(random_.below(2) ? "/" : "/p");
      if (random_.below(4) == 0)
        made.mutable_direct_response()->set_status(200);
      else
        made.mutable_route()->set_cluster(random_.below(5) ? "c" : "");
      if (made.has_direct_response()) made.mutable_direct_response()->mutable_body()->set_inline_string("x");
    }
  }

  Random& random_;
  std::vector<route::VirtualHost> hosts_;
  bool ignore_port_ = false;
  std::uint64_t max_body_ = 2;
};

std::string decision(const proxy::RoutingTable& table, const std::string& authority,
                     const std::string& path) {
  http::RequestHead request;
  request.authority = authority;
  request.path = path;
  Random random(1);
  const auto found = table.find(request, random);
  if (!found.host) return "no host";
  return std::string(found.host->config->name) + " " +
         (found.route ? shown(*found.route->config) : "no route");
}

TEST(DecodeTable, is_after_any_changes_what_it_would_be_at_once) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Random random(seed);
    AnyTable any(random);
    ResourcePtr table;
    std::shared_ptr<const proxy::RoutingTable> routing;
    for (int step = 0; step < 25; ++step) {
      for (std::uint64_t i = random.below(4); i > 0; --i) any.change();
      table = decoded(any.message(), table.get());
      routing = compiled(table, routing.get());
      const ResourcePtr fresh = decoded(any.message());
      const auto fresh_routing = compiled(fresh);
      ASSERT_EQ(shown(*table->as<proxy::RouteTable>()), shown(*fresh->as<proxy::RouteTable>())) << seed;
      ASSERT_EQ(table->rejected, fresh->rejected) << seed;
      ASSERT_EQ(table->left_out, fresh->left_out) << seed;
      for (const char* authority :
           {"a", "b.c", "x.c", "x.d.c", "e.f", "f:80", "g", "g:81", "h.", "i", "other"})
        for (const char* path : {"/", "/p", "/q"})
          ASSERT_EQ(decision(*routing, authority, path), decision(*fresh_routing, authority, path)) << seed;
    }
  }
}

}  // namespace
}  // namespace weft::xds
