#include <algorithm>

#include "api/merge.h"
#include "cli/json_path.h"
#include "cli/testing/command_test.h"
#include "store/testing/forwarding_store.h"

namespace weft::cli {
namespace {

using ApplyTest = testing::CommandTest;

constexpr const char* kConfig =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: one, b: two}\n";
constexpr const char* kRule =
    "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews}\nspec:\n  hosts: "
    "[reviews]\n"
    "  http:\n  - route:\n    - destination: {host: reviews, subset: v1}\n";
constexpr const char* kDeployment =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {app: d}}\n"
    "  template:\n    metadata: {labels: {app: d}}\n    spec:\n      containers:\n      - {name: main, "
    "image: x}\n";

TEST_F(ApplyTest, CreatesConfiguresAndLeavesUnchangedWithKubectlsText) {
  EXPECT_EQ(apply_text(kRule), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "virtualservice.networking.istio.io/reviews created\n");
  EXPECT_EQ(apply_text(kRule), Exit::kDone);
  EXPECT_EQ(console.output, "virtualservice.networking.istio.io/reviews unchanged\n");
  std::string other = kRule;
  other.replace(other.find("v1}"), 2, "v2");
  EXPECT_EQ(apply_text(other), Exit::kDone);
  EXPECT_EQ(console.output, "virtualservice.networking.istio.io/reviews configured\n");
  EXPECT_EQ(text_at(object("vs", "reviews")->spec().at("http")[0]["route"][0], "destination.subset"), "v2");
}

TEST_F(ApplyTest, RemovesWhatTheFileNoLongerSaysAndKeepsWhatOthersSet) {
  ASSERT_EQ(apply_text(kConfig), Exit::kDone) << console.errors;
  api::Object changed = *object("cm", "c");
  changed.body["data"]["mine"] = "kept";
  ASSERT_TRUE(run(loop, store->update(std::move(changed))));
  ASSERT_EQ(apply_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: uno}\n"),
            Exit::kDone);
  EXPECT_EQ(console.output, "configmap/c configured\n");
  EXPECT_EQ(at(object("cm", "c")->body, "data"), api::Json({{"a", "uno"}, {"mine", "kept"}}));
  const auto remembered = api::Json::parse(object("cm", "c")->annotation(api::kLastApplied));
  EXPECT_EQ(at(remembered, "data"), api::Json({{"a", "uno"}}));
}

TEST_F(ApplyTest, KeepsAScaleThatTheFileDoesNotSpeakOf) {
  ASSERT_EQ(apply_text(kDeployment), Exit::kDone) << console.errors;
  ScaleOptions three;
  three.resources = {"deploy/d"};
  three.replicas = 3;
  three.wait = false;
  ASSERT_EQ(run_one(scale(*context, three)), Exit::kDone) << console.errors;
  EXPECT_EQ(apply_text(kDeployment), Exit::kDone);
  EXPECT_EQ(console.output, "deployment.apps/d unchanged\n");
  EXPECT_EQ(number_at(object("deploy", "d")->spec(), "replicas"), 3);
}

TEST_F(ApplyTest, AppliesNothingOfAFileWithAProblemAndNamesEveryProblem) {
  const std::string good = write("a.yaml", kConfig);
  const std::string bad =
      write("b.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - prot: 1\n");
  const std::string worse = write("c.yaml", "apiVersion: v1\nkind: Serivce\nmetadata: {name: a}\n");
  ApplyOptions options;
  options.files = {good, bad, worse, folder.string() + "/none.yaml"};
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kFailed);
  EXPECT_NE(console.errors.find("b.yaml:6"), std::string::npos) << console.errors;
  EXPECT_NE(console.errors.find("prot"), std::string::npos) << console.errors;
  EXPECT_NE(console.errors.find("c.yaml:2"), std::string::npos) << console.errors;
  EXPECT_NE(console.errors.find("none.yaml"), std::string::npos) << console.errors;
  EXPECT_EQ(console.output, "");
  EXPECT_FALSE(object("cm", "c"));
}

