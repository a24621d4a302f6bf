#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "api/parse.h"
#include "http/server.h"
#include "store/api_server.h"
#include "store/embedded_store.h"
#include "store/informer.h"
#include "store/remote_store.h"

namespace weft::store {
namespace {

template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  const auto keep = [](net::Task<T> inner, std::optional<T>& into) -> net::Task<void> {
    into.emplace(co_await inner);
  };
  scope.spawn(keep(std::move(task), value));
  while (!value) loop.run_once(10s);
  return std::move(*value);
}

api::Object config_map(std::string name, std::string value, std::string labels = "{}") {
  const std::string text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
                           ", namespace: default, labels: " + labels + "}\ndata: {key: \"" + value + "\"}\n";
  auto parsed = api::parse_objects(text, "test.yaml");
  EXPECT_TRUE(parsed.problems.empty());
  return std::move(parsed.objects.at(0));
}

struct Directory {
  std::string path = [] {
    char name[] = "/tmp/weft-store-XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  ~Directory() { std::filesystem::remove_all(path); }
};

/// The same expectations of the store itself and of a client that reaches it over its HTTP face.
class Contract : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    auto opened = EmbeddedStore::open(loop_, directory_.path + "/store");
    ASSERT_TRUE(opened) << opened.error().text;
    embedded_ = std::move(*opened);
    store_ = embedded_.get();
    if (!GetParam()) return;
    api_ = std::make_unique<ApiServer>(loop_, *embedded_);
    const net::Address at = *net::Address::unix_path(directory_.path + "/api.sock");
    auto server = http::Server::listen(
        loop_, at, [this](http::ServerExchange& exchange) { return api_->handle(exchange); });
    ASSERT_TRUE(server) << server.error().text;
    server_ = std::move(*server);
    remote_ = std::make_unique<RemoteStore>(loop_, at);
    store_ = remote_.get();
  }
  api::Key key(std::string name) const {
    return {api::find_kind("v1", "ConfigMap"), "default", std::move(name)};
  }
  Query all(std::string labels = {}) const {
    Query query;
    query.kind = api::find_kind("v1", "ConfigMap");
    query.ns = "default";
    query.label_selector = std::move(labels);
    return query;
  }

  net::Loop loop_;
  Directory directory_;
  std::unique_ptr<EmbeddedStore> embedded_;
  std::unique_ptr<ApiServer> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<RemoteStore> remote_;
  Store* store_ = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Stores, Contract, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "OverHttp" : "Embedded"; });

TEST_P(Contract, what_is_created_is_found_with_what_the_server_adds) {
  const auto created = run(loop_, store_->create(config_map("a", "1")));
  ASSERT_TRUE(created) << created.error().text;
  EXPECT_FALSE((*created)->uid().empty());
  EXPECT_GT((*created)->resource_version(), 0u);
  EXPECT_EQ((*created)->generation(), 1u);
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

TEST_P(Contract, invalid_objects_are_refused_and_not_stored) {
  api::Object bad = config_map("a", "1");
  bad.body["dat"] = api::Json::object();
  const auto refused = run(loop_, store_->create(bad));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("dat"), std::string::npos) << refused.error().text;
  EXPECT_FALSE(run(loop_, store_->get(key("a"))));
  api::Object elsewhere = config_map("a", "1");
  elsewhere.body["metadata"]["namespace"] = "nowhere";
  const auto homeless = run(loop_, store_->create(elsewhere));
  ASSERT_FALSE(homeless);
  EXPECT_EQ(homeless.error().code, Code::kNotFound);
}

TEST_P(Contract, lists_by_label_in_order) {
  for (const char* name : {"c", "a", "b"})
    ASSERT_TRUE(run(
        loop_, store_->create(config_map(name, "1", std::string(name) == "b" ? "{app: x}" : "{app: y}"))));
  const auto everything = run(loop_, store_->list(all()));
  ASSERT_TRUE(everything);
  ASSERT_EQ(everything->items.size(), 3u);
  EXPECT_EQ(everything->items[0]->name(), "a");
  const auto some = run(loop_, store_->list(all("app!=x")));
  ASSERT_TRUE(some);
  EXPECT_EQ(some->items.size(), 2u);
  EXPECT_FALSE(run(loop_, store_->list(all("app in ("))));
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

TEST_P(Contract, a_label_that_changes_is_a_coming_or_a_going) {
  ASSERT_TRUE(run(loop_, store_->create(config_map("a", "1", "{app: y}"))));
  auto watch = run(loop_, store_->watch(all("app=x"), embedded_->resource_version()));
  ASSERT_TRUE(watch);
  ASSERT_TRUE(run(loop_, store_->update(config_map("a", "1", "{app: x}"))));
  ASSERT_TRUE(run(loop_, store_->update(config_map("a", "1", "{app: z}"))));
  EXPECT_EQ(run(loop_, (*watch)->next())->type, EventType::kAdded);
  EXPECT_EQ(run(loop_, (*watch)->next())->type, EventType::kDeleted);
}

TEST_P(Contract, an_informer_keeps_a_copy) {
  int events = 0;
  Informer informer(loop_, *store_, all(), [&](const Event&) { ++events; });
  ASSERT_TRUE(run(loop_, store_->create(config_map("a", "1"))));
  informer.start();
  while (!informer.synced()) loop_.run_once(1s);
  ASSERT_TRUE(informer.find("default", "a"));
  ASSERT_TRUE(run(loop_, store_->create(config_map("b", "1"))));
  while (informer.items().size() < 2) loop_.run_once(1s);
  ASSERT_TRUE(run(loop_, store_->remove(key("a"), -1)));
  while (informer.items().size() > 1) loop_.run_once(1s);
  EXPECT_EQ(events, 3);
}

TEST_P(Contract, a_pod_is_marked_first_and_what_it_was_owned_by_takes_it_along) {
  const auto parsed = api::parse_objects(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: default}\nspec: {containers: [{name: c, "
      "image: i}]}\n",
      "p.yaml");
  ASSERT_TRUE(parsed.problems.empty()) << parsed.problems[0].to_string();
  const auto owner = run(loop_, store_->create(config_map("owner", "1")));
  ASSERT_TRUE(owner);
  api::Object pod = parsed.objects.at(0);
  pod.body["metadata"]["ownerReferences"] = {
      {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "owner"}, {"uid", (*owner)->uid()}}};
  const auto created = run(loop_, store_->create(pod));
  ASSERT_TRUE(created) << created.error().text;
  ASSERT_TRUE(run(loop_, store_->remove(key("owner"), -1)));
  const api::Key pod_key = (*created)->key();
  const auto marked = run(loop_, store_->get(pod_key));
  ASSERT_TRUE(marked);
  EXPECT_TRUE((*marked)->body["metadata"].contains("deletionTimestamp"));
  ASSERT_TRUE(run(loop_, store_->remove(pod_key, 0)));
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
