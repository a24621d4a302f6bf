#include "proxy/routing/domain_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace weft::proxy {
namespace {

VirtualHosts hosts_of(const std::vector<std::string>& domains) {
  VirtualHosts made;
  for (const std::string& domain : domains) {
    VirtualHost host;
    host.domains = {domain};
    made.push_back(std::move(host));
  }
  return made;
}

/// Each domain is of the host with its number.
struct Indexed {
  Indexed(std::initializer_list<std::string> names) : Indexed(std::vector(names)) {}
  explicit Indexed(const std::vector<std::string>& names) : hosts(hosts_of(names)), index(hosts) {}
  std::optional<std::uint32_t> find(std::string_view authority, bool ignore_port) const {
    return index.find(authority, ignore_port, hosts);
  }
  VirtualHosts hosts;
  DomainIndex index;
};

TEST(DomainIndex, the_exact_name_wins_then_the_longest_suffix_then_the_longest_prefix_then_any) {
  const std::vector<std::string> domains = {
      "*", "a.*", "a.b.*", "*.example", "*.shop.example", "x.shop.example", "x.shop.example:8080"};
  const Indexed index(domains);
  struct Row {
    const char *authority, *domain;
  };
  for (const Row& row : {
           Row{"x.shop.example", "x.shop.example"},
           Row{"X.Shop.Example", "x.shop.example"},
           Row{"x.shop.example.", "x.shop.example"},
           Row{"x.shop.example:8080", "x.shop.example:8080"},
           Row{"x.shop.example:9090", "*"},
           Row{"y.shop.example", "*.shop.example"},
           Row{"y.z.shop.example", "*.shop.example"},
           Row{"shop.example", "*.example"},
           Row{".example", "*"},
           Row{"a.b.example", "*.example"},
           Row{"a.b.c", "a.b.*"},
           Row{"a.c", "a.*"},
           Row{"a.", "*"},
           Row{"", "*"},
           Row{"[::1]:80", "*"},
       })
    EXPECT_EQ(domains.at(index.find(row.authority, false).value()), row.domain) << row.authority;
}

TEST(DomainIndex, without_a_name_that_fits_there_is_no_host) {
  const Indexed index{"a.example", "*.b.example"};
  for (const char* none : {"", "b.example", "a.example.org", "xa.example", "a.example:80"})
    EXPECT_EQ(index.find(none, false), std::nullopt) << none;
}

TEST(DomainIndex, a_port_is_left_out_of_account_where_that_is_wished) {
  const Indexed index{"a.example", "[::1]"};
  EXPECT_EQ(index.find("a.example:80", true), 0u);
  EXPECT_EQ(index.find("a.example.:80", true), 0u);
  EXPECT_EQ(index.find("[::1]:80", true), 1u);
  EXPECT_EQ(index.find("[::1]", true), 1u);
}

TEST(DomainIndex, the_first_host_that_names_a_domain_keeps_it) {
  const Indexed index{"a.example", "A.EXAMPLE", "*.x", "*.x", "*", "*", "a.example."};
  EXPECT_EQ(index.find("a.example", false), 0u);
  EXPECT_EQ(index.find("y.x", false), 2u);
  EXPECT_EQ(index.find("other", false), 4u);
}

TEST(DomainIndex, asks_other_hosts_with_the_same_domains_in_the_same_places) {
  auto filled = std::make_unique<Indexed>(std::vector<std::string>{"a.example", "*.b.example"});
  const DomainIndex index = std::move(filled->index);
  filled.reset();
  const VirtualHosts others = hosts_of({"a.example", "*.b.example"});
  EXPECT_EQ(index.find("a.example", false, others), 0u);
  EXPECT_EQ(index.find("x.b.example", false, others), 1u);
  EXPECT_EQ(index.find("c.example", false, others), std::nullopt);
}

}  // namespace
}  // namespace weft::proxy
