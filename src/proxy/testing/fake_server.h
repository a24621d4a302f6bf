#pragma once

#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "proxy/server.h"

namespace weft::proxy::testing {

/// A data plane without workers, which says that it has taken a snapshot only when the test lets it.
class FakeServer final : public Server {
 public:
  void apply(SnapshotPtr snapshot, std::function<void(Result<void>)> done) override {
    WEFT_ASSERT(!done_);  // one snapshot at a time
    next_ = std::move(snapshot);
    done_ = std::move(done);
  }
  void finish(Result<void> result = {}) {
    WEFT_ASSERT(done_);
    if (result) current_ = next_;
    std::exchange(done_, nullptr)(std::move(result));
  }
  bool applying() const { return done_ != nullptr; }
  SnapshotPtr current() const override { return current_; }
  void set_ready(bool ready) override { ready_ = ready; }
  bool ready() const override { return ready_; }
  void drain(Milliseconds, std::function<void()> done) override { done(); }
  void stop() override {}
  void begin_graceful_drain(DrainScope) override {}
  void count_open(std::function<void(OpenWork)> done) override { done({}); }
  void collect_stats(bool, std::function<void(std::string)> done) override { done(stats); }
  void collect_clusters(bool, std::function<void(std::string)> done) override { done(""); }
  std::string listeners_text(bool) const override { return ""; }
  void flush_logs(std::function<void()> done) override { done(); }

  std::string stats;  ///< what collect_stats() gives

 private:
  SnapshotPtr current_, next_;
  std::function<void(Result<void>)> done_;
  bool ready_ = false;
};

}  // namespace weft::proxy::testing
