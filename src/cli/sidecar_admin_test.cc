#include "cli/sidecar_admin.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/server.h"
#include "net/socket.h"

namespace weft::cli {
namespace {

net::Task<void> respond(http::ServerExchange& exchange) {
  const std::string path(http::path_of(exchange.request().path));
  if (path == "/config_dump")
    static_cast<void>(co_await http::respond(exchange, 200, "application/json", "{\"configs\": []}"));
  else if (path == "/logging" && exchange.request().method == "POST")
    static_cast<void>(co_await http::respond(exchange, 200, "text/plain", "flushed"));
  else
    static_cast<void>(co_await http::respond(exchange, 404, "text/plain", "no"));
}

bool bring_loopback_up() {
  const net::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

/// A process in a network namespace of its own with an admin server in it; says one byte when it serves or
/// cannot.
class SidecarAdmin : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    child_ = ::fork();
    if (child_ == 0) serve(ends[1]);
    ::close(ends[1]);
    char said = 0;
    const ssize_t got = ::read(ends[0], &said, 1);
    ::close(ends[0]);
    if (got != 1 || said != 'y') GTEST_SKIP() << "no right to make a network namespace";
  }
  void TearDown() override {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

  [[noreturn]] static void serve(int out) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::unshare(CLONE_NEWNET) != 0 || !bring_loopback_up()) ::_exit(1);
    net::Loop loop;
    auto server = http::Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 15000), respond);
    if (!server || ::write(out, "y", 1) != 1) ::_exit(1);
    loop.run();
    ::_exit(0);
  }

  pid_t child_ = 0;
};

TEST_F(SidecarAdmin, IsAskedInItsOwnNetworkNamespace) {
  const auto response = ask_sidecar(child_, {.path = "/config_dump?include_eds"});
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(*response, "{\"configs\": []}");
}

TEST_F(SidecarAdmin, IsAskedByTheMethodThatIsSaid) {
  const auto response = ask_sidecar(child_, {.path = "/logging?flush", .method = "POST"});
  ASSERT_TRUE(response) << response.error().text;
  EXPECT_EQ(*response, "flushed");
}

TEST_F(SidecarAdmin, TellsWhatWentWrong) {
  const auto response = ask_sidecar(child_, {.path = "/other"});
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().text.find("404"), std::string::npos) << response.error().text;
}

TEST(SidecarProcess, IsFoundByItsBootstrap) {
  const std::string folder = "/tmp/weft-cli-test-" + std::to_string(::getpid()) + "/pods/default_p";
  const auto none = find_sidecar(folder);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[0], STDIN_FILENO);
    ::close(ends[1]);
    const std::string bootstrap = folder + "/bootstrap.json";
    ::execl("/bin/sh", "sh", "-c", "read line; exit 0", "proxy", "-c", bootstrap.c_str(), nullptr);
    ::_exit(1);
  }
  ::close(ends[0]);
  auto found = find_sidecar(folder);
  while (!found) found = find_sidecar(folder);  // until the child has executed
  EXPECT_EQ(*found, child);
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
}

TEST(SidecarProcess, ThatIsGoneIsAnError) { EXPECT_FALSE(ask_sidecar(4194303, {.path = "/"})); }

}  // namespace
}  // namespace weft::cli
