#include <unistd.h>

#include "cli/json_path.h"
#include "cli/log_times.h"
#include "cli/testing/command_test.h"
#include "local/instance_record.h"
#include "local/process.h"
#include "store/testing/forwarding_store.h"

namespace weft::cli {
namespace {

using CommandsTest = testing::CommandTest;

constexpr const char* kTwo =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {app: x}}\ndata: {k: v}\n---\n"
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n---\n"
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: reviews}\nspec: {host: "
    "reviews}\n";
constexpr const char* kDeployment =
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  selector: {matchLabels: {app: d}}\n"
    "  template:\n    metadata: {labels: {app: d}}\n    spec:\n      containers:\n      - {name: main, "
    "image: x}\n";

TEST_F(CommandsTest, GetSaysWhenThereIsNothing) {
  EXPECT_EQ(get_one({"pods"}), Exit::kDone);
  EXPECT_EQ(console.output, "");
  EXPECT_EQ(console.errors, "No resources found in default namespace.\n");
  EXPECT_EQ(get_one({"pod", "x"}), Exit::kFailed);
  EXPECT_EQ(console.errors, "Error from server (NotFound): pods \"x\" not found\n");
  EXPECT_EQ(get_one({"deploy/x"}), Exit::kFailed);
  EXPECT_EQ(console.errors, "Error from server (NotFound): deployments.apps \"x\" not found\n");
}

TEST_F(CommandsTest, GetPrintsWhatIsThereAndNamesWhatIsNot) {
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  EXPECT_EQ(get_one({"cm", "b", "none"}), Exit::kFailed);
  EXPECT_EQ(console.output.substr(0, 23), "NAME   DATA   AGE\nb    ") << console.output;
  EXPECT_EQ(console.errors, "Error from server (NotFound): configmaps \"none\" not found\n");
  GetOptions selected;
  selected.resources = {"cm"};
  selected.selector = "app=x";
  selected.no_headers = true;
  EXPECT_EQ(run_one(get(*context, selected)), Exit::kDone);
  EXPECT_EQ(console.output.substr(0, 2), "a ");
}

TEST_F(CommandsTest, GetPrintsSeveralTypesWithTheirNames) {
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  EXPECT_EQ(get_one({"dr,cm"}), Exit::kDone);
  EXPECT_NE(console.output.find("destinationrule.networking.istio.io/reviews   reviews"), std::string::npos)
      << console.output;
  EXPECT_NE(console.output.find("\n\nNAME"), std::string::npos) << console.output;
  EXPECT_EQ(get_one({"cm"}, {Format::kName, ""}), Exit::kDone);
  EXPECT_EQ(console.output, "configmap/a\nconfigmap/b\n");
}

TEST_F(CommandsTest, GetPrintsJsonYamlAndJsonpath) {
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  EXPECT_EQ(get_one({"cm"}, {Format::kJson, ""}), Exit::kDone);
  const api::Json list = api::Json::parse(console.output);
  EXPECT_EQ(text_at(list, "kind"), "List");
  ASSERT_EQ(at(list, "items").size(), 2u);
  EXPECT_EQ(text_at(at(list, "items")[0], "metadata.name"), "a");
  EXPECT_EQ(get_one({"cm/a"}, {Format::kYaml, ""}), Exit::kDone);
  EXPECT_EQ(console.output.substr(0, 15), "apiVersion: v1\n");
  EXPECT_NE(console.output.find("data:\n  k: v\n"), std::string::npos) << console.output;
  EXPECT_EQ(get_one({"cm"}, {Format::kJsonPath, "{.items[*].metadata.name}"}), Exit::kDone);
  EXPECT_EQ(console.output, "a b");
  EXPECT_EQ(get_one({"cm"}, {Format::kJsonPath, "{.items["}), Exit::kFailed);
}

TEST_F(CommandsTest, AWrongTypeIsWrongUsageWithASuggestion) {
  EXPECT_EQ(get_one({"podz"}), Exit::kUsage);
  EXPECT_NE(console.errors.find("did you mean \"pods\"?"), std::string::npos) << console.errors;
  EXPECT_EQ(get_one({"pods", "svc/x"}), Exit::kUsage);
  EXPECT_EQ(get_one({"pod/a", "b"}), Exit::kUsage);
}

TEST_F(CommandsTest, GetFollowsChanges) {
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  GetOptions options;
  options.resources = {"cm"};
  options.watch = true;
  console.output.clear();
  std::optional<CommandResult> ended;
  net::TaskScope scope;
  scope.spawn(detail::keep(get(*context, options), ended));
  while (console.output.find("\nb ") == std::string::npos) loop.run_once(1s);
  const api::Key key{api::find_kind_by_name("cm"), "default", "a"};
  console.output.clear();
  ASSERT_TRUE(run(loop, store->remove(key, -1, {})));
  while (console.output.empty()) loop.run_once(1s);
  EXPECT_EQ(console.output.substr(0, 2), "a ");
  EXPECT_FALSE(ended);
}

/// A store whose changes before the last list are not kept any more.
class ForgetfulStore : public store::testing::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  net::Task<Result<store::List>> list(store::Query query) override {
    auto listed = co_await inner_.list(std::move(query));
    if (listed && rejected_ >= reject) kept_from_ = listed->resource_version;
    co_return listed;
  }
  net::Task<Result<std::unique_ptr<store::Watch>>> watch(store::Query query, std::uint64_t from) override {
    if (from < kept_from_) {
      ++rejected_;
      co_return fail(Error::config(Code::kConflict, "too old resource version: " + std::to_string(from)));
    }
    co_return co_await inner_.watch(std::move(query), from);
  }
  int reject = 0;  ///< so many watches after a list are too late, too

 private:
  std::uint64_t kept_from_ = UINT64_MAX;
  int rejected_ = 0;
};