TEST_F(ApplyTest, ReadsFoldersByNameAndBelowWithR) {
  write("rules/b.yaml", kConfig);
  write("rules/a.json", R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "first"}})");
  write("rules/notes.txt", "not an object");
  write("rules/deep/c.yml", kRule);
  ApplyOptions options;
  options.files = {folder.string() + "/rules"};
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "configmap/first created\nconfigmap/c created\n");
  options.recursive = true;
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output,
            "configmap/first unchanged\nconfigmap/c unchanged\nvirtualservice.networking.istio.io/reviews "
            "created\n");
}

TEST_F(ApplyTest, PassesOverAKustomizationInAFolderAndSaysSo) {
  write("rules/c.yaml", kConfig);
  write("rules/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [c.yaml]\n");
  ApplyOptions options;
  options.files = {(folder / "rules").string()};
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "configmap/c created\n");
  EXPECT_NE(console.errors.find("kustomization.yaml is passed over; 'weft apply -k "), std::string::npos)
      << console.errors;
}

TEST_F(ApplyTest, AppliesWhatAKustomizationMakesOfItsResources) {
  write("base/d.yaml", kDeployment);
  write("base/kustomization.yaml", "resources:\n- d.yaml\n");
  write("top/ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n");
  write("top/kustomization.yaml",
        "kind: Kustomization\nnamespace: shop\nresources:\n- ns.yaml\n- ../base\nimages:\n- name: x\n  "
        "newName: "
        "registry:5000/y\n  newTag: v2\npatches:\n- target: {kind: Deployment}\n  patch: |\n    - op: add\n"
        "      path: /spec/replicas\n      value: 3\n");
  ApplyOptions options;
  options.kustomization = (folder / "top").string();
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "namespace/shop created\ndeployment.apps/d created\n");
  global.ns = "shop";
  GetOptions get_options;
  get_options.resources = {"deploy/d"};
  get_options.output = {Format::kJsonPath, "{.spec.replicas} {.spec.template.spec.containers[0].image}"};
  EXPECT_EQ(run_one(get(*context, get_options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "3 registry:5000/y:v2");
}

TEST_F(ApplyTest, KnowsAnImageOfAKustomizationByItsNameWhateverFollowsIt) {
  const std::string deployment(kDeployment);
  const auto at = deployment.find("image: x");
  ASSERT_NE(at, std::string::npos) << deployment;
  const std::pair<const char*, const char*> cases[] = {
      {"x", "x:v2"}, {"x:v1", "x:v2"}, {"x@sha256:ab", "x:v2"}, {"x:v1@sha256:ab", "x:v2"}, {"y:x", "y:x"}};
  for (const auto& [image, wanted] : cases) {
    std::string changed = deployment;
    write("k/d.yaml", changed.replace(at, 8, std::string("image: \"") + image + "\""));
    write("k/kustomization.yaml", "resources: [d.yaml]\nimages: [{name: x, newTag: v2}]\n");
    ApplyOptions options;
    options.kustomization = (folder / "k").string();
    EXPECT_EQ(run_one(apply(*context, options)), Exit::kDone) << console.errors;
    GetOptions get_options;
    get_options.resources = {"deploy/d"};
    get_options.output = {Format::kJsonPath, "{.spec.template.spec.containers[0].image}"};
    EXPECT_EQ(run_one(get(*context, get_options)), Exit::kDone) << console.errors;
    EXPECT_EQ(console.output, wanted) << image;
  }
}

TEST_F(ApplyTest, NamesWhatOfAKustomizationItCannotDo) {
  const std::pair<const char*, const char*> cases[] = {
      {"namePrefix: a-\nresources: [c.yaml]\n", "namePrefix: weft does not know this field"},
      {"resources: [none.yaml]\n", "none.yaml: No such file"},
      {"resources: [https://example.org/x]\n", "weft fetches nothing"},
      {"resources: [../k]\n", "16 levels deep"},
      {"resources: [5]\n", "each must be a file or a folder"},
      {"resources: [c.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{op: replace, path: /x/y, value: "
       "1}]'}]\n",
       "does not fit ConfigMap c"},
      {"resources: [c.yaml]\npatches: [{path: p.yaml}]\n", "patches: path: weft does not know"},
      {"resources: [c.yaml]\npatches: [{target: {kind: ConfigMap}, patch: 'spec: {}'}]\n", "must be a list"},
      {"resources: [c.yaml]\npatches: [{target: {name: 'c.*'}, patch: '[]'}]\n",
       "patches: target: name: c.*: patterns are not supported by weft yet"},
      {"a: [\n", "kustomization.yaml:1: not YAML"},
  };
  write("k/c.yaml", kConfig);
  for (const auto& [text, wanted] : cases) {
    write("k/kustomization.yaml", text);
    ApplyOptions options;
    options.kustomization = (folder / "k").string();
    EXPECT_EQ(run_one(apply(*context, options)), Exit::kFailed) << text;
    EXPECT_NE(console.errors.find(wanted), std::string::npos) << text << console.errors;
    EXPECT_EQ(console.output, "");
  }
}

TEST_F(ApplyTest, FetchesNothingAndSaysWhatDoes) {
  ApplyOptions options;
  options.files = {"https://example.org/rule.yaml"};
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kFailed);
  EXPECT_NE(console.errors.find("curl -fsSL https://example.org/rule.yaml | weft apply -f -"),
            std::string::npos);
}

