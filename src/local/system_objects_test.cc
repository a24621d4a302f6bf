#include "local/system_objects.h"

#include <gtest/gtest.h>

#include <optional>

namespace weft::local {
namespace {

/// A store whose disk is full for the first `fail_for` attempts.
class FullStore final : public store::Store {
 public:
  int fail_for = 0, attempts = 0, created = 0;
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override {
    if (attempts++ < fail_for) co_return full();
    ++created;
    co_return std::make_shared<const api::Object>(std::move(object));
  }
  net::Task<Result<api::ObjectPtr>> get(api::Key) override { co_return full(); }
  net::Task<Result<store::List>> list(store::Query) override { co_return full(); }
  net::Task<Result<api::ObjectPtr>> update(api::Object) override { co_return full(); }
  net::Task<Result<api::ObjectPtr>> update_status(api::Object) override { co_return full(); }
  net::Task<Result<api::ObjectPtr>> remove(api::Key, int, std::string) override { co_return full(); }
  net::Task<Result<std::unique_ptr<store::Watch>>> watch(store::Query, std::uint64_t) override {
    co_return full();
  }

 private:
  static std::unexpected<Error> full() {
    return fail(Error::internal(Code::kInternal, "No space left on device"));
  }
};

class SystemObjects : public ::testing::Test {
 protected:
  Result<void> create(Duration limit) {
    std::optional<Result<void>> done;
    net::TaskScope scope;
    scope.spawn([](net::Task<Result<void>> task, std::optional<Result<void>>& into) -> net::Task<void> {
      into.emplace(co_await std::move(task));
    }(create_system_objects(loop, store, limit), done));
    while (!done) loop.run_once(1s);
    return *done;
  }
  net::Loop loop;
  FullStore store;
};

TEST_F(SystemObjects, AreNotTriedForeverOnADiskThatStaysFullAndTheReasonIsGiven) {
  store.fail_for = INT_MAX;
  const auto done = create(400ms);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "the instance's own objects cannot be created: No space left on device");
  EXPECT_LE(store.attempts, 6) << "the backoff between attempts grows";
}

TEST_F(SystemObjects, AreCreatedAfterAFailureThatPasses) {
  store.fail_for = 2;
  EXPECT_TRUE(create(1000s));
  EXPECT_EQ(store.created, static_cast<int>(system_objects().size()));
}

}  // namespace
}  // namespace weft::local