TEST_F(CommandsTest, GetFollowsOneObjectHoweverLongAgoItWasChanged) {
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  for (const int reject : {0, 1}) {
    ForgetfulStore forgetful(*store);
    forgetful.reject = reject;
    const Context far{console, loop, forgetful, mesh, global, *state};
    GetOptions options;
    options.resources = {"cm", "a"};
    options.watch = true;
    console.output.clear();
    std::optional<CommandResult> ended;
    net::TaskScope scope;
    scope.spawn(detail::keep(get(far, options), ended));
    for (int looks = 0; looks < 20; ++looks) loop.run_once(1ms);
    ASSERT_FALSE(ended) << (*ended ? "" : ended->error().text);
    EXPECT_EQ(console.output.substr(0, 25), "NAME   DATA   AGE\na      ") << console.output;
    console.output.clear();
    api::Object changed = *object("cm", "a");
    changed.body["data"] = {{"k", "v"}, {"more", std::to_string(reject)}};
    ASSERT_TRUE(run(loop, store->update(std::move(changed))));
    while (console.output.empty() && !ended) loop.run_once(1s);
    EXPECT_EQ(console.output.substr(0, 8), "a      2") << console.output;
  }
}

/// A watch that tells of one change, and breaks.
class OneChange final : public store::Watch {
 public:
  explicit OneChange(store::Event event) : event_(std::move(event)) {}
  net::Task<Result<store::Event>> next() override {
    if (std::exchange(told_, true))
      co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever, "the connection broke"));
    co_return event_;
  }

 private:
  store::Event event_;
  bool told_ = false;
};

/// Its first watch tells of what is older than the list, and breaks; the second is rejected.
class LateStore final : public ForgetfulStore {
 public:
  using ForgetfulStore::ForgetfulStore;
  net::Task<Result<std::unique_ptr<store::Watch>>> watch(store::Query, std::uint64_t from) override {
    watched_from.push_back(from);
    if (watched_from.size() > 1) co_return fail(Error::config(Code::kDenied, "no more"));
    co_return std::make_unique<OneChange>(store::Event{store::EventType::kBookmark, nullptr, 1});
  }
  std::vector<std::uint64_t> watched_from;
};

