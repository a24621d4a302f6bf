#include <gtest/gtest.h>

#include <functional>

#include "proxy/config.h"
#include "xds/proto/extensions.h"
#include "xds/proto/listener.pb.h"
#include "xds/resource.h"

namespace weft::xds {
namespace {

namespace listener = envoy::config::listener::v3;
namespace filters = envoy::extensions::filters;
using Predicate = listener::ListenerFilterChainMatchPredicate;

/// A listener with a TCP chain and an HTTP inspector that `off` switches off.
Result<std::shared_ptr<Resource>> with_inspector(const Predicate& off) {
  listener::Listener made;
  made.set_name("l");
  made.mutable_address()->mutable_socket_address()->set_address("0.0.0.0");
  made.mutable_address()->mutable_socket_address()->set_port_value(15006);
  auto& inspector = *made.add_listener_filters();
  inspector.mutable_typed_config()->PackFrom(filters::listener::http_inspector::v3::HttpInspector());
  *inspector.mutable_filter_disabled() = off;
  filters::network::tcp_proxy::v3::TcpProxy proxy;
  proxy.set_stat_prefix("t");
  proxy.set_cluster("c");
  made.add_filter_chains()->add_filters()->mutable_typed_config()->PackFrom(proxy);
  return decode(Type::kListener, made.SerializeAsString());
}

/// A listener with one HTTP chain of a route table in line, which the test changes.
Result<std::shared_ptr<Resource>> with_manager(
    const std::function<void(filters::network::http_connection_manager::v3::HttpConnectionManager&)>&
        change) {
  filters::network::http_connection_manager::v3::HttpConnectionManager manager;
  manager.set_stat_prefix("m");
  manager.mutable_route_config()->set_name("routes");
  change(manager);
  auto& router = *manager.add_http_filters();
  router.set_name("router");
  router.mutable_typed_config()->PackFrom(filters::http::router::v3::Router());
  listener::Listener made;
  made.set_name("l");
  made.mutable_address()->mutable_socket_address()->set_address("0.0.0.0");
  made.mutable_address()->mutable_socket_address()->set_port_value(15006);
  made.add_filter_chains()->add_filters()->mutable_typed_config()->PackFrom(manager);
  return decode(Type::kListener, made.SerializeAsString());
}

Predicate ports(int start, int end) {
  Predicate made;
  made.mutable_destination_port_range()->set_start(start);
  made.mutable_destination_port_range()->set_end(end);
  return made;
}

Predicate not_of(const Predicate& inner) {
  Predicate made;
  *made.mutable_not_match() = inner;
  return made;
}

Predicate either(const Predicate& a, const Predicate& b) {
  Predicate made;
  *made.mutable_or_match()->add_rules() = a;
  *made.mutable_or_match()->add_rules() = b;
  return made;
}

Predicate both(const Predicate& a, const Predicate& b) {
  Predicate made;
  *made.mutable_and_match()->add_rules() = a;
  *made.mutable_and_match()->add_rules() = b;
  return made;
}

using Ranges = std::vector<proxy::PortRange>;

Ranges off(const Predicate& predicate) {
  auto made = with_inspector(predicate);
  EXPECT_TRUE(made) << made.error().text;
  return made ? (*made)->as<proxy::ListenerConfig>()->sniff_http_off : Ranges{};
}

TEST(ConvertListener, filter_disabled_says_at_which_ports_an_inspector_does_not_look) {
  EXPECT_EQ(off(ports(80, 82)), (Ranges{{80, 81}}));
  EXPECT_EQ(off(not_of(ports(80, 81))), (Ranges{{0, 79}, {81, 65535}}));
  EXPECT_EQ(off(either(ports(90, 91), ports(80, 81))), (Ranges{{80, 80}, {90, 90}}));
  EXPECT_EQ(off(not_of(either(ports(1, 65536), ports(0, 1)))), Ranges{});
  EXPECT_EQ(off(both(ports(80, 100), ports(90, 65536))), (Ranges{{90, 99}}));
  Predicate all;
  all.set_any_match(true);
  EXPECT_EQ(off(all), (Ranges{{0, 65535}}));
}

TEST(ConvertListener, a_predicate_that_says_nothing_or_no_ports_is_an_error_with_its_path) {
  const auto error = [](const Predicate& predicate) {
    auto made = with_inspector(predicate);
    EXPECT_FALSE(made);
    return made ? std::string() : made.error().text;
  };
  EXPECT_EQ(error({}).find("listener_filters[0].filter_disabled: has to have or_match"), 0u) << error({});
  EXPECT_EQ(error(ports(80, 80)),
            "listener_filters[0].filter_disabled.destination_port_range.end: is not included, and has to be "
            "from 81 to "
            "65536, not 80");
  EXPECT_EQ(
      error(ports(-1, 80)),
      "listener_filters[0].filter_disabled.destination_port_range.start: has to be from 0 to 65535, not -1");
  Predicate lonely;
  *lonely.mutable_or_match()->add_rules() = ports(1, 2);
  EXPECT_EQ(error(lonely),
            "listener_filters[0].filter_disabled.or_match.rules: has to have 2 items at least");
}

TEST(ConvertListener, what_would_keep_names_with_underscores_out_is_an_error_and_letting_them_in_is_none) {
  for (const int action : {0, 1, 2}) {
    const auto made = with_manager([&](auto& manager) {
      auto& options = *manager.mutable_common_http_protocol_options();
      // What is 0 is not written.
      if (action) options.GetReflection()->MutableUnknownFields(&options)->AddVarint(5, action);
    });
    EXPECT_EQ(made.has_value(), action == 0);
    if (!made)
      EXPECT_NE(made.error().text.find("headers_with_underscores_action: is not supported"),
                std::string::npos)
          << made.error().text;
  }
}

TEST(ConvertListener, a_fault_for_some_requests_only_is_not_done_to_all) {
  using Fault = filters::http::fault::v3::HTTPFault;
  for (const int field : {3, 4, 5, 6, 16}) {
    const auto made = with_manager([&](auto& manager) {
      Fault fault;
      fault.mutable_abort()->set_http_status(503);
      fault.GetReflection()->MutableUnknownFields(&fault)->AddLengthDelimited(field, "");
      auto& filter = *manager.add_http_filters();
      filter.set_name("envoy.filters.http.fault");
      filter.mutable_typed_config()->PackFrom(fault);
    });
    ASSERT_FALSE(made) << field;
    EXPECT_NE(made.error().text.find("cannot be left out safely"), std::string::npos) << made.error().text;
  }
  EXPECT_TRUE(with_manager([](auto& manager) {
    auto& filter = *manager.add_http_filters();
    filter.set_name("envoy.filters.http.fault");
    filter.mutable_typed_config()->PackFrom(Fault());
  })) << "istiod's, which waits for what routes say";
}

TEST(ConvertListener, each_of_istio_s_path_normalizations_is_what_it_says) {
  using Manager = filters::network::http_connection_manager::v3::HttpConnectionManager;
  using Slashes = proxy::HttpConfig::EscapedSlashes;
  struct Row {
    const char* name;
    bool normalize, merge;
    Manager::PathWithEscapedSlashesAction sent;
    Slashes slashes;
  };
  for (const Row& row : {Row{"NONE", false, false, Manager::KEEP_UNCHANGED, Slashes::kKeep},
                         {"BASE", true, false, Manager::KEEP_UNCHANGED, Slashes::kKeep},
                         {"MERGE_SLASHES", true, true, Manager::KEEP_UNCHANGED, Slashes::kKeep},
                         {"DECODE_AND_MERGE_SLASHES", true, true, Manager::UNESCAPE_AND_FORWARD,
                          Slashes::kUnescapeAndForward}}) {
    const auto made = with_manager([&](Manager& manager) {
      manager.mutable_normalize_path()->set_value(row.normalize);
      manager.set_merge_slashes(row.merge);
      manager.set_path_with_escaped_slashes_action(row.sent);
    });
    ASSERT_TRUE(made) << made.error().text;
    const auto listener = (*made)->as<proxy::ListenerConfig>();
    const auto& http = std::get<proxy::HttpConfig>(listener->chains.at(0).filter);
    EXPECT_EQ(http.normalize_path, row.normalize) << row.name;
    EXPECT_EQ(http.merge_slashes, row.merge) << row.name;
    EXPECT_EQ(http.escaped_slashes, row.slashes) << row.name;
  }
}

}  // namespace
}  // namespace weft::xds