TEST_F(ApplyTest, OnlySaysWhatItWouldDoInADryRun) {
  EXPECT_EQ(apply_text(kConfig, {.files = {}, .dry_run = DryRun::kClient}), Exit::kDone);
  EXPECT_EQ(console.output, "configmap/c created (dry run)\n");
  EXPECT_FALSE(object("cm", "c"));
  EXPECT_TRUE(mesh.asked.empty());
}

TEST_F(ApplyTest, AsksTheApiInADryRunOfTheServerAndKeepsNothing) {
  const ApplyOptions asked{.files = {}, .dry_run = DryRun::kServer};
  EXPECT_EQ(apply_text(kConfig, asked), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "configmap/c created (server dry run)\n");
  EXPECT_FALSE(object("cm", "c"));
  // This command alone does not know which namespaces there are.
  global.ns = "none";
  EXPECT_EQ(apply_text(kConfig, {.files = {}, .dry_run = DryRun::kClient}), Exit::kDone);
  EXPECT_EQ(apply_text(kConfig, asked), Exit::kFailed) << console.output;
  EXPECT_NE(console.errors.find("none"), std::string::npos) << console.errors;
  global.ns = "default";
  ASSERT_EQ(apply_text(kConfig), Exit::kDone) << console.errors;
  EXPECT_EQ(apply_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: uno}\n", asked),
            Exit::kDone);
  EXPECT_EQ(console.output, "configmap/c configured (server dry run)\n");
  EXPECT_EQ(text_at(object("cm", "c")->body, "data.a"), "one");
}