TEST_F(CommandsTest, GetGoesOnFromTheNewestVersionThatItHasSeen) {
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  LateStore late(*store);
  const Context far{console, loop, late, mesh, global, *state};
  GetOptions options;
  options.resources = {"cm"};
  options.watch = true;
  EXPECT_EQ(run_one(get(far, options)), Exit::kFailed);
  ASSERT_EQ(late.watched_from.size(), 2u);
  EXPECT_EQ(late.watched_from[1], late.watched_from[0]);
  EXPECT_GT(late.watched_from[0], 1u);
}

TEST_F(CommandsTest, DeleteOfAllTakesNoOffenceAtWhatWentWithItsOwner) {
  const std::string set =
      "apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: d-1\n  labels: {app: d}\n  "
      "ownerReferences:\n"
      "  - {apiVersion: apps/v1, kind: Deployment, name: d, controller: true, uid: UID}\n"
      "spec:\n  replicas: 1\n  selector: {matchLabels: {app: d}}\n  template:\n"
      "    metadata: {labels: {app: d}}\n    spec: {containers: [{name: main, image: x}]}\n";
  DeleteOptions everything, labelled;
  everything.resources = labelled.resources = {"deploy,rs"};
  everything.all = true;
  labelled.selector = "app=d";
  for (const DeleteOptions& options : {everything, labelled}) {
    ASSERT_EQ(apply_text(std::string(kDeployment)), Exit::kDone) << console.errors;
    api::Object owner = *object("deploy", "d");
    owner.body["metadata"]["labels"] = {{"app", "d"}};
    ASSERT_TRUE(run(loop, store->update(owner)));
    std::string owned = set;
    owned.replace(owned.find("UID"), 3, owner.uid());
    ASSERT_EQ(apply_text(owned), Exit::kDone) << console.errors;
    EXPECT_EQ(run_one(remove(*context, options)), Exit::kDone);
    EXPECT_EQ(console.errors, "");
    EXPECT_FALSE(object("rs", "d-1"));
  }
}

