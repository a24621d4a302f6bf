#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace weft::net {

class Loop;

/// Told by the loop when a watched descriptor may have become readable or writable. Readiness is
/// edge-triggered: it is said once, when it changes, so the handler must read or write until the kernel
/// says "would block".
class ReadyHandler {
 public:
  struct Ready {
    bool readable;  ///< data, an end of stream or an accepted connection may be there
    bool writable;  ///< a write or a connect may go on
    bool ended;     ///< the peer has shut down its sending side, or the connection is broken
    bool broken;    ///< reset, or both directions closed
  };
  virtual void on_ready(Ready ready) = 0;

 protected:
  ~ReadyHandler() = default;
};

/// A descriptor's registration with a loop. Does not own the descriptor; must end before the descriptor is
/// closed.
class FdWatch {
 public:
  FdWatch() = default;
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch() { stop(); }

  /// `shared`: several loops watch one listening descriptor and one of them is woken (EPOLLEXCLUSIVE,
  /// level-triggered).
  Result<void> start(Loop& loop, int fd, ReadyHandler& handler, bool shared = false);
  void stop();
  bool active() const { return loop_ != nullptr; }

 private:
  Loop* loop_ = nullptr;
  int fd_ = -1;
  std::uint32_t slot_ = 0;
};

/// A one-shot timer. Owner: the object that needs it; destroying it disarms it. Thread: the loop's.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> action) : loop_(loop), action_(std::move(action)) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { disarm(); }

  /// Fires once at `when`, or without delay if that has passed; replaces an earlier arming. kNever disarms.
  void arm(TimePoint when);
  void disarm();
  bool armed() const { return index_ != kIdle; }
  TimePoint when() const { return when_; }

 private:
  friend class Loop;
  static constexpr std::size_t kIdle = ~std::size_t{0};
  Loop& loop_;
  std::function<void()> action_;
  TimePoint when_ = kNever;
  std::size_t index_ = kIdle;
};

/// Something to be done later in this turn of the loop or in the next, never inside schedule(). Destroying it
/// takes it back: whatever uses an object defers through a Deferred that belongs to that object.
///
/// Owner: the object that needs it; may be destroyed by its own action. Thread: the loop's.
class Deferred {
 public:
  Deferred(Loop& loop, std::function<void()> action) : loop_(loop), action_(std::move(action)) {}
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  ~Deferred() { cancel(); }

  /// Once, however often it is called before the action runs.
  void schedule();
  void cancel() { link_.unlink(); }
  bool scheduled() const { return link_.next != nullptr; }

 private:
  friend class Loop;
  /// A place in a ring; the ring's own place has no `deferred`.
  struct Link {
    Link* next = nullptr;
    Link* previous = nullptr;
    Deferred* deferred = nullptr;
    void unlink();
    void insert_before(Link& other);
  };
  Loop& loop_;
  std::function<void()> action_;
  Link link_{.deferred = this};
};

/// One thread's event loop: descriptors (epoll), timers, and functions posted to it.
///
/// Owner: the thread that runs it. Thread: everything except post() and stop() belongs to that thread. An
/// idle loop makes no system call at all until a descriptor or a timer is due. How it ends: run() returns
/// after stop().
///
/// A *simulated* loop has no descriptors and its time moves only by advance(): tests of anything built on
/// Stream, Timer and Task run on it without waiting.
class Loop {
 public:
  /// Ends the process if the kernel has no descriptor left for it: a program without its loop cannot report
  /// anything.
  Loop();
  static std::unique_ptr<Loop> simulated();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// The time at the start of this turn: cheap, and the same for everything that happens in the turn.
  TimePoint now() const { return now_; }

  void run();
  /// One turn: waits at most `wait` (0: does not wait), then serves what is due. For programs with their own
  /// outer loop.
  void run_once(Duration wait);
  /// Any thread.
  void stop();
  /// Any thread: `action` runs on this loop's thread, in the order posted.
  void post(std::function<void()> action);
  /// This thread: `action` runs later in this turn or in the next, never inside the call. It cannot be taken
  /// back, so it must own what it uses; what uses an object is a Deferred of that object.
  void defer(std::function<void()> action);

  /// Simulated loops: moves time forward, firing timers in order and draining deferred work after each.
  void advance(Duration by);
  /// Simulated loops: runs deferred work until none is left, without moving time.
  void settle();

  /// co_await loop.sleep(d): resumes after `d`.
  struct SleepAwaiter {
    Timer timer;
    TimePoint until;
    std::coroutine_handle<> waiting;
    SleepAwaiter(Loop& loop, TimePoint when) : timer(loop, [this] { waiting.resume(); }), until(when) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting = handle;
      timer.arm(until);
    }
    void await_resume() const noexcept {}
  };
  SleepAwaiter sleep(Duration duration) { return SleepAwaiter(*this, now_ + duration); }
  SleepAwaiter sleep_until(TimePoint when) { return SleepAwaiter(*this, when); }

  /// co_await loop.yield(): lets other work of this loop run first.
  struct YieldAwaiter {
    Deferred turn;
    std::coroutine_handle<> waiting;
    explicit YieldAwaiter(Loop& loop) : turn(loop, [this] { waiting.resume(); }) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting = handle;
      turn.schedule();
    }
    void await_resume() const noexcept {}
  };
  YieldAwaiter yield() { return YieldAwaiter(*this); }

 private:
  friend class Deferred;
  friend class FdWatch;
  friend class Timer;
  struct Slot {
    ReadyHandler* handler = nullptr;
    std::uint32_t generation = 0;
  };
  struct Simulated {};
  explicit Loop(Simulated);

  void poll(Duration wait);
  void serve_timers();
  bool has_deferred() const { return !deferred_.empty() || ring_.next != &ring_; }
  void drain_deferred();
  void drain_posted();
  Duration until_next_timer() const;
  void sift_up(std::size_t index);
  void sift_down(std::size_t index);
  void place(std::size_t index, Timer* timer);
  void insert(Timer& timer);
  void erase(Timer& timer);

  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  TimePoint now_;
  std::vector<Timer*> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<std::function<void()>> deferred_;
  Deferred::Link ring_{.next = &ring_, .previous = &ring_};
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> stopping_{false};
};

}  // namespace weft::net
