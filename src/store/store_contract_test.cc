#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "api/parse.h"
#include "http/server.h"
#include "store/api_server.h"
#include "store/embedded_store.h"
#include "store/informer.h"
#include "store/kubernetes/cluster_version.h"
#include "store/kubernetes/kubernetes_store.h"
#include "store/remote_store.h"
#include "store/testing/api_double.h"
#include "store/testing/run.h"

namespace weft::store {
namespace {

using testing::Directory;
using testing::run;
using testing::run_until;

api::Object config_map(std::string name, std::string value, std::string labels = "{}") {
  const std::string text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
                           ", namespace: default, labels: " + labels + "}\ndata: {key: \"" + value + "\"}\n";
  auto parsed = api::parse_objects(text, "test.yaml");
  EXPECT_TRUE(parsed.problems.empty());
  return std::move(parsed.objects.at(0));
}

enum class Place { kEmbedded, kOverHttp, kKubernetes, kRealCluster };

/// A real API server is tried when a kubeconfig is named; one that cannot be reached then is a failure.
std::vector<Place> places() {
  std::vector<Place> all = {Place::kEmbedded, Place::kOverHttp, Place::kKubernetes};
  if (std::getenv("WEFT_TEST_KUBECONFIG")) all.push_back(Place::kRealCluster);
  return all;
}

/// The same expectations of the store itself, of the clients that reach it over its HTTP face, and of a
/// cluster.
class Contract : public ::testing::TestWithParam<Place> {
 protected:
  void SetUp() override {
    if (GetParam() == Place::kRealCluster)
      ASSERT_NO_FATAL_FAILURE(open_cluster());
    else
      ASSERT_NO_FATAL_FAILURE(open_embedded());
    ns_ = "weft-contract-" + std::to_string(Random().below(1'000'000'000));
    const auto made = run(loop_, store_->create(namespace_called(ns_)));
    ASSERT_TRUE(made) << made.error().text;
  }
  void TearDown() override {
    if (store_)
      static_cast<void>(run(loop_, store_->remove({api::find_kind("v1", "Namespace"), "", ns_}, -1)));
  }

  void open_cluster() {
    AccessOptions options;
    options.kubeconfig = std::getenv("WEFT_TEST_KUBECONFIG");
    auto access = read_kubeconfig(options);
    ASSERT_TRUE(access) << access.error().text;
    auto opened = KubernetesStore::open(loop_, std::move(*access));
    ASSERT_TRUE(opened) << opened.error().text;
    cluster_ = std::move(*opened);
    const auto version = run(loop_, cluster_version(*cluster_));
    ASSERT_TRUE(version) << version.error().text;
    store_ = cluster_.get();
  }
  void open_embedded() {
    auto opened = EmbeddedStore::open(loop_, directory_.path + "/store");
    ASSERT_TRUE(opened) << opened.error().text;
    embedded_ = std::move(*opened);
    store_ = embedded_.get();
    if (GetParam() == Place::kEmbedded) return;
    api_ = std::make_unique<ApiServer>(loop_, *embedded_);
    const bool tls = GetParam() == Place::kKubernetes;
    const net::Address at = tls ? *net::Address::parse_ip("127.0.0.1", 0)
                                : *net::Address::unix_path(directory_.path + "/api.sock");
    http::ServerOptions options;
    const auto certificates = testing::Certificates::make();
    if (tls) options.tls = certificates.server();
    auto server = http::Server::listen(
        loop_, at, [this](http::ServerExchange& exchange) { return api_->handle(exchange); }, options);
    ASSERT_TRUE(server) << server.error().text;
    server_ = std::move(*server);
    if (!tls) {
      remote_ = std::make_unique<RemoteStore>(loop_, at);
      store_ = remote_.get();
      return;
    }
    ClusterAccess access;
    access.host = access.server_name = "127.0.0.1";
    access.port = server_->address().port();
    access.roots_pem = certificates.authority.certificate_pem();
    auto client = KubernetesStore::open(loop_, std::move(access));
    ASSERT_TRUE(client) << client.error().text;
    cluster_ = std::move(*client);
    store_ = cluster_.get();
  }

  static api::Object namespace_called(const std::string& name) {
    return std::move(
        api::parse_objects("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + name + "}\n", "test.yaml")
            .objects.at(0));
  }
  api::Object config_map(std::string name, std::string value, const std::string& labels = "") const {
    api::Object made = store::config_map(std::move(name), std::move(value),
                                         "{contract: kept" + (labels.empty() ? "" : ", " + labels) + "}");
    made.body["metadata"]["namespace"] = ns_;
    return made;
  }
  api::Key key(std::string name) const { return {api::find_kind("v1", "ConfigMap"), ns_, std::move(name)}; }
  /// A cluster puts a ConfigMap of its own into every namespace.
  Query all(const std::string& labels = "") const {
    Query query;
    query.kind = api::find_kind("v1", "ConfigMap");
    query.ns = ns_;
    query.label_selector = "contract=kept" + (labels.empty() ? "" : "," + labels);
    return query;
  }
  std::uint64_t version_now() {
    const auto listed = run(loop_, store_->list(all()));
    return listed ? listed->resource_version : 0;
  }

  net::Loop loop_;
  Directory directory_;
  std::string ns_;
  std::unique_ptr<EmbeddedStore> embedded_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<RemoteStore> remote_;
  std::unique_ptr<KubernetesStore> cluster_;
  Store* store_ = nullptr;
};

std::string name_of(const ::testing::TestParamInfo<Place>& info) {
  constexpr const char* kNames[] = {"Embedded", "OverHttp", "Kubernetes", "RealCluster"};
  return kNames[static_cast<int>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Stores, Contract, ::testing::ValuesIn(places()), name_of);

TEST_P(Contract, what_is_created_is_found_with_what_the_server_adds) {
  const auto created = run(loop_, store_->create(config_map("a", "1")));
  ASSERT_TRUE(created) << created.error().text;
  EXPECT_FALSE((*created)->uid().empty());
  EXPECT_GT((*created)->resource_version(), 0u);
  // A cluster counts generations of kinds with a spec alone.
  if (GetParam() != Place::kRealCluster) EXPECT_EQ((*created)->generation(), 1u);
  const auto found = run(loop_, store_->get(key("a")));
  ASSERT_TRUE(found);
  EXPECT_EQ((*found)->body, (*created)->body);
  const auto again = run(loop_, store_->create(config_map("a", "2")));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kConflict);
  EXPECT_EQ(again.error().text, "configmaps \"a\" already exists");
  const auto missing = run(loop_, store_->get(key("b")));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
  EXPECT_EQ(missing.error().text, "configmaps \"b\" not found");
}

TEST_P(Contract, a_stale_update_is_a_conflict_and_an_equal_one_changes_nothing) {
  const auto first = run(loop_, store_->create(config_map("a", "1")));
  ASSERT_TRUE(first);
  api::Object next = config_map("a", "2");
  next.body["metadata"]["resourceVersion"] = std::to_string((*first)->resource_version());
  const auto second = run(loop_, store_->update(next));
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_GT((*second)->resource_version(), (*first)->resource_version());
  EXPECT_EQ((*second)->uid(), (*first)->uid());
  next.body["data"]["key"] = "3";
  const auto stale = run(loop_, store_->update(next));
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().code, Code::kConflict);
  const auto same = run(loop_, store_->update(config_map("a", "2")));
  ASSERT_TRUE(same);
  EXPECT_EQ((*same)->resource_version(), (*second)->resource_version());
}

TEST_P(Contract, invalid_objects_are_rejected_and_not_stored) {
  api::Object bad = config_map("a", "1");
  bad.body["dat"] = api::Json::object();
  const auto rejected = run(loop_, store_->create(bad));
  ASSERT_FALSE(rejected);
  EXPECT_NE(rejected.error().text.find("dat"), std::string::npos) << rejected.error().text;
  EXPECT_FALSE(run(loop_, store_->get(key("a"))));
  api::Object elsewhere = config_map("a", "1");
  elsewhere.body["metadata"]["namespace"] = "nowhere";
  const auto homeless = run(loop_, store_->create(elsewhere));
  ASSERT_FALSE(homeless);
  EXPECT_EQ(homeless.error().code, Code::kNotFound);
}

TEST_P(Contract, lists_by_label_in_order) {
  for (const char* name : {"c", "a", "b"})
    ASSERT_TRUE(
        run(loop_, store_->create(config_map(name, "1", std::string(name) == "b" ? "app: x" : "app: w"))));
  const auto everything = run(loop_, store_->list(all()));
  ASSERT_TRUE(everything);
  ASSERT_EQ(everything->items.size(), 3u);
  EXPECT_EQ(everything->items[0]->name(), "a");
  const auto some = run(loop_, store_->list(all("app!=x")));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->items.size(), 2u);
  EXPECT_FALSE(run(loop_, store_->list(all("app in ("))));
}

/// Writes at the same time, and what became of each.
struct Together {
  static net::Task<void> keep(Together& in, net::Task<Result<api::ObjectPtr>> write, api::Key key) {
    auto done = co_await write;
    if (done) {
      // What is acknowledged can be read.
      const auto found = co_await in.store.get(std::move(key));
      EXPECT_TRUE(found && (*found)->resource_version() >= (*done)->resource_version());
      in.versions.push_back((*done)->resource_version());
    } else {
      in.errors.push_back(std::move(done).error());
    }
  }
  void spawn(net::Task<Result<api::ObjectPtr>> write, api::Key key) {
    tasks.spawn(keep(*this, std::move(write), std::move(key)));
  }
  explicit Together(Store& to) : store(to) {}
  Store& store;
  std::vector<std::uint64_t> versions;
  std::vector<Error> errors;
  net::TaskScope tasks;
};

TEST_P(Contract,
       writes_at_the_same_time_are_each_made_whole_and_watched_once_in_the_order_of_their_versions) {
  const auto first = run(loop_, store_->create(config_map("a", "1")));
  ASSERT_TRUE(first);
  auto watch = run(loop_, store_->watch(all(), version_now()));
  ASSERT_TRUE(watch) << watch.error().text;
  Together writes(*store_);
  for (int i = 0; i < 24; ++i) {
    const std::string name = "m" + std::to_string(i % 20);
    writes.spawn(store_->create(config_map(name, "1")), key(name));
  }
  for (const char* value : {"2", "3"}) {
    api::Object next = config_map("a", value);
    next.body["metadata"]["resourceVersion"] = std::to_string((*first)->resource_version());
    writes.spawn(store_->update(std::move(next)), key("a"));
  }
  ASSERT_TRUE(run_until(loop_, [&] { return writes.tasks.active() == 0; }));
  EXPECT_EQ(writes.versions.size(), 21u);
  ASSERT_EQ(writes.errors.size(), 5u);
  for (const Error& each : writes.errors) EXPECT_EQ(each.code, Code::kConflict) << each.text;
  std::ranges::sort(writes.versions);
  for (const std::uint64_t version : writes.versions) {
    const auto event = run(loop_, (*watch)->next());
    ASSERT_TRUE(event) << event.error().text;
    EXPECT_EQ(event->resource_version, version);
    EXPECT_EQ(event->object->resource_version(), version);
  }
  EXPECT_EQ(run(loop_, store_->list(all()))->items.size(), 21u);
}

TEST_P(Contract, a_watch_from_a_list_misses_nothing_and_repeats_nothing) {
  ASSERT_TRUE(run(loop_, store_->create(config_map("a", "1"))));
  const auto listed = run(loop_, store_->list(all()));
  auto watch = run(loop_, store_->watch(all(), listed->resource_version));
  ASSERT_TRUE(watch) << watch.error().text;
  ASSERT_TRUE(run(loop_, store_->create(config_map("b", "1"))));
  ASSERT_TRUE(run(loop_, store_->update(config_map("b", "2"))));
  ASSERT_TRUE(run(loop_, store_->remove(key("a"), -1)));
  std::string seen;
  for (int i = 0; i < 3; ++i) {
    const auto event = run(loop_, (*watch)->next());
    ASSERT_TRUE(event) << event.error().text;
    seen += std::to_string(static_cast<int>(event->type)) + std::string(event->object->name()) + " ";
  }
  EXPECT_EQ(seen, "0b 1b 2a ");
}

TEST_P(Contract, what_was_read_of_one_object_is_not_written_to_the_next_of_its_name) {
  const auto first = run(loop_, store_->create(config_map("a", "1")));
  ASSERT_TRUE(first);
  ASSERT_TRUE(run(loop_, store_->remove(key("a"), -1)));
  const auto second = run(loop_, store_->create(config_map("a", "2")));
  ASSERT_TRUE(second);
  api::Object old = **first;
  old.body["metadata"].erase("resourceVersion");
  const auto updated = run(loop_, store_->update(old));
  ASSERT_FALSE(updated);
  EXPECT_EQ(updated.error().code, Code::kConflict) << updated.error().text;
  old.body["status"] = {{"is", "old"}};
  // A ConfigMap of a cluster has no status to write.
  if (GetParam() != Place::kRealCluster) EXPECT_FALSE(run(loop_, store_->update_status(old)));
  EXPECT_EQ((*run(loop_, store_->get(key("a"))))->resource_version(), (*second)->resource_version());
}

TEST_P(Contract, a_removal_that_means_another_object_of_the_name_removes_nothing) {
  const auto made = run(loop_, store_->create(config_map("a", "1")));
  ASSERT_TRUE(made);
  const auto other = run(loop_, store_->remove(key("a"), -1, "00000000-0000-4000-8000-000000000000"));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict) << other.error().text;
  EXPECT_TRUE(run(loop_, store_->get(key("a"))));
  EXPECT_TRUE(run(loop_, store_->remove(key("a"), -1, std::string((*made)->uid()))));
  EXPECT_FALSE(run(loop_, store_->get(key("a"))));
}

TEST_P(Contract, a_label_that_changes_is_a_coming_or_a_going) {
  ASSERT_TRUE(run(loop_, store_->create(config_map("a", "1", "app: w"))));
  auto watch = run(loop_, store_->watch(all("app=x"), version_now()));
  ASSERT_TRUE(watch);
  ASSERT_TRUE(run(loop_, store_->update(config_map("a", "1", "app: x"))));
  ASSERT_TRUE(run(loop_, store_->update(config_map("a", "1", "app: z"))));
  EXPECT_EQ(run(loop_, (*watch)->next())->type, EventType::kAdded);
  EXPECT_EQ(run(loop_, (*watch)->next())->type, EventType::kDeleted);
}

TEST_P(Contract, an_informer_keeps_a_copy) {
  int events = 0;
  Informer informer(loop_, *store_, all(), [&](const Event&) { ++events; });
  ASSERT_TRUE(run(loop_, store_->create(config_map("a", "1"))));
  informer.start();
  while (!informer.synced()) loop_.run_once(1s);
  ASSERT_TRUE(informer.find(ns_, "a"));
  ASSERT_TRUE(run(loop_, store_->create(config_map("b", "1"))));
  while (informer.items().size() < 2) loop_.run_once(1s);
  ASSERT_TRUE(run(loop_, store_->remove(key("a"), -1)));
  while (informer.items().size() > 1) loop_.run_once(1s);
  EXPECT_EQ(events, 3);
}

TEST_P(Contract, a_pod_is_marked_first_and_what_it_was_owned_by_takes_it_along) {
  const auto parsed = api::parse_objects("apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: " + ns_ +
                                             "}\nspec: {containers: [{name: c, image: i}]}\n",
                                         "p.yaml");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.problems[0].to_string();
  const auto owner = run(loop_, store_->create(config_map("owner", "1")));
  ASSERT_TRUE(owner);
  api::Object pod = parsed.objects.at(0);
  pod.body["metadata"]["ownerReferences"] = {
      {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", (*owner)->uid()}}};
  if (GetParam() == Place::kRealCluster) pod.body["spec"]["nodeSelector"] = {{"none", "such"}};
  // The controllers of a cluster first give the namespace its service account, and then take what has lost
  // its owner when they come to it; a pod that no node runs is gone at once.
  Result<api::ObjectPtr> created = fail(Error{});
  ASSERT_TRUE(run_until(loop_, [&] { return (created = run(loop_, store_->create(pod))).has_value(); }))
      << created.error().text;
  ASSERT_TRUE(run(loop_, store_->remove(key("owner"), -1)));
  const api::Key pod_key = (*created)->key();
  const auto marked_or_gone = [&] {
    const auto now = run(loop_, store_->get(pod_key));
    return !now || (*now)->body["metadata"].contains("deletionTimestamp");
  };
  ASSERT_TRUE(run_until(loop_, marked_or_gone));
  static_cast<void>(run(loop_, store_->remove(pod_key, 0)));
  EXPECT_FALSE(run(loop_, store_->get(pod_key)));
}

TEST(EmbeddedStoreOnDisk, comes_back_whole_from_a_journal_cut_at_any_byte) {
  net::Loop loop;
  Directory directory;
  const std::string file = directory.path + "/store/journal";
  std::vector<std::uintmax_t> sizes;
  {
    auto store = EmbeddedStore::open(loop, directory.path + "/store");
    ASSERT_TRUE(store);
    sizes.push_back(std::filesystem::file_size(file));
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(run(loop, (*store)->create(config_map("m" + std::to_string(i), "1"))));
      sizes.push_back(std::filesystem::file_size(file));
    }
  }
  for (std::uintmax_t cut = sizes[0]; cut <= sizes[3]; ++cut) {
    Directory copy;
    std::filesystem::create_directory(copy.path + "/store");
    std::filesystem::copy(file, copy.path + "/store/journal");
    std::filesystem::resize_file(copy.path + "/store/journal", cut);
    auto store = EmbeddedStore::open(loop, copy.path + "/store");
    ASSERT_TRUE(store) << "cut at " << cut << ": " << store.error().text;
    std::size_t whole = 0;
    while (whole < 3 && sizes[whole + 1] <= cut) ++whole;
    Query query;
    query.kind = api::find_kind("v1", "ConfigMap");
    ASSERT_EQ(run(loop, (*store)->list(query))->items.size(), whole) << "cut at " << cut;
    ASSERT_TRUE(run(loop, (*store)->create(config_map("after", "1"))));
  }
}

TEST(EmbeddedStoreOnDisk, says_where_it_is_damaged_instead_of_forgetting_what_follows) {
  net::Loop loop;
  Directory directory;
  const std::string file = directory.path + "/store/journal";
  std::uintmax_t first = 0;
  {
    auto store = EmbeddedStore::open(loop, directory.path + "/store");
    first = std::filesystem::file_size(file);
    ASSERT_TRUE(run(loop, (*store)->create(config_map("a", "1"))));
    ASSERT_TRUE(run(loop, (*store)->create(config_map("b", "1"))));
  }
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(first) + 40);
    bytes.put('#');
  }
  const auto store = EmbeddedStore::open(loop, directory.path + "/store");
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().text.find("journal: damaged at byte " + std::to_string(first)), std::string::npos)
      << store.error().text;
}

TEST(EmbeddedStoreOnDisk, snapshots_when_the_journal_grows_and_keeps_everything) {
  net::Loop loop;
  Directory directory;
  {
    auto store = EmbeddedStore::open(loop, directory.path + "/store");
    const std::string big(200'000, 'x');
    for (int i = 0; i < 30; ++i)
      ASSERT_TRUE(run(loop, (*store)->create(config_map("m" + std::to_string(i), big))));
  }
  EXPECT_TRUE(std::filesystem::exists(directory.path + "/store/snapshot"));
  EXPECT_LT(std::filesystem::file_size(directory.path + "/store/journal"), 5u * 1024 * 1024);
  auto store = EmbeddedStore::open(loop, directory.path + "/store");
  ASSERT_TRUE(store) << store.error().text;
  Query query;
  query.kind = api::find_kind("v1", "ConfigMap");
  EXPECT_EQ(run(loop, (*store)->list(query))->items.size(), 30u);
}

}  // namespace
}  // namespace weft::store