TEST_F(CommandsTest, DeleteRemovesByNameLabelAndFileAndWaitsUntilTheProxiesKnow) {
  mesh.responses["applied"] = {200, {{"applied", true}}};
  ASSERT_EQ(apply_text(kTwo), Exit::kDone) << console.errors;
  mesh.asked.clear();
  DeleteOptions rule;
  rule.resources = {"destinationrule", "reviews"};
  EXPECT_EQ(run_one(remove(*context, rule)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "destinationrule.networking.istio.io \"reviews\" deleted\n");
  ASSERT_EQ(mesh.asked.size(), 1u);
  EXPECT_EQ(mesh.asked[0],
            "applied?resourceVersion=" + std::to_string(store->resource_version()) + "&timeoutSeconds=60");
  EXPECT_EQ(run_one(remove(*context, rule)), Exit::kFailed);
  EXPECT_EQ(console.errors,
            "Error from server (NotFound): destinationrules.networking.istio.io \"reviews\" not found\n");
  rule.ignore_not_found = true;
  EXPECT_EQ(run_one(remove(*context, rule)), Exit::kDone);

  DeleteOptions labelled;
  labelled.resources = {"cm"};
  labelled.selector = "app=x";
  EXPECT_EQ(run_one(remove(*context, labelled)), Exit::kDone);
  EXPECT_EQ(console.output, "configmap \"a\" deleted\n");
  DeleteOptions file;
  file.files = {write("b.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n")};
  EXPECT_EQ(run_one(remove(*context, file)), Exit::kDone) << console.errors;
  EXPECT_FALSE(object("cm", "b"));
}

TEST_F(CommandsTest, DeleteOfATypeAloneIsWrongUsage) {
  DeleteOptions options;
  options.resources = {"cm"};
  EXPECT_EQ(run_one(remove(*context, options)), Exit::kUsage);
  EXPECT_EQ(run_one(remove(*context, {})), Exit::kUsage);
}

/// `weft scale` under way.
struct Scaling {
  Scaling(const Context& context, const ScaleOptions& options) {
    scope.spawn(detail::keep(scale(context, options), ended));
  }
  std::optional<CommandResult> ended;
  net::TaskScope scope;
};

TEST_F(CommandsTest, ScaleReturnsWhenSoManyAreReady) {
  ASSERT_EQ(apply_text(kDeployment), Exit::kDone) << console.errors;
  ScaleOptions options;
  options.resources = {"deployment", "d"};
  options.replicas = 2;
  Scaling scaling(*context, options);
  std::optional<CommandResult>& ended = scaling.ended;
  while (number_at(object("deploy", "d")->spec(), "replicas") != 2) loop.run_once(10ms);
  const std::string generation = std::to_string(object("deploy", "d")->generation());
  set_status("deploy", "d",
             R"({"observedGeneration": )" + generation + R"(, "replicas": 2, "readyReplicas": 1})");
  for (int looks = 0; looks < 3; ++looks) loop.run_once(1s);
  EXPECT_FALSE(ended);
  set_status("deploy", "d",
             R"({"observedGeneration": )" + generation + R"(, "replicas": 2, "readyReplicas": 2})");
  while (!ended) loop.run_once(1s);
  EXPECT_EQ(ended->value(), Exit::kDone);
  EXPECT_EQ(console.output, "deployment.apps/d created\ndeployment.apps/d scaled\n");
}

TEST_F(CommandsTest, ScaleEndsWhenTheOwnerSetsAnotherNumber) {
  ASSERT_EQ(apply_text(kDeployment), Exit::kDone) << console.errors;
  const std::string uid = text_at(object("deploy", "d")->body, "metadata.uid");
  ASSERT_EQ(
      apply_text("apiVersion: apps/v1\nkind: ReplicaSet\nmetadata:\n  name: d-1\n  ownerReferences:\n"
                 "  - {apiVersion: apps/v1, kind: Deployment, name: d, controller: true, uid: " +
                 uid +
                 "}\n"
                 "spec:\n  replicas: 1\n  selector: {matchLabels: {app: d}}\n  template:\n"
                 "    metadata: {labels: {app: d}}\n    spec: {containers: [{name: main, image: x}]}\n"),
      Exit::kDone)
      << console.errors;
  ScaleOptions options;
  options.resources = {"replicaset", "d-1"};
  options.replicas = 3;
  Scaling scaling(*context, options);
  std::optional<CommandResult>& ended = scaling.ended;
  while (number_at(object("rs", "d-1")->spec(), "replicas") != 3) loop.run_once(10ms);
  api::Object back = *object("rs", "d-1");
  back.body["spec"]["replicas"] = 1;
  ASSERT_TRUE(run(loop, store->update(std::move(back))));
  while (!ended) loop.run_once(1s);
  ASSERT_FALSE(ended->has_value());
  EXPECT_NE(ended->error().text.find("spec.replicas is 1 now; Deployment d, which owns it, sets it"),
            std::string::npos)
      << ended->error().text;
}

TEST_F(CommandsTest, ScaleSaysHowFarItCameWhenTheTimeIsUp) {
  ASSERT_EQ(apply_text(kDeployment), Exit::kDone) << console.errors;
  ScaleOptions options;
  options.resources = {"deploy/d"};
  options.replicas = 2;
  options.timeout = std::chrono::seconds(0);
  EXPECT_EQ(run_one(scale(*context, options)), Exit::kFailed);
  EXPECT_NE(console.errors.find("0 of 2 ready"), std::string::npos) << console.errors;
}

TEST_F(CommandsTest, DescribeShowsWhatARuleWaitsFor) {
  ASSERT_EQ(apply_text(
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews}\nspec:\n"
                "  hosts: [reviews]\n  http:\n  - route:\n    - destination: {host: reviews, subset: v9}\n"),
            Exit::kDone)
      << console.errors;
  set_status("vs", "reviews",
             R"({"conditions": [{"type": "Reconciled", "status": "False", "reason": "Waiting",
                                                  "message": "waits for subset v9 of host reviews"}]})");
  DescribeOptions options;
  options.resources = {"virtualservice", "reviews"};
  EXPECT_EQ(run_one(describe(*context, options)), Exit::kDone) << console.errors;
  EXPECT_NE(console.output.find("waits for subset v9 of host reviews"), std::string::npos) << console.output;
  EXPECT_NE(console.output.find("Name:                  reviews\nNamespace:             default\n"),
            std::string::npos)
      << console.output;
  EXPECT_EQ(console.output.find("last-applied"), std::string::npos) << console.output;
}

