#include "xds/resource.h"

#include <gtest/gtest.h>

#include <random>

#include "proxy/routing/routing_table.h"
#include "xds/config_dump.h"
#include "xds/convert.h"
#include "xds/proto/http_fault.pb.h"
#include "xds/proto/route.pb.h"

namespace weft::xds {
namespace {

using proxy::DirectAction;
using proxy::ForwardAction;

route::Route route_to(const std::string& prefix) {
  route::Route made;
  made.set_name(prefix);
  made.mutable_match()->set_prefix(prefix);
  made.mutable_route()->set_cluster("c");
  return made;
}

route::RouteConfiguration table_of(std::initializer_list<route::Route> routes) {
  route::RouteConfiguration table;
  table.set_name("table");
  auto& host = *table.add_virtual_hosts();
  host.set_name("host");
  host.add_domains("*");
  for (const route::Route& each : routes) *host.add_routes() = each;
  return table;
}

std::shared_ptr<Resource> decoded(const route::RouteConfiguration& table) {
  auto made = decode(Type::kRoute, table.SerializeAsString());
  EXPECT_TRUE(made) << made.error().text;
  return made ? *made : nullptr;
}

/// Of the only host, the route at `index`.
const proxy::Route& at(const Resource& resource, std::size_t index) {
  return resource.as<proxy::RouteTable>()->hosts.at(0).routes.at(index);
}

int status_of(const proxy::Route& made) {
  const auto* direct = std::get_if<DirectAction>(&made.action);
  return direct ? direct->status : 0;
}

TEST(RouteTable,
     a_route_with_an_abort_that_a_header_decides_answers_500_and_the_others_of_its_table_are_in_force) {
  route::Route aborting = route_to("/abort");
  envoy::extensions::filters::http::fault::v3::HTTPFault fault;
  fault.mutable_abort()->GetReflection()->MutableUnknownFields(fault.mutable_abort())->AddLengthDelimited(4);
  (*aborting.mutable_typed_per_filter_config())["envoy.filters.http.fault"].PackFrom(fault);
  const auto resource = decoded(table_of({aborting, route_to("/")}));
  ASSERT_TRUE(resource);
  EXPECT_EQ(status_of(at(*resource, 0)), 500);
  EXPECT_EQ(at(*resource, 0).match.path.text, "/abort");
  EXPECT_TRUE(std::holds_alternative<ForwardAction>(at(*resource, 1).action));
  ASSERT_EQ(resource->rejected.size(), 1u);
  EXPECT_NE(resource->rejected[0].find("virtual_hosts[0].routes[0]"), std::string::npos);
}

TEST(RouteTable, a_route_whose_headers_cannot_be_read_closes_its_path_and_one_without_a_path_closes_all) {
  route::Route bad_header = route_to("/a");
  auto& header = *bad_header.mutable_match()->add_headers();
  header.set_name("x");
  header.mutable_string_match()->mutable_safe_regex()->set_regex("(");
  route::Route bad_path = route_to("/b");
  bad_path.mutable_match()->mutable_safe_regex()->set_regex("(");
  const auto resource = decoded(table_of({bad_header, bad_path}));
  ASSERT_TRUE(resource);
  EXPECT_EQ(status_of(at(*resource, 0)), 500);
  EXPECT_EQ(at(*resource, 0).match.path.text, "/a");
  EXPECT_TRUE(at(*resource, 0).match.headers.empty());
  EXPECT_EQ(status_of(at(*resource, 1)), 500);
  EXPECT_EQ(at(*resource, 1).match.path.text, "/");
}

TEST(RouteTable, a_match_with_a_condition_that_is_not_known_is_closed_by_itself) {
  route::Route narrow = route_to("/a");
  narrow.mutable_match()->GetReflection()->MutableUnknownFields(narrow.mutable_match())->AddVarint(13, 1);
  const auto resource = decoded(table_of({narrow, route_to("/")}));
  ASSERT_TRUE(resource);
  EXPECT_EQ(status_of(at(*resource, 0)), 500);
  EXPECT_NE(resource->rejected.at(0).find("dynamic_metadata"), std::string::npos) << resource->rejected[0];
}

TEST(RouteTable, a_fault_for_some_requests_only_closes_its_route_and_is_not_done_to_all) {
  route::Route some = route_to("/some");
  envoy::extensions::filters::http::fault::v3::HTTPFault fault;
  fault.mutable_abort()->set_http_status(503);
  fault.mutable_abort()->mutable_percentage()->set_numerator(100);
  fault.GetReflection()->MutableUnknownFields(&fault)->AddLengthDelimited(4, "\n\1x");
  (*some.mutable_typed_per_filter_config())["envoy.filters.http.fault"].PackFrom(fault);
  const auto resource = decoded(table_of({some, route_to("/")}));
  ASSERT_TRUE(resource);
  EXPECT_EQ(status_of(at(*resource, 0)), 500);
  EXPECT_TRUE(at(*resource, 0).filters.empty());
  ASSERT_EQ(resource->rejected.size(), 1u);
  EXPECT_NE(resource->rejected[0].find("headers: is not supported"), std::string::npos)
      << resource->rejected[0];
}

TEST(RouteTable, fields_that_only_the_mesh_may_send_are_not_let_through_in_silence) {
  route::RouteConfiguration table = table_of({route_to("/")});
  table.GetReflection()->MutableUnknownFields(&table)->AddLengthDelimited(3, "x-internal");
  const auto made = decode(Type::kRoute, table.SerializeAsString());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().text.find("internal_only_headers: is not supported"), 0u) << made.error().text;
}

TEST(RouteTable, texts_that_would_break_a_message_are_errors_that_name_their_field) {
  using Break = void (*)(route::Route&);
  struct Row {
    const char* name;
    Break make;
    const char* field;
  };
  const Row rows[] = {
      {"a line end in a header",
       [](route::Route& r) {
         auto& header = *r.add_request_headers_to_add()->mutable_header();
         header.set_key("x"), header.set_value("a\r\nb: c");
       },
       "request_headers_to_add[0].header.value"},
      {"a lone % in a header",
       [](route::Route& r) {
         auto& header = *r.add_response_headers_to_add()->mutable_header();
         header.set_key("x"), header.set_value("100%");
       },
       "response_headers_to_add[0].header.value"},
      {"an operator that is not known",
       [](route::Route& r) {
         auto& header = *r.add_request_headers_to_add()->mutable_header();
         header.set_key("x"), header.set_value("%NOSUCH%");
       },
       "request_headers_to_add[0].header.value"},
      {"a framing of its own in a request",
       [](route::Route& r) {
         auto& header = *r.add_request_headers_to_add()->mutable_header();
         header.set_key("Transfer-Encoding"), header.set_value("chunked");
       },
       "request_headers_to_add[0]"},
      {"a length of its own in a response",
       [](route::Route& r) {
         auto& header = *r.add_response_headers_to_add()->mutable_header();
         header.set_key("content-length"), header.set_value("0");
       },
       "response_headers_to_add[0]"},
      {"the end of an upgrade", [](route::Route& r) { r.add_request_headers_to_remove("Upgrade"); },
       "request_headers_to_remove[0]"},
      {"a match of what no rule sees",
       [](route::Route& r) { r.mutable_match()->add_headers()->set_name("Connection"); },
       "match.headers[0].name"},
      {"a time that no clock can show",
       [](route::Route& r) { r.mutable_route()->mutable_timeout()->set_seconds(3'155'760'001); },
       "route.timeout"},
      {"a space in a rewrite", [](route::Route& r) { r.mutable_route()->set_prefix_rewrite("/a b"); },
       "route.prefix_rewrite"},
      {"a line end in a host", [](route::Route& r) { r.mutable_route()->set_host_rewrite_literal("a\nb"); },
       "route.host_rewrite_literal"},
      {"a group that the pattern lacks",
       [](route::Route& r) {
         auto& rewrite = *r.mutable_route()->mutable_regex_rewrite();
         rewrite.mutable_pattern()->set_regex("a");
         rewrite.set_substitution("\\2");
       },
       "route.regex_rewrite.substitution"},
      {"a line end in a redirect", [](route::Route& r) { r.mutable_redirect()->set_path_redirect("/a\nb"); },
       "redirect.path_redirect"},
      {"a space in a redirect's host",
       [](route::Route& r) { r.mutable_redirect()->set_host_redirect("a b"); }, "redirect.host_redirect"},
  };
  for (const Row& row : rows) {
    route::Route made = route_to("/");
    row.make(made);
    const auto resource = decoded(table_of({made}));
    ASSERT_TRUE(resource) << row.name;
    ASSERT_EQ(resource->rejected.size(), 1u) << row.name;
    EXPECT_TRUE(resource->rejected[0].starts_with(std::string("virtual_hosts[0].routes[0].") + row.field))
        << row.name << ": " << resource->rejected[0];
  }
}

TEST(RouteTable, a_domain_that_is_there_twice_stays_with_the_first_host_whatever_its_letter_case) {
  route::RouteConfiguration table = table_of({route_to("/")});
  table.mutable_virtual_hosts(0)->set_domains(0, "web");
  auto& other = *table.add_virtual_hosts();
  other.set_name("other");
  other.add_domains("Web");
  other.add_domains("else");
  const auto resource = decoded(table);
  ASSERT_TRUE(resource);
  const auto& hosts = resource->as<proxy::RouteTable>()->hosts;
  ASSERT_EQ(hosts.size(), 2u);
  EXPECT_EQ(hosts[0].domains, std::vector<std::string>{"web"});
  EXPECT_EQ(hosts[1].domains, std::vector<std::string>{"else"});
  EXPECT_EQ(resource->rejected.size(), 1u);
}

TEST(Cluster, a_field_that_is_left_out_is_told_by_its_name) {
  cluster::Cluster made;
  made.set_name("c");
  made.GetReflection()->MutableUnknownFields(&made)->AddLengthDelimited(42, "");
  made.GetReflection()->MutableUnknownFields(&made)->AddLengthDelimited(19, "");
  const auto resource = decode(Type::kCluster, made.SerializeAsString());
  ASSERT_TRUE(resource) << resource.error().text;
  EXPECT_EQ((*resource)->left_out, (std::vector<std::string>{"lrs_server: is not supported",
                                                             "outlier_detection: is not supported"}));
}

TEST(RouteTable, weights_that_do_not_sum_up_to_what_is_said_close_the_route) {
  for (const std::uint32_t said : {0u, 4u, 100u}) {
    route::Route made = route_to("/");
    auto& clusters = *made.mutable_route()->mutable_weighted_clusters();
    for (const std::uint32_t weight : {1u, 3u}) {
      auto& cluster = *clusters.add_clusters();
      cluster.set_name("a");
      cluster.mutable_weight()->set_value(weight);
    }
    if (said) clusters.mutable_total_weight()->set_value(said);
    const auto resource = decoded(table_of({made}));
    ASSERT_TRUE(resource);
    EXPECT_EQ(status_of(at(*resource, 0)), said == 100 ? 500 : 0) << said;
  }
}

TEST(Cluster, names_are_looked_up_by_the_family_and_as_often_as_it_says) {
  using Family = proxy::ClusterConfig::DnsFamily;
  for (const auto& [said, family] : {std::pair{cluster::Cluster::AUTO, Family::kAny},
                                     {cluster::Cluster::ALL, Family::kAny},
                                     {cluster::Cluster::V4_ONLY, Family::kV4Only},
                                     {cluster::Cluster::V6_ONLY, Family::kV6Only},
                                     {cluster::Cluster::V4_PREFERRED, Family::kV4Preferred}}) {
    cluster::Cluster made;
    made.set_name("c");
    made.set_type(cluster::Cluster::STRICT_DNS);
    made.set_dns_lookup_family(said);
    made.set_respect_dns_ttl(true);
    auto& address = *made.mutable_load_assignment()->add_endpoints()->add_lb_endpoints()->mutable_endpoint();
    address.mutable_address()->mutable_socket_address()->set_address("one.example");
    address.mutable_address()->mutable_socket_address()->set_port_value(80);
    made.mutable_upstream_bind_config()->mutable_freebind()->set_value(true);
    auto& source = *made.mutable_upstream_bind_config()->mutable_source_address();
    source.set_address("127.0.0.6");
    const auto resource = decode(Type::kCluster, made.SerializeAsString());
    ASSERT_TRUE(resource) << resource.error().text;
    EXPECT_EQ((*resource)->as<proxy::ClusterConfig>()->dns_family, family);
    EXPECT_TRUE((*resource)->as<proxy::ClusterConfig>()->dns_ttl_decides);
    EXPECT_EQ((*resource)->left_out,
              std::vector<std::string>{"upstream_bind_config.freebind: is not supported"});
  }
}

TEST(ConfigDump, a_listener_with_a_filter_of_an_unknown_type_is_shown_and_the_type_named) {
  http_manager::HttpConnectionManager manager;
  manager.set_stat_prefix("shown");
  manager.mutable_route_config()->set_name("inline");
  auto& unknown = *manager.add_http_filters();
  unknown.set_name("unknown");
  unknown.set_is_optional(true);
  unknown.mutable_typed_config()->set_type_url("type.googleapis.com/no.such.Filter");
  unknown.mutable_typed_config()->set_value("\xff\xff");
  auto& router = *manager.add_http_filters();
  router.set_name("router");
  router.mutable_typed_config()->PackFrom(envoy::extensions::filters::http::router::v3::Router());
  listener::Listener made;
  made.set_name("l");
  made.mutable_address()->mutable_socket_address()->set_address("127.0.0.1");
  made.mutable_address()->mutable_socket_address()->set_port_value(8080);
  made.add_filter_chains()->add_filters()->mutable_typed_config()->PackFrom(manager);
  auto resource = decode(Type::kListener, made.SerializeAsString());
  ASSERT_TRUE(resource) << resource.error().text;
  Catalog catalog({}, {});
  catalog.put(Type::kListener, *resource);
  ASSERT_TRUE(catalog.build(TimePoint{}));
  catalog.commit();
  testing::internal::CaptureStderr();
  const std::string text = config_dump(Bootstrap(), catalog, "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(text.find("\"stat_prefix\": \"shown\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"@type\": \"type.googleapis.com/no.such.Filter\""), std::string::npos) << text;
  EXPECT_NE(text.find("weft does not know this type"), std::string::npos);
}

TEST(Decode, of_bytes_with_random_faults_what_is_taken_can_be_run) {
  route::Route full = route_to("/a");
  full.mutable_route()->set_prefix_rewrite("/b");
  auto& header = *full.add_request_headers_to_add()->mutable_header();
  header.set_key("x");
  header.set_value("%REQ(y)% and more");
  full.mutable_route()->mutable_retry_policy()->set_retry_on("5xx");
  const std::string sound = table_of({full, route_to("/")}).SerializeAsString();
  std::mt19937 random(7);
  std::size_t taken = 0;
  for (int round = 0; round < 800; ++round) {
    std::string bytes = sound;
    for (unsigned faults = random() % 4 + 1; faults > 0; --faults)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto made = decode(Type::kRoute, bytes);
    if (!made) continue;
    ++taken;
    const auto compiled = proxy::RoutingTable::compile((*made)->as<proxy::RouteTable>());
    ASSERT_TRUE(compiled) << "round " << round << ": " << compiled.error().text;
  }
  EXPECT_GT(taken, 50u);
}

}  // namespace
}  // namespace weft::xds
