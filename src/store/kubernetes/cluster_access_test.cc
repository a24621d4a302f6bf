#include "store/kubernetes/cluster_access.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "base/base64.h"
#include "store/kubernetes/api_client.h"
#include "store/kubernetes/bearer_token.h"
#include "store/kubernetes/server_url.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

class ClusterAccessTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = directory_.path + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  AccessOptions options() {
    AccessOptions made;
    made.environment = [this](const char* name) { return variables_[name]; };
    made.service_account_directory = directory_.path + "/pod";
    return made;
  }
  std::string error_of(const std::string& text) {
    AccessOptions made = options();
    made.kubeconfig = write("config", text);
    const auto access = read_kubeconfig(made);
    if (access) return "no error";
    return access.error().text.substr(access.error().text.find("/config") + 1);
  }

  testing::Directory directory_;
  std::map<std::string, std::string> variables_;
};

constexpr std::string_view kWhole = R"(apiVersion: v1
kind: Config
current-context: one
clusters:
- name: c1
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority: pki/ca.crt
- name: c2
  cluster:
    server: https://[2001:db8::1]/prefix/
    tls-server-name: api.example.com
    certificate-authority-data: Um9vdA==
users:
- name: u1
  user:
    client-certificate-data: Q2VydA==
    client-key-data: S2V5
- name: u2
  user: {token: abc}
contexts:
- name: one
  context: {cluster: c1, user: u1, namespace: prod}
- name: two
  context: {cluster: c2, user: u2}
)";

TEST_F(ClusterAccessTest, reads_the_current_context_with_files_beside_it) {
  AccessOptions made = options();
  made.kubeconfig = write("home/config", std::string(kWhole));
  write("home/pki/ca.crt", "CA FILE");
  const auto access = read_kubeconfig(made);
  ASSERT_TRUE(access) << access.error().text;
  EXPECT_EQ(access->authority(), "10.0.0.1:6443");
  EXPECT_EQ(access->server_name, "10.0.0.1");
  EXPECT_EQ(access->roots_pem, "CA FILE");
  EXPECT_EQ(access->certificate_chain_pem, "Cert");
  EXPECT_EQ(access->private_key_pem, "Key");
  EXPECT_EQ(access->ns, "prod");
  EXPECT_TRUE(access->token.empty());
}

TEST_F(ClusterAccessTest, reads_a_named_context) {
  AccessOptions made = options();
  made.kubeconfig = write("config", std::string(kWhole));
  made.context = "two";
  const auto access = read_kubeconfig(made);
  ASSERT_TRUE(access) << access.error().text;
  EXPECT_EQ(access->authority(), "[2001:db8::1]:443");
  EXPECT_EQ(access->base_path, "/prefix");
  EXPECT_EQ(access->server_name, "api.example.com");
  EXPECT_EQ(access->roots_pem, "Root");
  EXPECT_EQ(access->token, "abc");
  EXPECT_EQ(access->ns, "default");
  made.context = "three";
  EXPECT_EQ(read_kubeconfig(made).error().code, Code::kNotFound);
}

TEST_F(ClusterAccessTest, of_several_files_the_first_that_names_a_thing_wins) {
  const std::string first =
      write("a/config", "current-context: two\nusers: [{name: u2, user: {tokenFile: t}}]\n");
  write("a/t", "from the file\n");
  const std::string second = write("config", std::string(kWhole));
  variables_["KUBECONFIG"] = first + ":" + directory_.path + "/missing::" + second;
  const auto access = find_cluster_access(options());
  ASSERT_TRUE(access) << access.error().text;
  EXPECT_EQ(access->server_name, "api.example.com");
  EXPECT_EQ(access->token_file, directory_.path + "/a/t");
}

TEST_F(ClusterAccessTest, without_any_word_the_file_in_the_home_directory_is_read) {
  variables_["HOME"] = directory_.path;
  EXPECT_EQ(find_cluster_access(options()).error().text,
            "there is no kubeconfig: " + directory_.path + "/.kube/config does not exist");
  write(".kube/config", std::string(kWhole));
  write(".kube/pki/ca.crt", "CA");
  EXPECT_TRUE(find_cluster_access(options()));
}

TEST_F(ClusterAccessTest, a_pod_finds_its_service_account) {
  variables_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  variables_["KUBERNETES_SERVICE_PORT"] = "443";
  EXPECT_EQ(find_cluster_access(options()).error().text,
            directory_.path + "/pod/token: No such file or directory");
  write("pod/token", "secret\n");
  write("pod/ca.crt", "CA");
  write("pod/namespace", "weft-system");
  const auto access = find_cluster_access(options());
  ASSERT_TRUE(access) << access.error().text;
  EXPECT_EQ(access->authority(), "[fd00::1]:443");
  EXPECT_EQ(access->ns, "weft-system");
  EXPECT_EQ(access->token_file, directory_.path + "/pod/token");
  variables_["KUBERNETES_SERVICE_PORT"] = "tcp://";
  EXPECT_FALSE(find_cluster_access(options()));
}