TEST_F(CommandsTest, DescribeShowsAHealthyRulesConditionsAndOfAnotherWhatIsWrongNow) {
  ASSERT_EQ(apply_text(
                "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: reviews}\nspec:\n"
                "  hosts: [review]\n  http:\n  - route:\n    - destination: {host: reviews}\n"),
            Exit::kDone)
      << console.errors;
  DescribeOptions options;
  options.resources = {"virtualservice", "reviews"};
  mesh.responses["remarks"] = {200, {{"remarks", api::Json::array()}}};
  EXPECT_EQ(run_one(describe(*context, options)), Exit::kDone) << console.errors;
  EXPECT_NE(console.output.find("True  AllFound: everything it names is there"), std::string::npos)
      << console.output;
  // What was true when the status was written is not what is said now.
  set_status("vs", "reviews",
             R"({"conditions": [{"type": "Resolved", "status": "True", "reason": "AllFound",
                                 "message": "everything it names is there"}]})");
  mesh.responses["remarks"].body["remarks"] = api::Json::array({{{"kind", "VirtualService"},
                                                                 {"group", "networking.istio.io"},
                                                                 {"namespace", "default"},
                                                                 {"name", "reviews"},
                                                                 {"remark", "Waiting"},
                                                                 {"field", "spec.hosts[0]"},
                                                                 {"message", "waits for host review"}}});
  EXPECT_EQ(run_one(describe(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output.find("AllFound"), std::string::npos) << console.output;
  EXPECT_NE(
      console.output.find("False  Waiting\nMessage:               spec.hosts[0]: waits for host review"),
      std::string::npos)
      << console.output;
}

TEST_F(CommandsTest, DescribeNeverShowsASecretsValues) {
  ASSERT_EQ(
      apply_text(
          "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ntype: Opaque\ndata: {password: c2VjcmV0}\n"),
      Exit::kDone)
      << console.errors;
  DescribeOptions options;
  options.resources = {"secret", "s"};
  EXPECT_EQ(run_one(describe(*context, options)), Exit::kDone);
  EXPECT_NE(console.output.find("6 bytes"), std::string::npos) << console.output;
  EXPECT_EQ(console.output.find("c2VjcmV0"), std::string::npos) << console.output;
}

constexpr const char* kPod =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: d}}\nspec:\n  containers:\n  - {name: "
    "main, image: x}\n";

TEST_F(CommandsTest, ScaleWaitsForPodsThatAreStillEnding) {
  ASSERT_EQ(apply_text(std::string(kPod) + "---\n" + kDeployment), Exit::kDone) << console.errors;
  ASSERT_TRUE(run(loop, store->remove(object("pod", "p")->key(), 30, {})));
  set_status("deployment", "d", R"({"observedGeneration": 2, "replicas": 0, "readyReplicas": 0})");
  ScaleOptions options;
  options.resources = {"deploy/d"};
  options.replicas = 0;
  options.timeout = std::chrono::seconds(0);
  EXPECT_EQ(run_one(scale(*context, options)), Exit::kFailed);
  EXPECT_NE(console.errors.find("0 of 0 ready, 0 there, 1 ending"), std::string::npos) << console.errors;
}

TEST_F(CommandsTest, LogsPrintTheApplicationsFileAndTheTail) {
  ASSERT_EQ(apply_text(std::string(kPod) + "---\n" + kDeployment), Exit::kDone) << console.errors;
  set_status("pod", "p", R"({"containerStatuses": [{"name": "main"}, {"name": "istio-proxy"}]})");
  LogsOptions options;
  options.resource = "p";
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kFailed);
  EXPECT_NE(console.errors.find("has printed nothing yet"), std::string::npos) << console.errors;
  write("default/logs/default_p/main.log", "one\ntwo\nthree\n");
  write("default/logs/default_p/istio-proxy.log", "access\nunfinished");
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "one\ntwo\nthree\n");
  for (const auto& [tail, expected] :
       {std::pair{0, ""}, {1, "three\n"}, {2, "two\nthree\n"}, {9, "one\ntwo\nthree\n"}}) {
    options.tail = tail;
    EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone);
    EXPECT_EQ(console.output, expected) << tail;
  }
  options.resource = "deploy/d";
  options.container = "istio-proxy";
  options.tail = 1;
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "unfinished");
  options.container = "nonsense";
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kFailed);
  EXPECT_NE(console.errors.find("main, istio-proxy"), std::string::npos) << console.errors;
}

