#include "local/container.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "local/instance_record.h"
#include "local/log_keeper.h"

namespace weft::local {
namespace {

/// Real processes on a real loop, in a folder of their own.
class ContainerTest : public ::testing::Test {
 protected:
  ContainerTest() {
    char form[] = "/tmp/weft-container-XXXXXX";
    folder = ::mkdtemp(form);
    EXPECT_TRUE(reaper.start());
  }
  ~ContainerTest() override {
    container.reset();
    std::filesystem::remove_all(folder);
  }

  void begin(const std::string& script, RestartPolicy restart = RestartPolicy::kAlways) {
    Container::Plan plan;
    plan.name = "main";
    plan.image = "example/main:1";
    plan.restart = restart;
    plan.backoff = {.limits = {.initial = 20ms, .max = 40ms}, .reset_after = 60s};
    plan.process = [this, script]() -> Result<ProcessSpec> {
      if (reject) return fail(Error::config(Code::kUnsupported, "no such image"));
      ProcessSpec spec;
      spec.arguments = {"/bin/sh", "-c", script};
      if (!program.empty()) spec.arguments = {program};
      spec.environment = {{"PATH", "/bin:/usr/bin"}, {"TEXT", "from the environment"}};
      spec.log_file = log();
      if (own_mounts) spec.mounts = {{folder + "/hosts", "/etc/hosts", false}};
      return spec;
    };
    plan.health = [] { return HealthPlan{}; };
    plan.on_change = [this] { ++changes; };
    container = std::make_unique<Container>(loop, reaper, std::move(plan));
    container->start();
  }
  template <class Condition>
  bool becomes(Condition condition) {
    const TimePoint limit = SteadyClock::now() + 20s;
    while (!condition() && SteadyClock::now() < limit) loop.run_once(10ms);
    return condition();
  }
  void stop(Duration grace) {
    bool stopped = false;
    net::TaskScope scope;
    scope.spawn(stop_into(grace, stopped));
    EXPECT_TRUE(becomes([&] { return stopped; }));
  }
  net::Task<void> stop_into(Duration grace, bool& stopped) {
    co_await container->stop(grace);
    stopped = true;
  }
  std::string log() const { return folder + "/main.log"; }
  std::string logged() const {
    std::ifstream file(log());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  net::Loop loop;
  Reaper reaper{loop};
  std::string folder, program;
  bool reject = false, own_mounts = false;
  int changes = 0;
  std::unique_ptr<Container> container;
};

TEST_F(ContainerTest, RunsItsProcessWithItsEnvironmentAndLogsWhatThatSays) {
  begin("echo \"$TEXT\"; echo to-stderr >&2; exec sleep 1000");
  ASSERT_TRUE(becomes([&] { return container->ready() && logged().find("to-stderr") != std::string::npos; }));
  EXPECT_EQ(logged(), "from the environment\nto-stderr\n");
  const api::Json status = container->status();
  EXPECT_TRUE(status["ready"].get<bool>());
  EXPECT_TRUE(status["state"].contains("running"));
  EXPECT_EQ(status["restartCount"], 0);
}

TEST_F(ContainerTest, WhatItIsToldToStopIsNotOver) {
  for (const RestartPolicy policy :
       {RestartPolicy::kAlways, RestartPolicy::kOnFailure, RestartPolicy::kNever}) {
    begin("exec sleep 1000", policy);
    ASSERT_TRUE(becomes([&] { return container->ready(); }));
    stop(5s);
    EXPECT_FALSE(container->running());
    EXPECT_FALSE(container->over());
    EXPECT_EQ(container->status()["state"]["terminated"]["exitCode"], 143);
  }
}

TEST_F(ContainerTest, StartsAgainWithBackOffWhenTheProcessEnds) {
  begin("exit 3");
  ASSERT_TRUE(becomes([&] {
    return container->status()["restartCount"] >= 2 && container->status()["state"].contains("waiting");
  }));
  const api::Json status = container->status();
  EXPECT_EQ(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
  EXPECT_EQ(status["lastState"]["terminated"]["exitCode"], 3);
  EXPECT_EQ(status["lastState"]["terminated"]["reason"], "Error");
}

TEST_F(ContainerTest, StaysEndedWhereItsPolicySaysSo) {
  begin("exit 0", RestartPolicy::kOnFailure);
  ASSERT_TRUE(becomes([&] { return container->over(); }));
  EXPECT_FALSE(container->failed());
  EXPECT_EQ(container->status()["state"]["terminated"]["reason"], "Completed");
}

/// Polls without serving the loop.
template <class Condition>
bool soon(Condition condition) {
  const TimePoint limit = SteadyClock::now() + 20s;
  while (!condition() && SteadyClock::now() < limit) std::this_thread::yield();
  return condition();
}

std::string mounts_of(pid_t pid) {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/ns/mnt", error).string();
}

// The kernel gives the number of a mount namespace that is gone to the next one that is made.
TEST_F(ContainerTest, WhatItLeavesBehindIsNotMistakenForAnothersWhoHasTheNumberOfItsMountsByThen) {
  std::ofstream(folder + "/hosts") << "127.0.0.1 localhost\n";
  own_mounts = true;
  begin("exec sleep 1000", RestartPolicy::kNever);
  ASSERT_TRUE(becomes([&] { return container->ready(); }));
  const pid_t ended = container->pid();
  const std::string theirs = mounts_of(ended);
  ASSERT_NE(theirs, mounts_of(::getpid()));
  ::kill(ended, SIGKILL);
  ASSERT_TRUE(soon([&] { return mounts_of(ended).empty(); }));
  const pid_t other = ::fork();
  if (other == 0) {
    ::unshare(CLONE_NEWNS);
    ::execl("/bin/sleep", "sleep", "1000", nullptr);
    ::_exit(1);
  }
  ASSERT_TRUE(soon([&] { return mounts_of(other) != mounts_of(::getpid()); }));
  ASSERT_TRUE(becomes([&] { return container->over(); }));
  EXPECT_EQ(::kill(other, SIGTERM), 0);
  int status = 0;
  reaper.expect(other, [&](int value) { status = value; });
  ASSERT_TRUE(becomes([&] { return status != 0; }));
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

/// The process that wrote its number to `file`; 0 as long as there is none.
pid_t written_in(const std::string& file) {
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  return pid;
}

TEST_F(ContainerTest, EndsWhatAProgramLeavesBehindThatGoesToTheBackgroundAndEndsAtOnce) {
  std::ofstream(folder + "/hosts") << "127.0.0.1 localhost\n";
  own_mounts = true;
  // As a daemon does it: a session of its own, and no parent waits for it.
  begin("setsid sleep 1000 & echo $! > " + folder + "/daemon", RestartPolicy::kNever);
  ASSERT_TRUE(becomes([&] { return container->over(); }));
  const pid_t daemon = written_in(folder + "/daemon");
  ASSERT_GT(daemon, 0);
  EXPECT_TRUE(becomes([&] { return mounts_of(daemon).empty(); }));
}

TEST_F(ContainerTest, ProcessesThatAreGivenUpLeaveNoneOfTheirChildren) {
  ProcessSpec spec;
  spec.arguments = {"/bin/sh", "-c", "sleep 1000 & echo $! > " + folder + "/child; wait"};
  spec.environment = {{"PATH", "/bin:/usr/bin"}};
  spec.log_file = log();
  const auto started = start_process(spec);
  ASSERT_TRUE(started) << started.error().text;
  bool ended = false;
  reaper.expect(started->pid, [&](int) { ended = true; });
  ASSERT_TRUE(becomes([&] { return written_in(folder + "/child") > 0; }));
  const pid_t child = written_in(folder + "/child");
  kill_group(started->pid);
  EXPECT_TRUE(becomes([&] { return ended && mounts_of(child).empty(); }));
}

TEST_F(ContainerTest, IsNeverReadyWhenItsProgramCannotBeExecuted) {
  program = "/no/such/program";
  bool was_ready = false;
  begin("");
  ASSERT_TRUE(becomes([&] {
    was_ready = was_ready || container->ready();
    return container->status()["restartCount"] >= 3;
  }));
  EXPECT_FALSE(was_ready);
}

TEST_F(ContainerTest, SaysWhyAProgramCannotBeExecuted) {
  program = "/no/such/program";
  begin("");
  ASSERT_TRUE(becomes([&] { return container->status().contains("lastState"); }));
  const api::Json ended = container->status()["lastState"]["terminated"];
  EXPECT_EQ(ended["reason"], "StartError");
  EXPECT_EQ(ended["message"], "executing /no/such/program: No such file or directory");
}

TEST_F(ContainerTest, WaitsWhileItsImageIsNotThereAndStartsWhenItIs) {
  reject = true;
  begin("exec sleep 1000");
  ASSERT_TRUE(becomes([&] { return container->status()["state"].contains("waiting"); }));
  EXPECT_EQ(container->status()["state"]["waiting"]["reason"], "ErrImageNeverPull");
  EXPECT_EQ(container->status()["state"]["waiting"]["message"], "no such image");
  reject = false;
  EXPECT_TRUE(becomes([&] { return container->ready(); }));
  stop(5s);
}

TEST_F(ContainerTest, KillsAProcessThatIgnoresSigtermAfterItsGrace) {
  begin("trap '' TERM; echo up; while :; do sleep 0.01; done");
  ASSERT_TRUE(becomes([&] { return logged() == "up\n"; }));
  stop(50ms);
  EXPECT_EQ(container->status()["state"]["terminated"]["signal"], SIGKILL);
}

TEST_F(ContainerTest, AsksItsProcessToEndOnceHoweverOftenItIsToldToStop) {
  begin("trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done");
  ASSERT_TRUE(becomes([&] { return logged() == "up\n"; }));
  {
    net::TaskScope cancelled;
    bool never = false;
    cancelled.spawn(stop_into(1000s, never));
    ASSERT_TRUE(becomes([&] { return logged() == "up\nasked\n"; }));
  }
  stop(100ms);
  EXPECT_EQ(logged(), "up\nasked\n");
  EXPECT_EQ(container->status()["state"]["terminated"]["signal"], SIGKILL)
      << "the second stop still has its own end";
}

TEST_F(ContainerTest, AProcessThatIsBeingStoppedCanBeGivenLessTime) {
  begin("trap '' TERM; echo up; while :; do sleep 0.01; done");
  ASSERT_TRUE(becomes([&] { return logged() == "up\n"; }));
  net::TaskScope scope;
  bool stopped = false;
  scope.spawn(stop_into(1000s, stopped));
  container->shorten(50ms);
  container->shorten(1000s);
  EXPECT_TRUE(becomes([&] { return stopped; }));
  EXPECT_EQ(container->status()["state"]["terminated"]["signal"], SIGKILL);
}

TEST_F(ContainerTest, AKilledProcessCountsAsARestart) {
  begin("exec sleep 1000");
  ASSERT_TRUE(becomes([&] { return container->ready(); }));
  const pid_t first = container->pid();
  ::kill(first, SIGKILL);
  ASSERT_TRUE(becomes([&] { return container->ready() && container->pid() != first; }));
  EXPECT_EQ(container->status()["restartCount"], 1);
  stop(5s);
}

TEST(LogKeeper, BeginsALargeFileAgainAndKeepsOneCopy) {
  const std::string file = "/tmp/weft-rotate-" + std::to_string(::getpid()) + ".log";
  std::ofstream(file) << std::string(100, 'a');
  EXPECT_FALSE(rotate(file, 100));
  std::ofstream writer(file, std::ios::app);
  writer << "b" << std::flush;
  EXPECT_TRUE(rotate(file, 100));
  writer << "after" << std::flush;
  EXPECT_EQ(std::filesystem::file_size(file), 5u) << "the writer goes on at the new end";
  EXPECT_EQ(std::filesystem::file_size(file + ".1"), 101u);
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".1");
}

TEST(LogKeeper, KeepsTheFoldersOfPodsThatAreThereAndOfTheLastOnesThatAreGone) {
  namespace fs = std::filesystem;
  char form[] = "/tmp/weft-logs-XXXXXX";
  const fs::path base = ::mkdtemp(form);
  const auto now = fs::file_time_type::clock::now();
  for (int i = 0; i < 6; ++i) {
    const fs::path folder = base / "logs" / ("default_p" + std::to_string(i));
    fs::create_directories(folder);
    std::ofstream(folder / "main.log") << "x";
    fs::last_write_time(folder / "main.log", now - std::chrono::hours(i));
    fs::last_write_time(folder, now - std::chrono::hours(100));
  }
  fs::create_directories(base / "pods" / "default_p5");
  std::ofstream(base / "logs" / "control.log") << "x";
  const auto left = [&] {
    std::string names;
    for (int i = 0; i < 6; ++i)
      if (fs::exists(base / "logs" / ("default_p" + std::to_string(i)))) names += std::to_string(i);
    return names;
  };
  EXPECT_EQ(remove_old_logs(base / "logs", base / "pods", 4, now - std::chrono::hours(90)), 1u);
  EXPECT_EQ(left(), "01235") << "4 is the oldest of five that are gone, 5 is of a pod that is there";
  EXPECT_EQ(remove_old_logs(base / "logs", base / "pods", 4, now - std::chrono::minutes(90)), 2u);
  EXPECT_EQ(left(), "015");
  EXPECT_TRUE(fs::exists(base / "logs" / "control.log"));
  fs::remove_all(base);
}

TEST(InstanceRecord, IsAliveOnlyWhileThatVeryProcessRuns) {
  const std::string folder = "/tmp/weft-record-" + std::to_string(::getpid());
  std::filesystem::create_directories(folder);
  EXPECT_FALSE(read_record(folder));
  InstanceRecord record{::getpid(), process_start_time(::getpid()), "127.0.0.1:8080"};
  ASSERT_TRUE(write_record(folder, record));
  ASSERT_TRUE(read_record(folder));
  EXPECT_EQ(read_record(folder)->ingress, "127.0.0.1:8080");
  EXPECT_TRUE(read_record(folder)->alive());
  record.start_time += 1;
  ASSERT_TRUE(write_record(folder, record));
  EXPECT_FALSE(read_record(folder)->alive()) << "the number belongs to another process by now";
  std::ofstream(folder + "/supervisor.json") << "{\"pid\": \"x\"";
  EXPECT_FALSE(read_record(folder));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::local
