#include "xds/field_names.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include "xds/convert.h"

namespace weft::xds {
namespace {

TEST(FieldNames, gives_envoy_s_name_to_a_number_of_a_message_that_our_subset_lacks) {
  EXPECT_EQ(name_of_field("envoy.config.cluster.v3.Cluster", 19), "outlier_detection");
  EXPECT_EQ(name_of_field("envoy.config.cluster.v3.CircuitBreakers.Thresholds", 8), "retry_budget");
  EXPECT_EQ(name_of_field("envoy.extensions.filters.http.fault.v3.FaultAbort", 4), "header_abort");
}

TEST(FieldNames, what_is_not_known_is_told_by_its_number) {
  EXPECT_EQ(name_of_field("envoy.config.cluster.v3.Cluster", 900), "field #900");
  EXPECT_EQ(name_of_field("no.such.Message", 19), "field #19");
  EXPECT_EQ(name_of_field("", 0), "field #0");
}

/// Every message that a resource may hold, with those inside.
void collect(const google::protobuf::Descriptor* message,
             std::vector<const google::protobuf::Descriptor*>& into) {
  into.push_back(message);
  for (int i = 0; i < message->nested_type_count(); ++i) collect(message->nested_type(i), into);
}

TEST(FieldNames, holds_no_field_that_our_subset_has) {
  std::vector<const google::protobuf::Descriptor*> all;
  for (const auto* file :
       {cluster::Cluster::descriptor()->file(), core::Address::descriptor()->file(),
        endpoint::ClusterLoadAssignment::descriptor()->file(), listener::Listener::descriptor()->file(),
        route::RouteConfiguration::descriptor()->file(), accesslog::AccessLog::descriptor()->file(),
        matcher::StringMatcher::descriptor()->file(),
        http_manager::HttpConnectionManager::descriptor()->file(), tcp_proxy::TcpProxy::descriptor()->file(),
        envoy::extensions::filters::http::fault::v3::HTTPFault::descriptor()->file(),
        envoy::extensions::filters::http::router::v3::Router::descriptor()->file(),
        envoy::extensions::upstreams::http::v3::HttpProtocolOptions::descriptor()->file()})
    for (int i = 0; i < file->message_type_count(); ++i) collect(file->message_type(i), all);
  for (const auto* message : all)
    for (int i = 0; i < message->field_count(); ++i) {
      const int number = message->field(i)->number();
      EXPECT_EQ(name_of_field(message->full_name(), number), "field #" + std::to_string(number))
          << message->full_name();
    }
}

}  // namespace
}  // namespace weft::xds
