#include "cli/context.h"

#include "cli/testing/command_test.h"

namespace weft::cli {
namespace {

class ProgressTest : public testing::CommandTest {
 protected:
  ProgressTest()
      : simulated(net::Loop::simulated()), there{console, *simulated, *store, mesh, global, *state} {}
  std::unique_ptr<net::Loop> simulated;
  Context there;
};

TEST_F(ProgressTest, SaysNothingOfWhatIsShort) {
  {
    Progress progress(there, "waiting");
    progress.say("still waiting");
    simulated->advance(999ms);
  }
  EXPECT_EQ(console.errors, "");
}

TEST_F(ProgressTest, SaysWhatIsWaitedForAfterASecondAndWhenItChanges) {
  Progress progress(there, "waiting");
  simulated->advance(1s);
  progress.say("waiting");
  progress.say("1 of 2");
  EXPECT_EQ(console.errors, "waiting\n1 of 2\n");
}

TEST_F(ProgressTest, IsDrawnAgainAndRemovedForAPerson) {
  console.watched = true;
  {
    Progress progress(there, "waiting");
    simulated->advance(2s);
  }
  EXPECT_EQ(console.errors, "\r\x1b[Kwaiting ...\r\x1b[K");
}

TEST(NotFound, IsSaidAsKubectlSaysIt) {
  EXPECT_EQ(not_found({api::find_kind_by_name("vs"), "default", "x"}).text,
            "Error from server (NotFound): virtualservices.networking.istio.io \"x\" not found");
}

}  // namespace
}  // namespace weft::cli
