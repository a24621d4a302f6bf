#pragma once

#include <array>
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
/// A wake says only that there may be room: who finds some leaves the line, and its end wakes the next; who
/// finds none stands in its place again and wakes nobody, for there is none for its kind. So all that came
/// free finds its request, whatever else has become of it meanwhile, and an event costs one or two wasted
/// tries, however many wait.
///
/// Owner: ClusterShare. Thread: the worker's loop.
class WaitingLine {
 public:
  class Turn;
  using InOrder = std::map<std::uint64_t, Turn*>;  ///< by number: first come, first
  /// Those in line that can use the same: when one of them finds no room, there is none for any of them.
  class Kind {
   public:
    /// False also while one who was woken has not tried yet: who comes now stands behind it.
    bool empty() const { return waiting_.empty() && woken_ == 0; }

   private:
    friend class WaitingLine;
    friend class Turn;
    InOrder waiting_;
    std::size_t woken_ = 0;
  };
  /// How the owner of a request that has no connection yet gives it up.
  struct Handle {
    Turn* turn = nullptr;              ///< while it waits in line
    net::Deferred* connect = nullptr;  ///< while a connection is made for it: ends that
    void give_up();
  };

  bool empty() const { return waiting_.empty() && woken_.empty(); }
  /// There may be room for a request of any kind: the first in line tries, from the loop.
  void wake();
  /// There may be room for this kind: one of it tries, its first unless another is about to.
  void wake(Kind& kind);
  void wake_all();

 private:
  void wake(Turn& turn, bool for_any_kind);
  void leave(Turn& turn);

  InOrder waiting_, woken_;  ///< those in line: for a wake, and with one until they try
  std::uint64_t next_number_ = 0;
};

/// One request's place in the line.
class WaitingLine::Turn {
 public:
  Turn(net::Loop& loop, WaitingLine& line, Place pending, ClusterCounters& counters, Handle* handle);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  /// One that was woken, and has found room or does not try, lets the next try.
  ~Turn();

  /// Waits, again if need be, in the same place. False: the deadline has passed, or it was cancelled. `kind`
  /// may be null: a line of one kind.
  auto wait(TimePoint deadline, std::shared_ptr<Kind> kind = nullptr) {
    stand_in_line(deadline, std::move(kind));
    struct Awaiter {
      Turn& turn;
      bool await_ready() const noexcept { return false; }
      void await_suspend(std::coroutine_handle<> waiting) noexcept { turn.waiting_ = waiting; }
      bool await_resume() const noexcept { return turn.woken_; }
    };
    return Awaiter{*this};
  }

 private:
  friend class WaitingLine;
  friend struct WaitingLine::Handle;
  void stand_in_line(TimePoint deadline, std::shared_ptr<Kind> kind);
  void resume();

  net::Loop& loop_;
  WaitingLine& line_;
  std::shared_ptr<Kind> kind_;
  Place pending_;
  ClusterCounters& counters_;
  Handle* handle_;
  std::uint64_t number_;
  net::Timer timer_;
  std::coroutine_handle<> waiting_;
  bool in_line_ = false, woken_ = false;
  bool for_any_kind_ = false;  ///< woken by what may be of use to others, too
};

/// What a connection serves: requests of one version, or whoever speaks TCP by it. A request that waits for
/// one of another use may wait forever.
enum class ConnectionUse : std::uint8_t { kHttp1, kHttp2, kTcp };
constexpr std::size_t kConnectionUses = 3;

/// The kinds of those who wait in one line, by what they need. Made when the first one waits: most clusters
/// never have one.
///
/// Owner: what they wait for, a cluster or an endpoint. Thread: the worker's loop.
class KindsInLine {
 public:
  /// Nobody waits for that use.
  bool empty(ConnectionUse use) const;
  bool empty() const;
  /// For one who is about to wait, which keeps it.
  std::shared_ptr<WaitingLine::Kind> of(ConnectionUse use);
  /// There may be room in `line` for that use.
  void wake(WaitingLine& line, ConnectionUse use);

 private:
  std::shared_ptr<std::array<WaitingLine::Kind, kConnectionUses>> made_;
};

/// What a worker has of a cluster, for as long as one of its connections or endpoints is there.
struct ClusterShare {
  explicit ClusterShare(std::shared_ptr<ClusterUsage> of) : usage(std::move(of)) {}
  /// Lets one of each kind try: limits or endpoints have changed.
  void wake_each_kind();
  std::shared_ptr<ClusterUsage> usage;
  ClusterCounters counters;
  WaitingLine waiting;
  /// Of requests that may use any endpoint.
  KindsInLine kinds;
  /// Each request wants one endpoint, whose own kinds it is of.
  bool kinds_by_endpoint = false;
};

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
