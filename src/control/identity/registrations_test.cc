#include "control/identity/registrations.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "control/ads/server.h"

namespace weft::control {
namespace {

class RegistrationsTest : public ::testing::Test {
 protected:
  RegistrationsTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    supervisor = net::Fd(ends[0]);
    known = Registrations::adopt(loop, net::Fd(ends[1])).value();
  }
  void say(std::string_view line) {
    EXPECT_EQ(write(supervisor.get(), line.data(), line.size()), ssize_t(line.size()));
  }

  net::Loop loop;
  net::Fd supervisor;
  std::unique_ptr<Registrations> known;
};

// No process has such numbers: the kernel's limit is 4194304.
constexpr int kNobody = 5000001;

TEST_F(RegistrationsTest, a_line_that_waits_in_the_channel_is_read_before_a_pid_is_called_unknown) {
  EXPECT_FALSE(known->find(kNobody));
  say("add 5000001 12345 default reviews-v1-abc bookinfo-reviews\n");
  auto found = known->find(kNobody);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->ns, "default");
  EXPECT_EQ(found->pod, "reviews-v1-abc");
  EXPECT_EQ(found->service_account, "bookinfo-reviews");
  say("remove 5000001\n");
  EXPECT_FALSE(known->find(kNobody));
}

TEST_F(RegistrationsTest, lines_arrive_in_pieces_and_nonsense_between_them_is_left_out) {
  say("add 5000001 1 default");
  EXPECT_FALSE(known->find(kNobody));
  say(" a sa\nwhat is this\nadd x y z\nadd 5000002 1 default b sa\n");
  EXPECT_TRUE(known->find(kNobody));
  EXPECT_TRUE(known->find(kNobody + 1));
  EXPECT_EQ(known->size(), 2u);
}

TEST_F(RegistrationsTest, a_pid_that_now_belongs_to_another_process_is_unknown) {
  say("add " + std::to_string(getpid()) + " 1 default a sa\n");
  EXPECT_FALSE(known->find(getpid())) << "this process did not start at tick 1";
}

TEST_F(RegistrationsTest, the_end_of_the_channel_leaves_what_is_known) {
  say("add 5000001 1 default a sa\n");
  supervisor.reset();
  EXPECT_TRUE(known->find(kNobody));
}

TEST(Identity, a_node_must_claim_the_pod_it_was_registered_as) {
  ProxyIdentity who;
  who.ns = "default";
  who.pod = "reviews-1";
  EXPECT_TRUE(node_agrees("sidecar~10.244.0.3~reviews-1.default~default.svc.cluster.local", who));
  EXPECT_TRUE(node_agrees("reviews-1.default", who));
  EXPECT_FALSE(node_agrees("sidecar~10.244.0.3~ratings-1.default~default.svc.cluster.local", who));
  EXPECT_FALSE(node_agrees("", who));
}

}  // namespace
}  // namespace weft::control
