#include <gtest/gtest.h>

#include <array>
#include <cctype>

#include "proxy/routing/path_normal.h"
#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// The four normalizations of Istio's MeshConfig, as istiod sends them.
constexpr std::array<const char*, 4> kModes{"NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"};

void set_mode(HttpConfig& config, std::size_t mode) {
  config.normalize_path = mode >= 1;
  config.merge_slashes = mode >= 2;
  config.escaped_slashes =
      mode == 3 ? HttpConfig::EscapedSlashes::kUnescapeAndForward : HttpConfig::EscapedSlashes::kKeep;
}

/// What rules see and the upstream gets, or "400".
std::string settled(std::string path, std::size_t mode) {
  HttpConfig config;
  set_mode(config, mode);
  return settle_path(path, config) == PathVerdict::kForward ? path : "400";
}

/// A path and what each mode makes of it; the rows are those of the catalogue of bad paths (C01 to C22).
struct Row {
  const char *name, *path;
  std::array<const char*, 4> in_modes;
};

constexpr Row same(const char* name, const char* path) { return {name, path, {path, path, path, path}}; }
constexpr Row rejected(const char* name, const char* path) {
  return {name, path, {"400", "400", "400", "400"}};
}
constexpr Row normal(const char* name, const char* path, const char* made) {
  return {name, path, {path, made, made, made}};
}

constexpr Row kRows[] = {
    same("plain", "/"),
    same("plain", "/app/"),
    same("plain", "/Admin"),
    normal("C01", "/app/../admin", "/admin"),
    normal("C01", "/app/%2E./admin", "/admin"),
    normal("C01", "/app//../../admin", "/admin"),
    normal("C01", "/app//../admin", "/app/admin"),
    same("C01", "/.../admin"),
    same("C01", "/0x2e0x2e/admin"),
    {"C02", "//admin", {"//admin", "//admin", "/admin", "/admin"}},
    {"C02", "/app//", {"/app//", "/app//", "/app/", "/app/"}},
    {"C02", "/xyz%30..//abc", {"/xyz%30..//abc", "/xyz0..//abc", "/xyz0../abc", "/xyz0../abc"}},
    {"C03", "/app/%2f", {"/app/%2f", "/app/%2f", "/app/%2f", "/app/"}},
    {"C03", "/app%2f/", {"/app%2f/", "/app%2f/", "/app%2f/", "/app/"}},
    {"C03",
     "/%2Fapp%5cadmin%5Cabc",
     {"/%2Fapp%5cadmin%5Cabc", "/%2Fapp%5cadmin%5Cabc", "/%2Fapp%5cadmin%5Cabc", "/app/admin/abc"}},
    {"C03",
     "/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc",
     {"/%5Capp%2f%5c%2F%2e%2e%2fadmin%5c\\abc", "/%5Capp%2f%5c%2F..%2fadmin%5c/abc",
      "/%5Capp%2f%5c%2F..%2fadmin%5c/abc", "/app/admin/abc"}},
    {"C04", "\\admin", {"\\admin", "\\admin", "\\admin", "\\admin"}},
    normal("C04", "/app\\admin", "/app/admin"),
    {"C04", "/\\admin", {"/\\admin", "//admin", "/admin", "/admin"}},
    {"C04", "/app/\\/\\/\\admin", {"/app/\\/\\/\\admin", "/app//////admin", "/app/admin", "/app/admin"}},
    rejected("C05", "/admin%00"),
    rejected("C05", "/%00/../admin?q"),
    same("C07", "/a?x=/../%2f//%00%zz\\"),
    same("C11", "/;/admin"),
    same("C11", "/admin;a=b"),
    same("C11", "/admin;a=b/xyz"),
    same("C11", "/admin,a=b/xyz"),
    // Dots with parameters are dots (decision 25): a server that cuts parameters off reads them so.
    normal("C11", "/..;/admin", "/admin"),
    same("C12", "/%252e%252e/admin"),
    same("C12", "/%252e%252e%252fadmin"),
    same("C12", "/%25c0%25ae%25c1%259cadmin"),
    same("C13", "/%c0%ae%c0%ae/admin"),
    same("C13", "/%c0%afadmin"),
    same("C13", "/%c1%9cadmin"),
    normal("C13", "/%c0%2e%c0%2e/admin", "/%c0.%c0./admin"),
    {"C13", "/%c0%2fadmin", {"/%c0%2fadmin", "/%c0%2fadmin", "/%c0%2fadmin", "/%c0/admin"}},
    rejected("C15", "/%zz"),
    rejected("C15", "/a%2"),
    rejected("C15", "/a%"),
    rejected("C15", "/a%2?5"),
    rejected("C15", "/%%32%65"),
};