TEST_F(ApplyTest, PutsObjectsWithoutANamespaceIntoTheOneThatIsNamed) {
  ASSERT_EQ(apply_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n"), Exit::kDone)
      << console.errors;
  global.ns = "other";
  ASSERT_EQ(apply_text(kConfig), Exit::kDone) << console.errors;
  EXPECT_FALSE(object("cm", "c"));
  EXPECT_TRUE(run(loop, store->get({api::find_kind_by_name("cm"), "other", "c"})));
}

TEST_F(ApplyTest, WaitsUntilTheNewestVersionIsInForce) {
  mesh.responses["applied"] = {200, {{"applied", true}, {"proxies", api::Json::array()}}};
  ASSERT_EQ(apply_text(std::string(kConfig) + "---\n" + kRule), Exit::kDone) << console.errors;
  ASSERT_EQ(mesh.asked.size(), 2u) << "what there is to say of the objects is asked for afterwards";
  EXPECT_EQ(mesh.asked[0],
            "applied?resourceVersion=" + std::to_string(object("vs", "reviews")->resource_version()) +
                "&timeoutSeconds=30&since=" + std::to_string(object("cm", "c")->resource_version()));
}

TEST_F(ApplyTest, FailsWhenAProxyRejectsOrDoesNotConfirmAndNamesIt) {
  mesh.responses["applied"] = {
      504, api::Json::parse(R"({"applied": false, "missing": [{"proxy": "p.default"}], "rejected": []})")};
  EXPECT_EQ(apply_text(kRule), Exit::kFailed);
  EXPECT_NE(console.errors.find("p.default has not confirmed"), std::string::npos) << console.errors;
  EXPECT_NE(console.errors.find("after 30 s; see 'weft proxy-status'"), std::string::npos) << console.errors;
  mesh.responses["applied"] = {
      409, api::Json::parse(R"({"rejected": [{"proxy": "p.default", "reason": "RDS: no"}]})")};
  EXPECT_EQ(apply_text(kRule), Exit::kFailed);
  EXPECT_NE(console.errors.find("p.default rejected the change and keeps what it had: RDS: no\n"),
            std::string::npos)
      << console.errors;
  EXPECT_EQ(console.output, "virtualservice.networking.istio.io/reviews unchanged\n");
  mesh.responses["applied"] = {500, nullptr};
  EXPECT_EQ(apply_text(kRule), Exit::kFailed);
  EXPECT_NE(console.errors.find("500"), std::string::npos) << console.errors;
  EXPECT_EQ(apply_text(kRule, {.files = {}, .wait = false}), Exit::kDone);
}

constexpr const char* kRemarks = R"({"remarks": [
  {"kind": "VirtualService", "group": "networking.istio.io", "namespace": "default", "name": "reviews",
   "remark": "Waiting", "field": "spec.hosts[0]", "message": "waits for host reviews: there is no such service"},
  {"kind": "VirtualService", "group": "networking.istio.io", "namespace": "default", "name": "other",
   "remark": "Waiting", "field": "", "message": "is another's"}]})";

TEST_F(ApplyTest, WarnsWithFileAndLineOfWhatCannotHaveItsEffectAndDoesNotFail) {
  mesh.responses["applied"] = {200, {{"applied", true}}};
  mesh.responses["remarks"] = {200, api::Json::parse(kRemarks)};
  ApplyOptions options;
  options.files = {write("rule.yaml", kRule)};
  EXPECT_EQ(run_one(apply(*context, options)), Exit::kDone);
  EXPECT_EQ(console.errors, "warning: " + options.files[0] +
                                ":5: spec.hosts[0]: waits for host reviews: there is no such service\n");
  EXPECT_EQ(console.output, "virtualservice.networking.istio.io/reviews created\n");
}

TEST_F(ApplyTest, AsksForFailuresSinceTheFirstObjectThatItWrote) {
  ASSERT_EQ(apply_text(kRule), Exit::kDone) << console.errors;
  mesh.asked.clear();
  ASSERT_EQ(apply_text(std::string(kRule) + "---\n" + kDeployment + "---\n" + kConfig), Exit::kDone)
      << console.errors;
  ASSERT_FALSE(mesh.asked.empty());
  EXPECT_EQ(mesh.asked[0],
            "applied?resourceVersion=" + std::to_string(object("cm", "c")->resource_version()) +
                "&timeoutSeconds=30&since=" + std::to_string(object("deploy", "d")->resource_version()));
}

/// A store in which another client writes between a reader's get and its update, so many times.
class ContestedStore final : public store::testing::ForwardingStore {
 public:
  ContestedStore(store::Store& inner, int contests) : ForwardingStore(inner), left_(contests) {}
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override {
    if (left_ > 0) {
      --left_;
      WEFT_CO_TRY(const api::ObjectPtr live, co_await inner_.get(object.key()));
      api::Object other = *live;
      other.body["data"]["contest"] = std::to_string(left_);
      WEFT_CO_CHECK(co_await inner_.update(std::move(other)));
    }
    co_return co_await inner_.update(std::move(object));
  }

 private:
  int left_;
};

