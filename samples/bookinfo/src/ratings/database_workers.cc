#include "ratings/database_workers.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

namespace bookinfo::ratings {

namespace asio = boost::asio;

/// One call. The loop alone touches `ended` and `outcome`.
struct DatabaseWorkers::Job {
  Job(const asio::any_io_executor& loop, Work what, Deadline until)
      : work(std::move(what)), deadline(until), ended(loop, until) {}

  Work work;
  Deadline deadline;
  asio::steady_timer ended;  ///< expires at the deadline; cancelled when the outcome is there
  std::optional<RatingRows> outcome;
};

namespace {

RatingRows outcome_of(const DatabaseWorkers::Work& work, Deadline deadline) {
  try {
    return work(deadline);
  } catch (const std::exception& error) {
    return std::unexpected(Failure{Failure::Kind::kRead, error.what()});
  }
}

}  // namespace

DatabaseWorkers::~DatabaseWorkers() {
  {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    line_.clear();
  }
  has_work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

asio::awaitable<RatingRows> DatabaseWorkers::run(Work work, std::chrono::milliseconds timeout) {
  const auto loop = co_await asio::this_coro::executor;
  auto job = std::make_shared<Job>(loop, std::move(work), std::chrono::steady_clock::now() + timeout);
  if (!put_in_line(job)) {
    co_return std::unexpected(
        Failure{Failure::Kind::kBusy, "too many requests wait for the database, or no thread can be had"});
  }
  boost::system::error_code cancelled;
  co_await job->ended.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  if (job->outcome) co_return std::move(*job->outcome);
  co_return std::unexpected(Failure{Failure::Kind::kBusy, "no answer in time"});
}

bool DatabaseWorkers::put_in_line(std::shared_ptr<Job> job) {
  const std::lock_guard lock(mutex_);
  if (line_.size() >= most_waiting_) return false;
  // The thread comes first: a job in line that nobody takes would keep its place for good.
  if (line_.size() >= idle_ && threads_.size() < most_threads_ && !start_thread() && threads_.empty()) {
    return false;
  }
  line_.push_back(std::move(job));
  has_work_.notify_one();
  return true;
}

/// False when the machine has no thread for us now; the next job tries again.
bool DatabaseWorkers::start_thread() {
  try {
    threads_.push_back(make_thread_([this] { work_until_closed(); }));
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void DatabaseWorkers::work_until_closed() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    has_work_.wait(lock, [this] { return is_closed_ || !line_.empty(); });
    --idle_;
    if (is_closed_) return;
    std::shared_ptr<Job> job = std::move(line_.front());
    line_.pop_front();
    lock.unlock();
    if (std::chrono::steady_clock::now() < job->deadline) {
      RatingRows outcome = outcome_of(job->work, job->deadline);
      const auto loop = job->ended.get_executor();
      asio::post(loop, [job = std::move(job), outcome = std::move(outcome)]() mutable {
        job->outcome = std::move(outcome);
        job->ended.cancel();
      });
    }
    job.reset();
    lock.lock();
  }
}

}  // namespace bookinfo::ratings
