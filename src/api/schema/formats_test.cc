#include "api/schema/formats.h"

#include <gtest/gtest.h>

#include <vector>

namespace weft::api {
namespace {

struct Row {
  const char* name;
  std::string (*format)(std::string_view);
  std::vector<std::string> right;
  std::vector<std::string> wrong;
};

TEST(Formats, each_takes_what_is_right_and_says_something_about_what_is_not) {
  const Row rows[] = {
      {"dns_label",
       dns_label,
       {"a", "a-1", "1", std::string(63, 'a')},
       {"", "A", "a.", "-a", "a-", "a_b", std::string(64, 'a')}},
      {"service_name", service_name, {"a1"}, {"1a", ""}},
      {"dns_subdomain", dns_subdomain, {"a", "a.b-c"}, {"", "a..b", ".a", "a.", std::string(254, 'a')}},
      {"port_name", port_name, {"http", "http-web", "a1"}, {"", "80", "a--b", "HTTP", "sixteen-letters-"}},
      {"percentage", percentage, {"25%", "0%", "100%"}, {"25", "%", "a%", "-1%", "12345%"}},
      {"label_key", label_key, {"app", "a.b/c_D"}, {"", "/a", "a/", "a/b/c", "A.b/c"}},
      {"label_value", label_value, {"", "v1", "A_b.c"}, {"a b", "-a", std::string(64, 'a')}},
      {"environment_name", environment_name, {"A", "_a.b-c1"}, {"", "1a", "a=b", "a b"}},
      {"base64",
       base64,
       {"", "YQ==", "YWI=", "YWJj", "YWJj\nYWJj\n"},
       {"a", "YQ=", "Y===", "YQ==YQ==", "?a=="}},
      {"ip_address",
       ip_address,
       {"10.0.0.1", "::1"},
       {"", "10.0.0", "10.0.0.256", "a", std::string("1.1.1.1\0x", 9)}},
      {"duration", duration, {"1s", "1.5h", "1ms"}, {"", "0s", "1", "1d", "-1s", "1 s"}},
      {"duration_or_zero", duration_or_zero, {"0s", "0"}, {"", "s"}},
      {"quantity_text",
       quantity_text,
       {"1", "0.5", "100m", "1Gi", "1e3", ".5", "-1"},
       {"", "Gi", "1gi", "1 Gi", "1.2.3", "1e"}},
      {"regex", regex, {"a.*", "[0-9]+"}, {"", "(", "a{2000}", "(?=x)", "\\", std::string(1025, 'a')}},
      {"host", host, {"a", "a.b.c", "A_b"}, {"", "*", "a..b", "a/b", "a.", "-a"}},
      {"host_or_wildcard", host_or_wildcard, {"*", "*.a.b", "a"}, {"", "*a", "a.*", "*."}},
      {"gateway_host", gateway_host, {"*", "ns/a", "./a", "*/*.b"}, {"", "/a", "Ns/a", "ns/", "a/b/c"}},
      {"gateway_name", gateway_name, {"mesh", "ns/a"}, {"", "/a", "a/", "a/b/c"}},
      {"header_value",
       header_value,
       {"a", "a b", "a\tb", "\xc3\xa4"},
       {"", "a\n", "a\r\nb", std::string("\0", 1)}},
      {"authority", authority, {"a", "a:80", "[::1]:80"}, {"", "a b", "a/b", "u@a", "a\n"}},
      {"location_path", location_path, {"/", "/a%20b?c#d"}, {"", "a", "/a b", "/\xc3\xa4", "/\r"}},
      {"changed_header", changed_header, {"x", "Host", ":authority"}, {":path", "", "a b"}},
      {"header_name",
       header_name,
       {"end-user", "X_1", ":authority", ":path"},
       {"", "a b", "a:", ":", ":protocol", "a\n"}},
      {"grpc_status_name",
       grpc_status_name,
       {"OK", "CANCELLED", "UNAVAILABLE", "UNAUTHENTICATED"},
       {"", "14", "unavailable", "Unavailable", "CANCELED"}},
      {"absolute_path", absolute_path, {"/", "/a b"}, {"", "a"}},
  };
  for (const Row& row : rows) {
    for (const std::string& text : row.right) EXPECT_EQ(row.format(text), "") << row.name << " of " << text;
    for (const std::string& text : row.wrong) EXPECT_NE(row.format(text), "") << row.name << " of " << text;
  }
}

}  // namespace
}  // namespace weft::api
