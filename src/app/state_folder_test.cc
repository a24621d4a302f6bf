#include "app/state_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace weft::app {
namespace {

namespace fs = std::filesystem;

class StateFolderTest : public ::testing::Test {
 protected:
  StateFolderTest() {
    char form[] = "/tmp/weft-state-XXXXXX";
    base = ::mkdtemp(form);
  }
  ~StateFolderTest() override { fs::remove_all(base); }
  static mode_t mode(const fs::path& path) {
    struct stat about{};
    return ::stat(path.c_str(), &about) == 0 ? about.st_mode & 07777 : 0;
  }
  void expect_denied(const std::string& reason) {
    const auto made = make_state_folder(base / "x");
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Code::kDenied);
    EXPECT_NE(made.error().text.find(reason), std::string::npos) << made.error().text;
  }
  fs::path base;
};

TEST_F(StateFolderTest, IsMadeForUsAloneWithItsLogs) {
  ASSERT_TRUE(make_state_folder(base / "deep" / "x"));
  EXPECT_EQ(mode(base / "deep" / "x"), 0700u);
  EXPECT_EQ(mode(base / "deep" / "x" / "logs"), 0700u);
  EXPECT_TRUE(make_state_folder(base / "deep" / "x")) << "and is taken again";
}

TEST_F(StateFolderTest, OneThatOthersMayReadIsClosedToThem) {
  fs::create_directory(base / "x");
  ::chmod((base / "x").c_str(), 0755);
  ASSERT_TRUE(make_state_folder(base / "x"));
  EXPECT_EQ(mode(base / "x"), 0700u);
}

TEST_F(StateFolderTest, OneThatOthersMayWriteToIsNotTaken) {
  fs::create_directory(base / "x");
  ::chmod((base / "x").c_str(), 0777);
  expect_denied("may be written to by others (mode 0777)");
}

TEST_F(StateFolderTest, OneOfAnotherUserIsNotTaken) {
  fs::create_directory(base / "x");
  ASSERT_EQ(::chown((base / "x").c_str(), 65534, 65534), 0) << "the tests run as root";
  expect_denied("belongs to user 65534");
}

TEST_F(StateFolderTest, ALinkIsNotFollowedWhetherForTheFolderOrForAPartOfIt) {
  fs::create_directory(base / "elsewhere");
  fs::create_directory_symlink(base / "elsewhere", base / "x");
  expect_denied("is a symbolic link");
  fs::remove(base / "x");
  fs::create_directory(base / "x");
  fs::create_directory_symlink(base / "elsewhere", base / "x" / "store");
  expect_denied("x/store is a symbolic link");
}

TEST_F(StateFolderTest, APlaceWhereOthersMayExchangeItIsNotUsedUnlessItIsSticky) {
  ::chmod(base.c_str(), 0777);
  expect_denied("where others may exchange it");
  ::chmod(base.c_str(), 01777);
  EXPECT_TRUE(make_state_folder(base / "x"));
}

}  // namespace
}  // namespace weft::app