TEST_F(ApplyTest, MergesAgainWhenAnotherClientWroteMeanwhile) {
  ASSERT_EQ(apply_text(kConfig), Exit::kDone) << console.errors;
  ContestedStore contested(*store, 3);
  const Context there{console, loop, contested, mesh, global, *state};
  console.input = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: uno, b: two}\n";
  ApplyOptions options;
  options.files = {"-"};
  EXPECT_EQ(run_one(apply(there, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(at(object("cm", "c")->body, "data"), api::Json({{"a", "uno"}, {"b", "two"}, {"contest", "0"}}));
}

/// A store that takes its time for each object created, the longer the earlier it came, and may reject some.
class SlowStore final : public store::testing::ForwardingStore {
 public:
  SlowStore(net::Loop& loop, store::Store& inner) : ForwardingStore(inner), loop_(loop) {}
  std::function<Error(const api::Object&)> reject = [](const api::Object&) { return Error{}; };
  std::vector<std::string> sent;
  std::size_t under_way = 0, most = 0;

  net::Task<Result<api::ObjectPtr>> create(api::Object object) override {
    sent.emplace_back(object.name());
    most = std::max(most, ++under_way);
    for (std::size_t turns = 40 - sent.size() % 40; turns > 0; --turns) co_await loop_.yield();
    --under_way;
    if (Error error = reject(object); !error.text.empty()) co_return fail(std::move(error));
    co_return co_await inner_.create(std::move(object));
  }

 private:
  net::Loop& loop_;
};

class ApplyManyTest : public ApplyTest {
 protected:
  Exit apply_to_slow(const std::string& text) {
    console.input = text;
    ApplyOptions options;
    options.files = {"-"};
    return run_one(apply(there, options));
  }
  static std::string config_maps(int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m" + std::to_string(i) + "}\n---\n";
    return text;
  }
  SlowStore slow{loop, *store};
  Context there{console, loop, slow, mesh, global, *state};
};

TEST_F(ApplyManyTest, SendsSomeTogetherAndSaysWhatBecameOfThemInTheOrderOfTheFile) {
  slow.reject = [](const api::Object& object) {
    return object.name() == "m70" ? Error::config(Code::kDenied, "not this one") : Error{};
  };
  EXPECT_EQ(apply_to_slow(config_maps(200)), Exit::kFailed);
  EXPECT_GT(slow.most, 32u);
  EXPECT_LE(slow.most, 64u);
  std::string expected;
  for (int i = 0; i < 200; ++i)
    if (i != 70) expected += "configmap/m" + std::to_string(i) + " created\n";
  EXPECT_EQ(console.output, expected);
  EXPECT_EQ(console.errors, "configmap/m70: not this one\n");
  EXPECT_TRUE(object("cm", "m199"));
}

TEST_F(ApplyManyTest, SendsANamespaceBeforeWhatIsInItAndARuleAfterWhatItLeadsTo) {
  EXPECT_EQ(
      apply_to_slow("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n---\n"
                    "apiVersion: v1\nkind: Service\nmetadata: {name: reviews}\nspec: {ports: [{port: "
                    "80}]}\n---\n" +
                    std::string(kRule) + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"),
      Exit::kDone)
      << console.errors;
  EXPECT_EQ(slow.sent, (std::vector<std::string>{"shop", "c", "reviews", "reviews"}));
  EXPECT_LT(object("svc", "reviews")->resource_version(), object("vs", "reviews")->resource_version());
  EXPECT_EQ(console.output,
            "configmap/c created\nservice/reviews created\n"
            "virtualservice.networking.istio.io/reviews created\nnamespace/shop created\n");
}

TEST_F(ApplyManyTest, SendsNoMoreToAServerThatDoesNotRespond) {
  slow.reject = [](const api::Object& object) {
    return object.name() == "m5" || object.name() == "m9"
               ? Error::upstream(Code::kTimeout, Retry::kNever, "does not respond")
               : Error{};
  };
  EXPECT_EQ(apply_to_slow(config_maps(500)), Exit::kFailed);
  EXPECT_LT(slow.sent.size(), 200u);
  EXPECT_EQ(console.errors, "configmap/m5: does not respond\n");
  EXPECT_TRUE(console.output.starts_with("configmap/m0 created\n")) << console.output;
  EXPECT_EQ(std::ranges::count(console.output, '\n'), static_cast<long>(slow.sent.size()) - 2)
      << "what has been written is said";
}

}  // namespace
}  // namespace weft::cli
