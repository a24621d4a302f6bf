#include <gtest/gtest.h>

#include "proxy/testing/plane.h"
#include "proxy/testing/simulated_plane.h"
#include "xds/convert.h"
#include "xds/filters/http_filters.h"
#include "xds/testing/messages.h"

namespace weft::xds {
namespace {

using HttpFault = envoy::extensions::filters::http::fault::v3::HTTPFault;

Result<proxy::HttpFilterFactory> made_of(const std::string& text) {
  google::protobuf::Any any;
  any.PackFrom(testing::parsed<HttpFault>(text));
  const HttpFilterConverter* const converter = http_filter_converter(any);
  WEFT_ASSERT(converter != nullptr);
  Conversion conversion(true);
  const Path path("fault");
  return converter->convert(any, path, conversion);
}

/// What a chain with this fault does to a request that a route answers with 204: its status, and after how
/// many milliseconds.
std::string done_by(const std::string& text) {
  auto fault = made_of(text);
  if (!fault) return fault.error().text;
  proxy::testing::SimulatedPlane plane;
  plane.http.filters = {{"fault", std::move(*fault)}};
  proxy::Route route = proxy::testing::route_to("/", "a");
  route.action = proxy::DirectAction{.status = 204, .body = {}};
  WEFT_ASSERT(plane.apply(proxy::testing::table_of({route}), {}).has_value());
  const auto client = plane.connect();
  const std::string_view request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const iovec part{const_cast<char*>(request.data()), request.size()};
  client->try_write(std::span(&part, 1));
  for (int waited = 0; waited < 10'000; ++waited) {
    plane.loop().advance(waited ? 1ms : 0ms);
    if (const std::string response = client->take(); !response.empty())
      return response.substr(9, 3) + " after " + std::to_string(waited);
  }
  return "nothing";
}

TEST(ConvertFault, does_what_each_field_says_to_the_share_that_it_says) {
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"", "204 after 0"},
      {"abort { http_status: 503 percentage { numerator: 100 } }", "503 after 0"},
      {"abort { http_status: 200 percentage { numerator: 1000000 denominator: MILLION } }", "200 after 0"},
      {"abort { grpc_status: 14 percentage { numerator: 100 } }", "200 after 0"},
      {"abort { grpc_status: 14 }", "204 after 0"},
      {"abort { http_status: 599 percentage { numerator: 0 } }", "204 after 0"},
      {"abort { http_status: 503 }", "204 after 0"},
      {"delay { fixed_delay { seconds: 2 } percentage { numerator: 100 } }", "204 after 2000"},
      {"delay { fixed_delay { nanos: 1 } percentage { numerator: 10000 denominator: TEN_THOUSAND } }",
       "204 after 1"},
      {"delay { fixed_delay { seconds: 2 } }", "204 after 0"},
      {"delay { fixed_delay { seconds: 1 } percentage { numerator: 100 } } abort { http_status: 503 "
       "percentage { numerator: 100 } }",
       "503 after 1000"},
  };
  for (const auto& [text, want] : kRows) EXPECT_EQ(done_by(text), want) << text;
}

TEST(ConvertFault, what_is_wrong_is_told_by_its_field) {
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"abort {}", "fault.abort.http_status: has to be from 200 to 599, not 0"},
      {"abort { http_status: 199 }", "fault.abort.http_status: has to be from 200 to 599, not 199"},
      {"abort { http_status: 600 }", "fault.abort.http_status: has to be from 200 to 599, not 600"},
      {"abort { grpc_status: 2147483648 }", "fault.abort.grpc_status: has to be at most 2147483647"},
      {"delay {}", "fault.delay: has to have fixed_delay"},
      {"delay { fixed_delay {} }", "fault.delay.fixed_delay: has to be longer than 0"},
      {"delay { fixed_delay { seconds: -1 } }", "fault.delay.fixed_delay: a duration cannot be negative"},
  };
  for (const auto& [text, want] : kRows) EXPECT_EQ(done_by(text), want);
}

TEST(HttpFilterConverters, are_found_by_the_message_alone) {
  google::protobuf::Any any;
  EXPECT_EQ(http_filter_converter(any), nullptr);
  any.set_type_url("elsewhere/envoy.extensions.filters.http.fault.v3.HTTPFault");
  ASSERT_TRUE(http_filter_converter(any));
  EXPECT_EQ(http_filter_converter(any)->message, "envoy.extensions.filters.http.fault.v3.HTTPFault");
  any.set_type_url("type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFaults");
  EXPECT_EQ(http_filter_converter(any), nullptr);
}

}  // namespace
}  // namespace weft::xds
