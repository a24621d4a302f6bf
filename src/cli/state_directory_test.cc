#include "cli/state_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

namespace weft::cli {
namespace {

/// Sets variables for one test; nullptr: not set.
class StateDirectoryTest : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const auto& [name, value] : before_)
      if (value)
        ::setenv(name, value->c_str(), 1);
      else
        ::unsetenv(name);
  }
  void set(const char* name, const char* value) {
    const char* old = std::getenv(name);
    before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    if (value == nullptr)
      ::unsetenv(name);
    else
      ::setenv(name, value, 1);
  }
  void set_all(const char* weft, const char* xdg, const char* home) {
    set("WEFT_STATE_DIR", weft);
    set("XDG_STATE_HOME", xdg);
    set("HOME", home);
  }

 private:
  std::vector<std::pair<const char*, std::optional<std::string>>> before_;
};

TEST_F(StateDirectoryTest, IsTheFirstPlaceThatAVariableNames) {
  set_all("/w", "/x", "/h");
  EXPECT_EQ(StateDirectory::resolve("a")->path(), "/w/a");
  set_all(nullptr, "/x", "/h");
  EXPECT_EQ(StateDirectory::resolve("a")->path(), "/x/weft/a");
  set_all("", "", "/h");
  EXPECT_EQ(StateDirectory::resolve("a")->path(), "/h/.local/state/weft/a");
  set_all(nullptr, nullptr, nullptr);
  EXPECT_FALSE(StateDirectory::resolve("a"));
}

TEST_F(StateDirectoryTest, KeepsAnInstanceInsideIt) {
  set_all("/w", nullptr, nullptr);
  const auto state = StateDirectory::resolve("default");
  EXPECT_EQ(state->api_socket(), "/w/default/api.sock");
  EXPECT_EQ(state->log_file("default", "p", "istio-proxy"), "/w/default/logs/default_p/istio-proxy.log");
  EXPECT_EQ(state->pod_directory("default", "p"), "/w/default/pods/default_p");
  for (const char* bad : {"", "..", "a/b", "-x", "a b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    EXPECT_FALSE(StateDirectory::resolve(bad)) << bad;
}

TEST_F(StateDirectoryTest, KnowsWhetherItsSupervisorLives) {
  char name[] = "/tmp/weft-cli-XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  set_all(folder.c_str(), nullptr, nullptr);
  const auto state = StateDirectory::resolve("default");
  EXPECT_EQ(state->supervisor(), 0);
  std::filesystem::create_directory(folder / "default");
  std::ofstream(folder / "default/supervisor.json") << R"({"pid": )" << ::getpid() << "}";
  EXPECT_EQ(state->supervisor(), ::getpid());
  std::ofstream(folder / "default/supervisor.json") << R"({"pid": 4194303)";
  EXPECT_EQ(state->supervisor(), 0);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::cli
