#include "proxy/log/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "proxy/testing/plane.h"

namespace weft::proxy {
namespace {

using namespace testing;

/// A pipe by name, with a reader that reads when it is asked.
class Fifo {
 public:
  Fifo() {
    char folder[] = "/tmp/weft-fifo-XXXXXX";
    WEFT_ASSERT(::mkdtemp(folder) != nullptr);
    folder_ = folder;
    WEFT_ASSERT(::mkfifo(path().c_str(), 0600) == 0);
    reader_ = ::open(path().c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~Fifo() {
    ::close(reader_);
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/log"; }
  std::string read() {
    char bytes[65536];
    const ssize_t size = ::read(reader_, bytes, sizeof bytes);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
  }

 private:
  std::string folder_;
  int reader_ = -1;
};

TEST(AccessLog, a_pipe_that_nobody_reads_stops_no_worker_and_what_was_kept_comes_whole_when_it_is_read) {
  Fifo out;
  Plane plane;
  Upstream a(plane.loop, "a");
  plane.http.access_logs.push_back(
      {.path = out.path(), .format = "begin %REQ(:PATH)% end\n", .only_with_flags = {}});
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  RawClient client(plane.loop, plane.front());
  const std::string filling(8000, 'p');
  std::size_t answers = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string path = "/" + std::to_string(i) + "-" + filling;
    client.write("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string& got = client.read_until("a GET /" + std::to_string(i) + "-");
    ASSERT_NE(got.find("a GET /" + std::to_string(i) + "-"), std::string::npos) << "request " << i;
    ++answers;
  }
  EXPECT_EQ(answers, 300u);
  const std::string stats = plane.stats();
  const auto at = stats.find("access_log.lines_dropped: ");
  ASSERT_NE(at, std::string::npos);
  const unsigned long dropped = std::stoul(stats.substr(at + 26));
  EXPECT_GT(dropped, 0u);
  std::string all;
  const std::size_t kept = 300 - dropped;
  ASSERT_TRUE(run_until(plane.loop, [&] {
    all += out.read();
    return static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')) >= kept;
  }));
  EXPECT_EQ(static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')), kept);
  std::size_t from = 0;
  for (std::size_t i = 0; i < kept; ++i) {
    const std::string want = "begin /" + std::to_string(i) + "-" + filling + " end\n";
    ASSERT_EQ(all.substr(from, want.size()), want);
    from += want.size();
  }
}

TEST(AccessLog, lines_are_there_as_soon_as_somebody_asks_for_them) {
  Fifo out;
  Plane plane(2);
  Upstream a(plane.loop, "a");
  plane.http.access_logs.push_back({.path = out.path(), .format = "%REQ(:PATH)%\n", .only_with_flags = {}});
  ASSERT_TRUE(plane.apply(table_of({route_to("/", "a")}), {cluster_of("a", {a.address()})}));
  EXPECT_EQ(plane.get("/one").head.status, 200);
  bool done = false;
  plane.server->flush_logs([&] { done = true; });
  ASSERT_TRUE(run_until(plane.loop, [&] { return done; }));
  EXPECT_EQ(out.read(), "/one\n");
}

}  // namespace
}  // namespace weft::proxy