TEST_F(CommandsTest, LogsOfADeploymentAreThoseOfAPodThatWorks) {
  ASSERT_EQ(apply_text(std::string(kPod) + "---\n" + kDeployment), Exit::kDone) << console.errors;
  std::string younger = kPod;
  younger.replace(younger.find("name: p"), 7, "name: q");
  ASSERT_EQ(apply_text(younger), Exit::kDone) << console.errors;
  constexpr const char* kReady =
      R"({"containerStatuses": [{"name": "main"}], "conditions": [{"type": "Ready", "status": "True"}]})";
  set_status("pod", "q", kReady);
  write("default/logs/default_p/main.log", "old\n");
  write("default/logs/default_q/main.log", "new\n");
  LogsOptions options;
  options.resource = "deploy/d";
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "new\n");
  EXPECT_NE(console.errors.find("Found 2 pods, using pod/q"), std::string::npos) << console.errors;
}

TEST_F(CommandsTest, LogsFollowAFileAcrossItsBeingReplacedAndCutUntilItsPodIsGone) {
  ASSERT_EQ(apply_text(kPod), Exit::kDone) << console.errors;
  const std::filesystem::path file = write("default/logs/default_p/main.log", "one\n");
  const std::filesystem::path pod = write("default/pods/default_p/hosts", "");
  ASSERT_TRUE(local::write_record(file.parent_path().parent_path().parent_path(),
                                  {::getpid(), local::process_start_time(::getpid()), ""}));
  console.on_output = [&](std::string_view text) {
    if (text == "one\n") std::ofstream(file, std::ios::app) << "two\n";
    if (text == "two\n") {
      std::ofstream(file.string() + ".next") << "three\nthree\n";
      std::filesystem::rename(file.string() + ".next", file);
    }
    if (text == "three\nthree\n") std::ofstream(file) << "four\n";
    if (text == "four\n") std::filesystem::remove_all(pod.parent_path());
  };
  LogsOptions options;
  options.resource = "pod/p";
  options.follow = true;
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "one\ntwo\nthree\nthree\nfour\n");
}

TEST_F(CommandsTest, LogsOfASelectorAndOfAllContainersFollowEachOther) {
  ASSERT_EQ(apply_text(kPod), Exit::kDone) << console.errors;
  set_status("pod", "p", R"({"containerStatuses": [{"name": "main"}, {"name": "istio-proxy"}]})");
  write("default/logs/default_p/main.log", "one\n");
  write("default/logs/default_p/istio-proxy.log", "\x1b[2Jaccess\n");
  LogsOptions options;
  options.selector = "app=d";
  options.all_containers = true;
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "one\n\x1b[2Jaccess\n");
  console.terminal = true;
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "one\n^[[2Jaccess\n");
  options.selector = "app=none";
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone);
  EXPECT_EQ(console.errors, "No pods found in default namespace.\n");
}

TEST_F(CommandsTest, LogsSinceATimeAreThoseLinesAndOfThemTheLast) {
  ASSERT_EQ(apply_text(kPod), Exit::kDone) << console.errors;
  const std::string old = "2026-01-01T00:00:00Z old\n", young = "2026-01-01T01:00:00Z young\n  and more\n";
  write("default/logs/default_p/main.log", old + young);
  LogsOptions options;
  options.resource = "p";
  options.since = parse_rfc3339("2026-01-01T00:30:00Z");
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, young);
  options.tail = 1;
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output, "  and more\n");
  write("default/logs/default_p/main.log", "no time\n");
  EXPECT_EQ(run_one(logs(*context, options)), Exit::kDone);
  EXPECT_EQ(console.output, "no time\n");
  EXPECT_NE(console.errors.find("say no times"), std::string::npos) << console.errors;
}