TEST(PathModes, each_path_becomes_what_the_mode_says_and_stays_so) {
  for (const Row& row : kRows)
    for (std::size_t mode = 0; mode < kModes.size(); ++mode) {
      const std::string made = settled(row.path, mode);
      EXPECT_EQ(made, row.in_modes[mode]) << row.name << " " << row.path << " in mode " << kModes[mode];
      if (made != "400") EXPECT_EQ(settled(made, mode), made) << "again: " << row.path << " " << kModes[mode];
    }
}

TEST(PathModes, c14_of_encoded_bytes_only_unreserved_ones_and_by_mode_slashes_are_decoded) {
  for (int byte = 1; byte <= 0xff; ++byte)
    for (const char* hex : {"0123456789abcdef", "0123456789ABCDEF"})
      for (std::size_t mode = 0; mode < kModes.size(); ++mode) {
        const std::string path = std::string("/admin%") + hex[byte >> 4] + hex[byte & 15];
        const bool unreserved =
            byte < 0x80 && (std::isalnum(byte) ||
                            std::string_view("-._~").find(static_cast<char>(byte)) != std::string_view::npos);
        std::string want = path;
        if (mode >= 1 && unreserved) want = std::string("/admin") + static_cast<char>(byte);
        if (mode == 3 && (byte == '/' || byte == '\\')) want = "/admin/";
        EXPECT_EQ(settled(path, mode), want) << kModes[mode];
      }
}

class PathModesOnTheWire : public ::testing::TestWithParam<std::size_t> {
 protected:
  PathModesOnTheWire() : upstream_(plane_.loop, "a") {
    set_mode(plane_.http, GetParam());
    plane_.http.access_logs.clear();
  }
  void apply(std::vector<Route> routes) {
    routes.push_back(route_to("/", "a"));
    ASSERT_TRUE(plane_.apply(table_of(std::move(routes)), {cluster_of("a", {upstream_.address()})}));
  }
  /// The status of what comes back for these bytes, as text.
  std::string status_of(std::string_view line, std::string_view host = "a") {
    RawClient client(plane_.loop, plane_.front());
    client.write(std::string(line) + "\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n");
    const std::string& got = client.read_until("\r\n\r\n");
    return got.starts_with("HTTP/1.1 ") ? got.substr(9, 3) : got;
  }

  Plane plane_;
  Upstream upstream_;
};

TEST_P(PathModesOnTheWire, what_no_target_may_be_is_400_and_no_byte_goes_upstream) {
  apply({});
  const std::pair<const char*, std::string> kLines[] = {
      {"C05", std::string("GET /admin\0 HTTP/1.1", 20)},
      {"C05", "GET /admin%00 HTTP/1.1"},
      {"C06", "GET /user/profile#x HTTP/1.1"},
      {"C08", "GET Svc/Method HTTP/1.1"},
      {"C09", "GET * HTTP/1.1"},
      {"C09", "OPTIONS */x HTTP/1.1"},
      {"C10", "GET a.example:80 HTTP/1.1"},
      {"C15", "GET /%zz HTTP/1.1"},
      {"C15", "GET /a% HTTP/1.1"},
      {"C16", "GET /a b HTTP/1.1"},
      {"C16", "GET /a\x7f HTTP/1.1"},
      {"C16", "GET /a\x01 HTTP/1.1"},
      {"C16", "GET /\xc3\xa9 HTTP/1.1"},
      {"C16", "GET /a\xff HTTP/1.1"},
  };
  for (const auto& [name, line] : kLines) EXPECT_EQ(status_of(line), "400") << name << ": " << line;
  EXPECT_EQ(status_of("GET /" + std::string(64 * 1024, 'a') + " HTTP/1.1"), "414") << "C17";
  EXPECT_EQ(upstream_.requests, 0);
  EXPECT_EQ(status_of("GET /" + std::string(8000, 'a') + " HTTP/1.1"), "200") << "C17";
}

