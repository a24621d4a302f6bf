#include "xds/conversion.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "xds/convert.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using testing::parsed;
namespace pb = google::protobuf;

TEST(Conversion, what_is_not_done_is_an_error_when_strict_and_listed_otherwise) {
  const Path path("lb_policy");
  Conversion strict(true), lenient(false);
  EXPECT_TRUE(strict.strict());
  const auto rejected = strict.unsupported(path, "is not supported");
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().text, "lb_policy: is not supported");
  EXPECT_EQ(rejected.error().code, Code::kUnsupported);
  EXPECT_TRUE(strict.left_out().empty());
  EXPECT_TRUE(lenient.unsupported(path, "is not supported"));
  EXPECT_TRUE(lenient.unsupported(Path(), "neither is this"));
  EXPECT_EQ(lenient.left_out(), (std::vector<std::string>{"lb_policy: is not supported", "neither is this"}));
  EXPECT_TRUE(lenient.rejected().empty());
  lenient.reject(path.invalid("is wrong"));
  EXPECT_EQ(lenient.rejected(), std::vector<std::string>{"lb_policy: is wrong"});
}

TEST(Conversion, fields_that_our_subset_lacks_are_told_by_their_path_wherever_they_are) {
  cluster::Cluster made = parsed<cluster::Cluster>(
      "circuit_breakers { thresholds {} thresholds {} } load_assignment { endpoints { lb_endpoints { "
      "endpoint "
      "{ address { socket_address {} } } } } } connect_timeout {}");
  testing::add_unknown(made, 22);
  testing::add_unknown(*made.mutable_circuit_breakers()->mutable_thresholds(1), 8);
  testing::add_unknown(*made.mutable_load_assignment()
                            ->mutable_endpoints(0)
                            ->mutable_lb_endpoints(0)
                            ->mutable_endpoint()
                            ->mutable_address()
                            ->mutable_socket_address(),
                       900);
  // A message of the library's own is no part of the subset.
  testing::add_unknown(*made.mutable_connect_timeout(), 9);
  Conversion lenient(false), strict(true);
  EXPECT_TRUE(lenient.examine(made, Path()));
  EXPECT_EQ(lenient.left_out(),
            (std::vector<std::string>{"lb_subset_config: is not supported",
                                      "circuit_breakers.thresholds[1].retry_budget: is not supported",
                                      "load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_"
                                      "address.field #900: is not supported"}));
  const Path root("cluster");
  EXPECT_EQ(strict.examine(made, root).error().text, "cluster.lb_subset_config: is not supported");
}

