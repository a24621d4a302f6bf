#include <gtest/gtest.h>

#include "cli/command.h"
#include "cli/testing/fake_console.h"

namespace weft::cli {
namespace {

constexpr const char* kPod =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n";

struct KubeInjectTest : ::testing::Test {
  std::string injected(const AskCluster& ask, KubeInjectOptions options = {}) {
    console.input = kPod;
    console.output.clear();
    console.errors.clear();
    options.file = "-";
    const auto done = kube_inject(console, GlobalOptions{}, options, ask);
    return done ? console.output : done.error().text;
  }
  static AskCluster cluster(int minor, std::string settings = {}) {
    return [=] { return ClusterFacts{"kubeconfig, context lab", minor, settings, {}}; };
  }
  static bool native(const std::string& text) { return text.find("restartPolicy: Always") != text.npos; }
  static bool waits(const std::string& text) { return text.find("sleep:") != text.npos; }

  testing::FakeConsole console;
};

TEST_F(KubeInjectTest, takes_the_form_that_the_cluster_knows) {
  EXPECT_FALSE(native(injected(cluster(28))));
  EXPECT_TRUE(native(injected(cluster(29))));
  EXPECT_FALSE(waits(injected(cluster(29))));
  EXPECT_TRUE(waits(injected(cluster(30))));
  EXPECT_EQ(console.errors, "");
}

TEST_F(KubeInjectTest, takes_the_form_that_is_asked_for) {
  KubeInjectOptions options;
  options.form = KubeInjectOptions::Form::kNative;
  EXPECT_TRUE(native(injected(cluster(28), options)));
  options.form = KubeInjectOptions::Form::kClassic;
  EXPECT_FALSE(native(injected(cluster(34), options)));
  EXPECT_TRUE(waits(injected(cluster(34), options)));
  EXPECT_FALSE(waits(injected({}, options)));
}

TEST_F(KubeInjectTest, makes_native_sidecars_without_a_cluster_and_says_why_it_was_not_asked) {
  EXPECT_TRUE(native(injected({})));
  EXPECT_TRUE(native(injected([] { return fail(Error::config(Code::kNotFound, "no kubeconfig")); })));
  EXPECT_EQ(console.errors, "");
  EXPECT_TRUE(
      native(injected([] { return fail(Error::config(Code::kTimeout, "10.0.0.1:6443: no response")); })));
  EXPECT_EQ(console.errors,
            "the cluster was not asked for its version and settings: 10.0.0.1:6443: no response\n");
}

TEST_F(KubeInjectTest, takes_the_mesh_s_settings_and_rejects_wrong_ones_by_their_place) {
  EXPECT_NE(injected(cluster(34, "image: example/weft:9\n")).find("image: example/weft:9"),
            std::string::npos);
  EXPECT_EQ(
      injected(cluster(34, "\nimgae: x\n")),
      "ConfigMap weft-system/weft-injector of kubeconfig, context lab:2: imgae: there is no such setting");
}

}  // namespace
}  // namespace weft::cli