TEST_F(CommandsTest, DescribeNamesControlCharactersOfAnAnnotation) {
  ASSERT_EQ(
      apply_text(
          "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\n  annotations: {a: \"\\e]0;x\\a\"}\n"),
      Exit::kDone)
      << console.errors;
  DescribeOptions options;
  options.resources = {"cm", "c"};
  EXPECT_EQ(run_one(describe(*context, options)), Exit::kDone);
  EXPECT_NE(console.output.find("^[]0;x^G"), std::string::npos) << console.output;
  EXPECT_EQ(console.output.find('\x1b'), std::string::npos);
}

TEST_F(CommandsTest, GetSaysWhatWeftHasInThePlaceOfATypeOfACluster) {
  for (const char* type : {"events", "endpoints", "nodes", "daemonsets"}) {
    EXPECT_EQ(get_one({type}), Exit::kUsage) << type;
    EXPECT_NE(console.errors.find(std::string("\"") + type + "\": "), std::string::npos) << console.errors;
  }
}

TEST_F(CommandsTest, ProxyStatusTakesAWorkloadAndSortsByName) {
  ASSERT_EQ(apply_text(std::string(kPod) + "---\n" + kDeployment), Exit::kDone) << console.errors;
  mesh.responses["proxies"] = {200, api::Json::parse(R"([{"pod": "z", "namespace": "default", "types": {}},
                                                       {"pod": "p", "namespace": "default", "types": {}}])")};
  EXPECT_EQ(run_one(proxy_status(*context, {})), Exit::kDone) << console.errors;
  EXPECT_LT(console.output.find("p.default"), console.output.find("z.default"));
  ProxyStatusOptions options;
  options.proxy = "deploy/d";
  EXPECT_EQ(run_one(proxy_status(*context, options)), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output.find("z.default"), std::string::npos);
}

TEST_F(CommandsTest, ProxyStatusComparesWhatWasSentWithWhatIsConfirmed) {
  mesh.responses["proxies"] = {
      200, api::Json::parse(R"({"proxies": [{"id": "p.default", "pod": "p", "namespace": "default",
      "types": {"CDS": {"sent": 7, "acked": 7, "nacked": 0}, "LDS": {"sent": 7, "acked": 6, "nacked": 5},
                "EDS": {"sent": 8, "acked": 6, "nacked": 8, "reason": "bad endpoint"},
                "RDS": {"sent": 0, "acked": 0, "nacked": 0}}}]})")};
  EXPECT_EQ(run_one(proxy_status(*context, {})), Exit::kDone) << console.errors;
  EXPECT_EQ(console.output,
            "NAME        CDS      LDS     EDS        RDS\n"
            "p.default   SYNCED   STALE   REJECTED   NOT SENT\n"
            "\np.default rejected EDS: bad endpoint\n");
  console.coloured = true;
  EXPECT_EQ(run_one(proxy_status(*context, {})), Exit::kDone);
  EXPECT_NE(console.output.find("\x1b[32mSYNCED\x1b[0m"), std::string::npos);
  ProxyStatusOptions json;
  json.output.format = Format::kJson;
  EXPECT_EQ(run_one(proxy_status(*context, json)), Exit::kDone);
  EXPECT_TRUE(api::Json::parse(console.output).is_array());
  ProxyStatusOptions other;
  other.proxy = "q";
  EXPECT_EQ(run_one(proxy_status(*context, other)), Exit::kFailed);
}

TEST_F(CommandsTest, VersionIsTextOrJson) {
  ASSERT_TRUE(version(console, {}));
  EXPECT_TRUE(console.output.starts_with("weft 0.")) << console.output;
  VersionOptions json;
  json.output.format = Format::kJson;
  console.output.clear();
  ASSERT_TRUE(version(console, json));
  EXPECT_TRUE(text_at(api::Json::parse(console.output), "version").starts_with("0."));
}

}  // namespace
}  // namespace weft::cli