TEST_P(PathModesOnTheWire, c07_a_query_and_c18_the_letters_and_dot_of_a_host_change_no_decision) {
  Route guard = route_to("/a", "a");
  guard.match.path.kind = PathMatch::Kind::kExact;
  guard.action = DirectAction{.status = 403, .body = {}};
  RouteTable table = table_of({route_to("/", "a")});
  table.ignore_port_in_host = true;
  VirtualHost secret;
  secret.name = "secret";
  secret.domains = {"secret.com"};
  secret.routes = {guard};
  table.hosts.push_back(secret);
  ASSERT_TRUE(plane_.apply(std::move(table), {cluster_of("a", {upstream_.address()})}));
  for (const char* host : {"secret.com", "Secret.com", "secret.com:80", "secret.com.", "SECRET.COM.:80"})
    for (const char* path : {"/a", "/a?", "/a?x", "/a?x=/b"})
      EXPECT_EQ(status_of(std::string("GET ") + path + " HTTP/1.1", host), "403") << host << path;
  EXPECT_EQ(status_of("GET /a HTTP/1.1", "secret.com.example"), "200");
}

TEST_P(PathModesOnTheWire, c19_a_scheme_is_compared_without_case) {
  Route guard = route_to("/a", "a");
  HeaderMatch scheme_of_request{.name = ":scheme", .match = {}};
  scheme_of_request.match.text = "http";
  guard.match.headers = {scheme_of_request};
  guard.action = DirectAction{.status = 403, .body = {}};
  apply({guard});
  for (const char* scheme : {"http", "hTTp", "HTTP"})
    EXPECT_EQ(status_of(std::string("GET ") + scheme + "://a/a HTTP/1.1"), "403") << scheme;
  plane_.http.use_remote_address = true;
  apply({guard});
  for (const char* scheme : {"https", "HTTPS", "hTTpS"})
    EXPECT_EQ(status_of(std::string("GET ") + scheme + "://a/a HTTP/1.1"), "403")
        << scheme << ": an edge without TLS";
}

TEST_P(PathModesOnTheWire, c21_no_path_makes_a_location_without_a_host) {
  Route by_prefix = route_to("/old", "a"), by_scheme = route_to("/", "a");
  RedirectAction without_prefix, to_https;
  without_prefix.prefix_rewrite = "/";
  to_https.scheme = "https";
  by_prefix.action = without_prefix;
  by_scheme.action = to_https;
  apply({by_prefix, by_scheme});
  for (const char* path : {"//evil.example", "/%2fevil.example", "/\\evil.example", "/old//evil.example",
                           "/old/evil.example", "/old/..//evil.example"}) {
    const http::Response response = plane_.get(path);
    const std::string location(response.head.headers.get("location").value_or("none"));
    EXPECT_TRUE(location.starts_with("http://test/") || location.starts_with("https://test/"))
        << path << " → " << location;
  }
}

INSTANTIATE_TEST_SUITE_P(Istio, PathModesOnTheWire, ::testing::Range(std::size_t{0}, kModes.size()),
                         [](const auto& mode) { return std::string(kModes[mode.param]); });

}  // namespace
}  // namespace weft::proxy
