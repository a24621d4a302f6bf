#include <gtest/gtest.h>

#include "cli/command.h"
#include "cli/run.h"
#include "cli/testing/fake_console.h"
#include "install/testing/fake_cluster.h"

namespace weft::cli {
namespace {

using install::testing::ours;

constexpr const char* kControlPath = "/apis/apps/v1/namespaces/weft-system/deployments/weft-control";
constexpr const char* kRolePath = "/apis/rbac.authorization.k8s.io/v1/clusterroles/weft-control";

/// Commands against a cluster that a test made up.
class ClusterCommandsTest : public ::testing::Test {
 protected:
  Exit told(const CommandResult& result) {
    if (result) return *result;
    console.errors += result.error().text + "\n";
    return Exit::kFailed;
  }
  Exit check(CheckOptions options = {}) {
    console.output.clear();
    return told(run(loop, check_cluster(console, cluster, options)));
  }
  Exit uninstall(UninstallOptions options = {}) {
    console.output.clear();
    console.errors.clear();
    return told(run(loop, uninstall_from(console, loop, cluster, options)));
  }
  api::Json values() {
    CheckOptions options;
    options.output.format = Format::kJson;
    check(options);
    return api::Json::parse(console.output, nullptr, false);
  }

  net::Loop loop;
  install::testing::FakeCluster cluster;
  testing::FakeConsole console;
};

TEST_F(ClusterCommandsTest, check_prints_a_line_each_and_fails_when_one_does) {
  EXPECT_EQ(check(), Exit::kDone);
  EXPECT_EQ(console.output.find("FAIL"), std::string::npos) << console.output;
  EXPECT_NE(console.output.find("ok    namespace weft-system is free\n"), std::string::npos)
      << console.output;
  cluster.denied = {"services"};
  EXPECT_EQ(check(), Exit::kFailed);
  EXPECT_NE(console.output.find("FAIL  you may not create services; what to do: install as an administrator"),
            std::string::npos)
      << console.output;
}

TEST_F(ClusterCommandsTest, a_warning_is_not_a_failure) {
  cluster.minor = "29";
  EXPECT_EQ(check(), Exit::kDone);
  EXPECT_NE(console.output.find("warn  Kubernetes"), std::string::npos) << console.output;
}

TEST_F(ClusterCommandsTest, check_knows_by_the_control_plane_whether_it_comes_before_or_after) {
  check();
  EXPECT_NE(console.output.find("you may create"), std::string::npos);
  cluster.put(kControlPath, ours());
  EXPECT_EQ(check(), Exit::kFailed);
  EXPECT_NE(console.output.find("deployment weft-system/weft-control: 0 of 1 ready"), std::string::npos);
  CheckOptions before;
  before.when = CheckOptions::When::kBefore;
  EXPECT_EQ(check(before), Exit::kDone);
  EXPECT_NE(console.output.find("you may create"), std::string::npos);
}

TEST_F(ClusterCommandsTest, check_as_json_is_a_list_of_states_with_what_to_do) {
  cluster.denied = {"services"};
  const api::Json list = values();
  ASSERT_TRUE(list.is_array()) << console.output;
  std::size_t failed = 0;
  for (const api::Json& each : list) {
    const bool good = each["state"] == "ok";
    EXPECT_NE(good, each.contains("remedy")) << each.dump();
    if (each["state"] == "failed") ++failed;
  }
  EXPECT_EQ(failed, 1u);
  EXPECT_EQ(list[0]["what"], "Kubernetes v1.34.1: native sidecars, preStop sleep");
}

TEST_F(ClusterCommandsTest, a_wrong_profile_is_a_misuse) {
  CheckOptions options;
  options.profile = "defualt";
  EXPECT_EQ(check(options), Exit::kUsage);
  EXPECT_NE(console.errors.find("default"), std::string::npos) << console.errors;
}

TEST_F(ClusterCommandsTest, uninstall_of_nothing_says_so) {
  EXPECT_EQ(uninstall(), Exit::kDone);
  EXPECT_EQ(console.errors, "There is nothing of weft in this cluster.\n");
}

TEST_F(ClusterCommandsTest, a_dry_run_lists_and_deletes_nothing) {
  cluster.put(kControlPath, ours());
  UninstallOptions options;
  options.dry_run = DryRun::kClient;
  EXPECT_EQ(uninstall(options), Exit::kDone);
  EXPECT_EQ(console.output, "deployment weft-system/weft-control\n");
  EXPECT_TRUE(cluster.deleted.empty());
}

TEST_F(ClusterCommandsTest, a_dry_run_of_the_server_asks_it_for_each_and_names_what_it_would_keep) {
  cluster.put(kControlPath, ours());
  UninstallOptions options;
  options.dry_run = DryRun::kServer;
  EXPECT_EQ(uninstall(options), Exit::kDone);
  EXPECT_EQ(cluster.asked_to_delete, std::vector<std::string>{kControlPath});
  cluster.held = {kControlPath};
  EXPECT_EQ(uninstall(options), Exit::kFailed);
  EXPECT_EQ(console.errors, "deployment weft-system/weft-control would stay: it is held\n");
  EXPECT_TRUE(cluster.deleted.empty());
}

TEST_F(ClusterCommandsTest, a_person_at_the_terminal_is_asked_and_may_say_no) {
  cluster.put(kControlPath, ours());
  console.input_terminal = true;
  for (const char* no : {"n", "", "perhaps"}) {
    console.input = no;
    EXPECT_EQ(uninstall(), Exit::kFailed);
    EXPECT_NE(console.errors.find("Nothing was deleted."), std::string::npos);
    EXPECT_TRUE(cluster.deleted.empty());
  }
  console.input = " Yes ";
  EXPECT_EQ(uninstall(), Exit::kDone);
  EXPECT_NE(console.output.find("deployment weft-system/weft-control deleted\n"), std::string::npos);
}

TEST_F(ClusterCommandsTest, what_stayed_is_reported_and_is_a_failure) {
  cluster.put(kControlPath, ours());
  cluster.put(kRolePath, ours());
  cluster.held = {kRolePath};
  UninstallOptions options;
  options.yes = true;
  options.timeout = std::chrono::seconds(0);
  EXPECT_EQ(uninstall(options), Exit::kFailed);
  EXPECT_EQ(console.output, "deployment weft-system/weft-control deleted\n");
  EXPECT_NE(console.errors.find("clusterrole weft-control has stayed: it is still going"), std::string::npos)
      << console.errors;
}

}  // namespace
}  // namespace weft::cli
