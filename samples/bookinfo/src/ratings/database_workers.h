#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "ratings/database.h"

namespace bookinfo::ratings {

/// A few threads that make the blocking calls to a database, so that the event loop never waits for one.
///
/// Bounds: `threads` calls at once, `waiting` more in line; what comes then is refused at once. The caller
/// has its answer at the deadline even when the driver does not return; a call whose deadline passed in line
/// is never made. Thread: `run` on the event loop; work on the pool's. Ends: the destructor waits for calls
/// that are under way, and the loop must not be gone before it.
class DatabaseWorkers {
 public:
  using Work = std::function<RatingRows(Deadline)>;

  /// Starts a thread; throws `std::system_error` when there is none to be had.
  using MakeThread = std::function<std::thread(std::function<void()>)>;

  DatabaseWorkers(std::size_t threads, std::size_t waiting, MakeThread make_thread = plain_thread)
      : most_threads_(threads), most_waiting_(waiting), make_thread_(std::move(make_thread)) {
    threads_.reserve(threads);
  }
  ~DatabaseWorkers();
  DatabaseWorkers(const DatabaseWorkers&) = delete;
  DatabaseWorkers& operator=(const DatabaseWorkers&) = delete;

  /// Errors: those of `work`; kBusy when the line is full, the deadline passed, or there is no thread at all.
  boost::asio::awaitable<RatingRows> run(Work work, std::chrono::milliseconds timeout);

 private:
  struct Job;

  static std::thread plain_thread(std::function<void()> work) { return std::thread(std::move(work)); }
  bool put_in_line(std::shared_ptr<Job> job);
  bool start_thread();
  void work_until_closed();

  const std::size_t most_threads_, most_waiting_;
  const MakeThread make_thread_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<std::shared_ptr<Job>> line_;
  std::size_t idle_ = 0;
  bool is_closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace bookinfo::ratings
