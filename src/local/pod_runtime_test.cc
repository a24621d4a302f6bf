#include "local/pod_runtime.h"

#include <gtest/gtest.h>

#include "api/parse.h"
#include "store/embedded_store.h"
#include "store/testing/forwarding_store.h"
#include "store/testing/run.h"

namespace weft::local {
namespace {

using store::testing::run;
using store::testing::run_until;

/// A store in which something may happen just before a call of the runtime reaches it.
class Interposed final : public store::testing::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  net::Task<Result<store::List>> list(store::Query query) override {
    const bool held = query.kind->kind == "Secret" && holds_secrets;
    if (held) co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever, "not yet"));
    co_return co_await inner_.list(std::move(query));
  }
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override {
    if (auto first = std::exchange(before_status, {})) co_await first();
    written.push_back(std::string(object.uid()));
    auto done = co_await inner_.update_status(std::move(object));
    if (!done) ++rejected;
    co_return done;
  }
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace, std::string uid) override {
    if (auto first = std::exchange(before_removal, {})) co_await first();
    auto removed = co_await inner_.remove(std::move(key), grace, std::move(uid));
    ++removals;
    co_return removed;
  }

  bool holds_secrets = false;
  std::function<net::Task<void>()> before_status, before_removal;
  std::vector<std::string> written;  ///< uids, of each status
  int removals = 0, rejected = 0;
};

/// Pods whose networks cannot be made, so that nothing of this machine is touched: they stay, with a status
/// that says why.
class PodRuntimeTest : public ::testing::Test {
 protected:
  PodRuntimeTest() : embedded(open()), store(*embedded), runtime(host, store) {}
  ~PodRuntimeTest() override { run_to_end(runtime.stop(Duration::zero())); }

  std::unique_ptr<store::EmbeddedStore> open() {
    auto opened = store::EmbeddedStore::open(loop, directory.path + "/store");
    EXPECT_TRUE(opened) << opened.error().text;
    return std::move(*opened);
  }
  void run_to_end(net::Task<void> task) {
    run(loop, [](net::Task<void> inner) -> net::Task<bool> {
      co_await std::move(inner);
      co_return true;
    }(std::move(task)));
  }

  static api::Object pod() {
    auto parsed = api::parse_objects(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  namespace: default\n  annotations:\n"
        "    traffic.sidecar.istio.io/includeOutboundIPRanges: nowhere\n"
        "spec: {containers: [{name: main, image: x}]}\n",
        "p.yaml");
    EXPECT_TRUE(parsed.problems.empty());
    return std::move(parsed.objects.at(0));
  }
  api::Key key() { return pod().key(); }
  std::string create_pod() {
    const auto made = run(loop, embedded->create(pod()));
    EXPECT_TRUE(made) << made.error().text;
    return std::string((*made)->uid());
  }
  /// The pod is removed by force, and another of its name created.
  net::Task<void> replace() {
    EXPECT_TRUE(co_await embedded->remove(key(), 0, {}));
    const auto made = co_await embedded->create(pod());
    EXPECT_TRUE(made);
    second = std::string((*made)->uid());
  }
  /// Whether the store has a pod of this uid with the status that its runtime gives it.
  bool is_run(const std::string& uid) {
    const auto now = run(loop, embedded->get(key()));
    return now && (*now)->uid() == uid && (*now)->status().contains("hostIP");
  }
  auto times_written(const std::string& uid) { return std::ranges::count(store.written, uid); }
  void turn(int times) {
    for (int i = 0; i < times; ++i) loop.run_once(1ms);
  }

  net::Loop loop;
  store::testing::Directory directory;
  std::unique_ptr<store::EmbeddedStore> embedded;
  Interposed store;
  Reaper reaper{loop};
  PodNetwork network;
  ImageMap images{"bookinfo"};
  Registrar registrar{loop};
  Host host{loop, reaper, network, images, registrar, directory.path, "proxy", -1, {}, {}};
  PodRuntime runtime;
  std::string second;
};

TEST_F(PodRuntimeTest, a_pod_that_ends_takes_no_other_of_its_name_along) {
  const std::string first = create_pod();
  runtime.start();
  ASSERT_TRUE(run_until(loop, [&] { return is_run(first); }));
  store.before_removal = [&] { return replace(); };
  ASSERT_TRUE(run(loop, embedded->remove(key(), 1, {})));
  ASSERT_TRUE(run_until(loop, [&] { return store.removals > 0; }));
  EXPECT_TRUE(run_until(loop, [&] { return is_run(second); }));
}

TEST_F(PodRuntimeTest, a_pod_that_follows_one_of_its_name_is_begun_once) {
  const std::string first = create_pod();
  runtime.start();
  ASSERT_TRUE(run_until(loop, [&] { return is_run(first); }));
  const auto usual = times_written(first);
  store.before_removal = [&]() -> net::Task<void> {
    co_await replace();
    // It is begun, and all of it written, before the one that removes the first goes on.
    while (times_written(second) == 0) co_await loop.yield();
    for (int i = 0; i < 20; ++i) co_await loop.yield();
  };
  ASSERT_TRUE(run(loop, embedded->remove(key(), 1, {})));
  ASSERT_TRUE(run_until(loop, [&] { return store.removals > 0; }));
  turn(20);
  EXPECT_TRUE(is_run(second));
  EXPECT_EQ(times_written(second), usual);
}

TEST_F(PodRuntimeTest, a_status_of_a_pod_is_not_written_to_the_next_of_its_name) {
  const std::string first = create_pod();
  store.before_status = [&] { return replace(); };
  runtime.start();
  ASSERT_TRUE(run_until(loop, [&] { return is_run(second); }));
  EXPECT_EQ(times_written(first), 1) << "what is rejected for good is not tried again";
  EXPECT_EQ(store.rejected, 1);
}

TEST_F(PodRuntimeTest, pods_begin_when_config_maps_and_secrets_are_known) {
  const std::string first = create_pod();
  store.holds_secrets = true;
  runtime.start();
  turn(50);
  EXPECT_TRUE(store.written.empty());
  store.holds_secrets = false;
  EXPECT_TRUE(run_until(loop, [&] { return is_run(first); }));
}

}  // namespace
}  // namespace weft::local
