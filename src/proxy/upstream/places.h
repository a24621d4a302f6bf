#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "net/loop.h"
#include "proxy/stats/counters.h"

namespace weft::proxy {

class EndpointPool;

/// How much of a cluster's limits is in use, in all workers together: limits hold for the process.
///
/// Owner: shared by the workers' clusters of that name and by their connections. Thread: any.
struct ClusterUsage {
  std::atomic<std::uint32_t> connections{0}, pending{0}, requests{0}, retries{0};
};

/// One unit of a number that has a limit; the destructor gives it back. `of` must outlive it.
class Place {
 public:
  static constexpr std::uint32_t kUnlimited = std::numeric_limits<std::uint32_t>::max();

  Place() = default;
  /// Not held when `limit` units are in use. What has no limit is not counted: the number is shared by all
  /// workers, and counting costs each request the travel of a cache line.
  static Place take(std::atomic<std::uint32_t>& of, std::uint32_t limit);
  /// Held whatever is in use.
  static Place beyond(std::atomic<std::uint32_t>& of);
  Place(Place&& other) noexcept
      : of_(std::exchange(other.of_, nullptr)), held_(std::exchange(other.held_, false)) {}
  Place& operator=(Place&& other) noexcept {
    give_back();
    of_ = std::exchange(other.of_, nullptr);
    held_ = std::exchange(other.held_, false);
    return *this;
  }
  ~Place() { give_back(); }
  void give_back();
  explicit operator bool() const { return held_; }

 private:
  std::atomic<std::uint32_t>* of_ = nullptr;
  bool held_ = false;
};

/// Requests of one worker that wait for a connection of a cluster, first come first served.
///
/// Owner: ClusterShare. Thread: the worker's loop.
class WaitingLine {
 public:
  class Turn;
  /// How the owner of a request that has no connection yet gives it up.
  struct Handle {
    Turn* turn = nullptr;              ///< while it waits in line
    net::Deferred* connect = nullptr;  ///< while a connection is made for it: ends that
    void give_up();
  };

  /// False also while one who was woken has not tried yet: who comes now stands behind it.
  bool empty() const { return waiting_.empty() && woken_.empty(); }
  /// Lets the first that was not woken yet try again, from the loop. When all were, the wake is for who comes
  /// next, unless none waits.
  void wake_one();
  /// The same for those in line only. False: all were woken, or none waits.
  bool wake_another();
  void wake_all();

 private:
  using InOrder = std::map<std::uint64_t, Turn*>;  ///< by number: first come, first

  void leave(Turn& turn);

  InOrder waiting_, woken_;  ///< those in line: for a wake, and with one until they try
  std::uint64_t next_number_ = 0;
  std::size_t spare_wakes_ = 0;  ///< came when all in line were woken; for those who stand behind them
};

/// One request's place in the line. A wake that it was given and did not use goes to the next when it ends,
/// however it ends.
class WaitingLine::Turn {
 public:
  Turn(net::Loop& loop, WaitingLine& line, Place pending, ClusterCounters& counters, Handle* handle);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  /// Waits, again if need be, in the same place. False: the deadline has passed, or it was cancelled.
  auto wait(TimePoint deadline) {
    stand_in_line(deadline);
    struct Awaiter {
      Turn& turn;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiting) noexcept { turn.waiting_ = waiting; }
      bool await_resume() const noexcept { return turn.woken_; }
    };
    return Awaiter{*this};
  }
  /// The wake led to a connection: it is used up.
  void use() { woken_ = false; }

 private:
  friend class WaitingLine;
  friend struct WaitingLine::Handle;
  void stand_in_line(TimePoint deadline);
  void wake();
  void resume();

  net::Loop& loop_;
  WaitingLine& line_;
  Place pending_;
  ClusterCounters& counters_;
  Handle* handle_;
  std::uint64_t number_;
  net::Timer timer_;
  std::coroutine_handle<> waiting_;
  bool in_line_ = false, woken_ = false;
};

/// What a worker has of a cluster, for as long as one of its connections or endpoints is there.
struct ClusterShare {
  explicit ClusterShare(std::shared_ptr<ClusterUsage> of) : usage(std::move(of)) {}
  std::shared_ptr<ClusterUsage> usage;
  ClusterCounters counters;
  WaitingLine waiting;
};

/// What a connection serves: requests of one version, or whoever speaks TCP by it. A request that waits for
/// one of another use may wait forever.
enum class ConnectionUse : std::uint8_t { kHttp1, kHttp2, kTcp };
constexpr std::size_t kConnectionUses = 3;

/// The place of one connection to an endpoint, from before it is made until after it is closed. Its end, on
/// every way out, counts the connection off and lets the next request in line try.
class ConnectionPlace {
 public:
  ConnectionPlace() = default;
  /// Not held when `limit` connections of the cluster are there, in all workers.
  static ConnectionPlace take(std::shared_ptr<EndpointPool> endpoint, ConnectionUse use, std::uint32_t limit);
  static ConnectionPlace beyond(std::shared_ptr<EndpointPool> endpoint, ConnectionUse use);
  ConnectionPlace(ConnectionPlace&& other) noexcept
      : endpoint_(std::move(other.endpoint_)), use_(other.use_) {}
  ConnectionPlace& operator=(ConnectionPlace&&) = delete;
  ~ConnectionPlace();
  explicit operator bool() const { return endpoint_ != nullptr; }
  const std::shared_ptr<EndpointPool>& endpoint() const { return endpoint_; }
  ConnectionUse use() const { return use_; }

 private:
  ConnectionPlace(std::shared_ptr<EndpointPool> endpoint, ConnectionUse use);
  std::shared_ptr<EndpointPool> endpoint_;
  ConnectionUse use_ = ConnectionUse::kHttp1;
};

}  // namespace weft::proxy