std::string config_of(const std::string& cluster, const std::string& user) {
  return "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\nclusters:\n- name: c\n  "
         "cluster:\n" +
         cluster + "users:\n- name: u\n  user:\n" + user;
}
constexpr const char* kCluster = "    server: https://h\n    certificate-authority-data: Um9vdA==\n";

TEST_F(ClusterAccessTest, what_is_wrong_is_said_with_file_line_and_field) {
  EXPECT_EQ(error_of(config_of(kCluster, "    exec: {command: aws}\n")),
            "config:11: users[0].user.exec: is not supported; give a token or a client certificate, e.g. by "
            "kubectl "
            "create token");
  EXPECT_EQ(error_of(config_of(kCluster, "    auth-provider: {name: gcp}\n")).substr(0, 36),
            "config:11: users[0].user.auth-provid");
  EXPECT_EQ(
      error_of(config_of("    server: https://h\n    insecure-skip-tls-verify: true\n", "    token: a\n")),
      "config:7: clusters[0].cluster.insecure-skip-tls-verify: is not supported; give "
      "certificate-authority-data instead");
  EXPECT_EQ(error_of(config_of("    server: http://h\n", "    token: a\n")),
            "config:6: clusters[0].cluster.server: \"http://h\": a server without TLS is not talked to; use "
            "https://");
  EXPECT_EQ(error_of(config_of("    server: https://h\n", "    token: a\n")).substr(0, 60),
            "config:6: clusters[0].cluster.certificate-authority-data: mi");
  EXPECT_EQ(
      error_of(config_of("    server: https://h\n    certificate-authority-data: '*'\n", "    token: a\n")),
      "config:7: clusters[0].cluster.certificate-authority-data: is not base64");
  EXPECT_EQ(error_of(config_of(kCluster, "    client-certificate-data: Q2VydA==\n")).substr(0, 30),
            "config:11: users[0].user: clie");
  EXPECT_EQ(error_of("contexts: []\n").substr(0, 31), "config: current-context: not se");
  EXPECT_EQ(error_of("a: [\n").substr(0, 7), "config:");
  EXPECT_EQ(error_of("- 1\n").substr(0, 31), "config: current-context: not se");
  EXPECT_EQ(error_of("current-context: x\ncontexts: [{name: x, context: {cluster: d}}]\n"),
            "config:2: contexts[0].context.cluster: there is no cluster called \"d\"");
}

TEST(ServerUrl, is_read_in_all_its_forms_and_rejected_otherwise) {
  const auto url = parse_server_url("https://api.example.com:6443/k8s/c-1/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host + " " + std::to_string(url->port) + " " + url->path, "api.example.com 6443 /k8s/c-1");
  EXPECT_EQ(parse_server_url("https://h")->port, 443);
  EXPECT_EQ(parse_server_url("https://[::1]:1")->host, "::1");
  for (const char* bad :
       {"", "h", "https://", "https://:1", "https://h:", "https://h:0", "https://h:70000", "https://[::1",
        "https://[::1]x", "https://a@h", "https://h/?x", "ftp://h", "https://h:1:2"})
    EXPECT_FALSE(parse_server_url(bad)) << bad;
}

TEST(BearerToken, is_read_again_after_a_minute_and_kept_when_the_file_is_gone) {
  const testing::Directory directory;
  const std::string file = directory.path + "/token";
  BearerToken token("", file);
  const TimePoint start = TimePoint() + 1000h;
  EXPECT_FALSE(token.at(start));
  std::ofstream(file) << " one\n";
  EXPECT_EQ(*token.at(start), "one");
  std::ofstream(file) << "two";
  EXPECT_EQ(*token.at(start + 59s), "one");
  EXPECT_EQ(*token.at(start + 61s), "two");
  std::ofstream(file) << "three";
  EXPECT_TRUE(token.rejected());
  EXPECT_EQ(*token.at(start + 62s), "three");
  std::filesystem::remove(file);
  EXPECT_EQ(*token.at(start + 200s), "three");
  BearerToken fixed("f", "");
  EXPECT_FALSE(fixed.rejected());
  EXPECT_EQ(*fixed.at(start), "f");
}

TEST(ResolveHost, takes_addresses_as_they_are_and_looks_names_up) {
  EXPECT_EQ((*resolve_host("::1", 6443))[0].to_string(), "[::1]:6443");
  const auto local = resolve_host("localhost", 5);
  ASSERT_TRUE(local) << local.error().text;
  for (const net::Address& each : *local)
    EXPECT_TRUE(each.is_loopback() && each.port() == 5) << each.to_string();
  const auto unknown = resolve_host("no_such..name", 5);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace weft::store