TEST(Conversion, what_guards_something_or_narrows_a_match_is_an_error_for_a_control_plane_too) {
  const struct {
    std::string message;
    int number;
    std::string field;
  } rows[] = {
      {"envoy.config.listener.v3.FilterChainMatch", 6, "source_prefix_ranges"},
      {"envoy.config.listener.v3.FilterChainMatch", 900, "field #900"},
      {"envoy.config.listener.v3.FilterChain", 6, "transport_socket"},
      {"envoy.config.listener.v3.Listener", 18, "udp_listener_config"},
      {"envoy.config.listener.v3.Listener", 19, "api_listener"},
      {"envoy.config.listener.v3.Listener", 27, "internal_listener"},
      {"envoy.config.core.v3.HttpProtocolOptions", 5, "headers_with_underscores_action"},
      {"envoy.config.route.v3.RouteConfiguration", 3, "internal_only_headers"},
      {"envoy.config.route.v3.RedirectAction", 9, "regex_rewrite"},
      {"envoy.config.route.v3.RetryPolicy", 10, "retriable_request_headers"},
      {"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", 7, "disabled"},
      {"envoy.config.route.v3.RouteMatch", 8, "grpc"},
      {"envoy.config.route.v3.RouteMatch", 13, "dynamic_metadata"},
      {"envoy.config.route.v3.HeaderMatcher", 6, "range_match"},
      {"envoy.config.route.v3.QueryParameterMatcher", 900, "field #900"},
      {"envoy.type.matcher.v3.StringMatcher", 8, "field #8"},
      {"envoy.config.cluster.v3.Cluster", 24, "transport_socket"},
      {"envoy.config.cluster.v3.Cluster", 38, "cluster_type"},
      {"envoy.config.cluster.v3.Cluster", 43, "transport_socket_matches"},
      {"envoy.extensions.filters.http.fault.v3.HTTPFault", 3, "upstream_cluster"},
      {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", 16, "tunneling_config"},
  };
  for (const auto& row : rows) {
    const auto* type = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(row.message);
    ASSERT_TRUE(type) << row.message;
    const std::unique_ptr<pb::Message> made(
        pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
    testing::add_unknown(*made, row.number);
    for (const bool strict : {true, false}) {
      Conversion conversion(strict);
      const auto examined = conversion.examine(*made, Path());
      ASSERT_FALSE(examined) << row.message << " " << row.number;
      EXPECT_EQ(examined.error().text, row.field + ": is not supported, and cannot be left out safely");
    }
  }
}

TEST(Conversion, leaves_routes_to_their_own_conversion) {
  route::RouteConfiguration table =
      parsed<route::RouteConfiguration>("virtual_hosts { routes { match {} } }");
  testing::add_unknown(*table.mutable_virtual_hosts(0)->mutable_routes(0)->mutable_match(), 8);
  Conversion conversion(false);
  EXPECT_TRUE(conversion.examine(table, Path()));
  EXPECT_FALSE(conversion.examine(table.virtual_hosts(0).routes(0), Path()));
}

TEST(Conversion, a_message_in_an_any_is_known_by_what_stands_behind_the_last_slash) {
  pb::Any any;
  EXPECT_EQ(message_name(any), "");
  any.set_type_url("type.googleapis.com/a.b.C");
  EXPECT_EQ(message_name(any), "a.b.C");
  any.set_type_url("a/b/c.D");
  EXPECT_EQ(message_name(any), "c.D");
  any.set_type_url("a.b.C");
  EXPECT_EQ(message_name(any), "a.b.C");
  any.set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  EXPECT_TRUE(holds<cluster::Cluster>(any));
  EXPECT_FALSE(holds<cluster::CircuitBreakers>(any));
}

TEST(Conversion, a_wrapper_names_what_it_wraps) {
  pb::Any any;
  const auto wrapped = [&](const std::string& type, const std::string& value) {
    any.set_type_url("type.googleapis.com/" + type);
    any.set_value(value);
    return wrapped_name(any);
  };
  const std::string inner("\x0a\x05x/a.B", 7), later(
                                                   "\x12\x01z\x0a\x03"
                                                   "a.B",
                                                   8);
  EXPECT_EQ(wrapped("udpa.type.v1.TypedStruct", inner), "a.B");
  EXPECT_EQ(wrapped("xds.type.v3.TypedStruct", inner), "a.B");
  EXPECT_EQ(wrapped("xds.type.v3.TypedStruct", later), "a.B");
  EXPECT_EQ(wrapped("xds.type.v3.TypedStruct", ""), "");
  EXPECT_EQ(wrapped("xds.type.v3.TypedStruct", "\x0a\xff"), "");
  EXPECT_EQ(wrapped("xds.type.v3.TypedStruct", "\x08\x01"), "") << "a number";
  EXPECT_EQ(wrapped("other.TypedStruct", inner), "");
}

TEST(Conversion, an_any_is_unpacked_and_looked_through) {
  cluster::Cluster made, into;
  made.set_name("c");
  testing::add_unknown(made, 22);
  pb::Any any;
  any.PackFrom(made);
  Conversion conversion(false);
  const Path path("typed_config");
  EXPECT_TRUE(unpack(any, into, path, conversion));
  EXPECT_EQ(into.name(), "c");
  EXPECT_EQ(conversion.left_out(),
            std::vector<std::string>{"typed_config.lb_subset_config: is not supported"});
  any.set_value("\xff");
  EXPECT_EQ(unpack(any, into, path, conversion).error().text,
            "typed_config: the bytes are no envoy.config.cluster.v3.Cluster");
}

TEST(Conversion, a_duration_is_rounded_up_to_milliseconds_and_at_most_a_hundred_years) {
  const struct {
    std::int64_t seconds;
    std::int32_t nanos;
    std::int64_t milliseconds;
  } rows[] = {{0, 0, 0},
              {0, 1, 1},
              {0, 1'000'000, 1},
              {0, 1'000'001, 2},
              {1, 0, 1'000},
              {1, 999'999'999, 2'000},
              {3'155'760'000, 0, 3'155'760'000'000}};
  const Path path("timeout");
  pb::Duration duration;
  for (const auto& [seconds, nanos, milliseconds] : rows) {
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    const auto made = to_milliseconds(duration, path);
    ASSERT_TRUE(made) << made.error().text;
    EXPECT_EQ(made->count(), milliseconds);
  }
  for (const auto& [seconds, nanos] : {std::pair{std::int64_t{-1}, 0}, {0, -1}, {INT64_MIN, 0}}) {
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    EXPECT_EQ(to_milliseconds(duration, path).error().text, "timeout: a duration cannot be negative");
  }
  for (const auto& [seconds, nanos] :
       {std::pair{std::int64_t{3'155'760'001}, 0}, {0, 1'000'000'000}, {INT64_MAX, INT32_MAX}}) {
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    EXPECT_EQ(to_milliseconds(duration, path).error().text,
              "timeout: a duration has to be at most 100 years (3155760000s)");
  }
}

}  // namespace
}  // namespace weft::xds
