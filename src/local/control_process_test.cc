#include "local/control_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace weft::local {
namespace {

/// A program of the test's in place of the control plane, on a real loop, in a folder of its own.
class ControlProcessTest : public ::testing::Test {
 protected:
  ControlProcessTest() {
    char form[] = "/tmp/weft-control-XXXXXX";
    folder = ::mkdtemp(form);
    std::filesystem::create_directory(folder + "/logs");
    EXPECT_TRUE(reaper.start());
  }
  ~ControlProcessTest() override {
    if (control) {
      bool stopped = false;
      scope.spawn([](ControlProcess& process, bool& done) -> net::Task<void> {
        co_await process.stop(0s);
        done = true;
      }(*control, stopped));
      EXPECT_TRUE(becomes([&] { return stopped; }));
    }
    scope.cancel_all();
    control.reset();
    std::filesystem::remove_all(folder);
  }

  void begin(const std::string& script) {
    ControlProcess::Options options{folder + "/program", folder};
    options.ask_every = 50ms;
    options.silent_at_most = 2;
    std::ofstream(options.program) << script;
    ::chmod(options.program.c_str(), 0700);
    control.emplace(loop, reaper, registrar, options);
    control->start();
    scope.spawn([](ControlProcess& process, std::optional<Result<void>>& into) -> net::Task<void> {
      into.emplace(co_await process.ready());
    }(*control, response));
  }
  template <class Condition>
  bool becomes(Condition condition) {
    const TimePoint limit = SteadyClock::now() + 30s;
    while (!condition() && SteadyClock::now() < limit) loop.run_once(10ms);
    return condition();
  }
  std::size_t starts() const {
    std::ifstream file(folder + "/starts");
    std::string line;
    std::size_t count = 0;
    while (std::getline(file, line)) ++count;
    return count;
  }

  net::Loop loop;
  Reaper reaper{loop};
  Registrar registrar{loop};
  std::string folder;
  std::optional<ControlProcess> control;
  std::optional<Result<void>> response;
  net::TaskScope scope;
};

TEST_F(ControlProcessTest, OneThatReadsNoneOfManySidecarsAndEndsHoldsNoOtherUp) {
  for (pid_t pid = 1; pid <= 3'000; ++pid) registrar.add(pid, 1, "default", "pod", "account");
  begin("#!/bin/sh\necho 'weft control: no' >&2\nexit 1\n");
  ASSERT_TRUE(becomes([&] { return response.has_value(); }));
  EXPECT_FALSE(*response);
}

TEST_F(ControlProcessTest, OneThatEndsItselfBeforeItIsReadyIsNotStartedAgainAndItsLastErrorIsTheReason) {
  begin(
      "#!/bin/sh\necho started >> \"$3/starts\"\necho first >&2\necho 'weft control: the journal is damaged' "
      ">&2\nexit 1\n");
  ASSERT_TRUE(becomes([&] { return response.has_value(); }));
  ASSERT_FALSE(*response);
  EXPECT_EQ(response->error().text,
            "the control plane cannot start: the journal is damaged (" + folder + "/logs/control.log)");
  EXPECT_EQ(starts(), 1u);
}

TEST_F(ControlProcessTest, OneThatASignalEndsHasThreeTries) {
  begin("#!/bin/sh\necho started >> \"$3/starts\"\nkill -9 $$\n");
  ASSERT_TRUE(becomes([&] { return response.has_value(); }));
  ASSERT_FALSE(*response);
  EXPECT_NE(response->error().text.find("signal 9 ended it"), std::string::npos) << response->error().text;
  EXPECT_EQ(starts(), 3u);
}

TEST_F(ControlProcessTest, OneThatAcceptsAndSaysNothingForLongIsKilledAndStartedAgain) {
  begin(
      "#!/usr/bin/python3\n"
      "import os, socket, sys, time\n"
      "path = sys.argv[3] + '/api.sock'\n"
      "if os.path.exists(path): os.unlink(path)\n"
      "open(sys.argv[3] + '/starts', 'a').write('started\\n')\n"
      "listener = socket.socket(socket.AF_UNIX)\n"
      "listener.bind(path)\n"
      "listener.listen()\n"
      "time.sleep(1000)\n");
  ASSERT_TRUE(becomes([&] { return response.has_value(); }));
  EXPECT_TRUE(*response);
  EXPECT_TRUE(becomes([&] { return starts() >= 2; }));
}

}  // namespace
}  // namespace weft::local
