#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "net/loop.h"
#include "net/task.h"

namespace weft::net {

/// Why a read or a write gave no bytes.
enum class IoError : std::uint8_t {
  kNone,
  kWouldBlock,  ///< only from try_*: nothing now
  kEnd,         ///< the peer shut down its sending side in order; reads only
  kReset,       ///< broken by the peer or the network
  kTimeout,     ///< the deadline passed
  kClosed,      ///< closed by us
};

/// The outcome of one read or write: bytes moved, or why none were. Small on purpose: it is on the request
/// path.
struct IoResult {
  std::size_t bytes = 0;
  IoError error = IoError::kNone;
  bool ok() const { return error == IoError::kNone; }
};

std::string_view to_string(IoError error);
/// For leaving the I/O layer: the peer's side decides the blame.
Error to_error(IoError error, Blame blame, std::string_view doing);

/// One bidirectional stream of bytes: a TCP or Unix socket, an in-memory pipe in tests, TLS later.
///
/// Owner: one connection. Thread: one loop. At most one read and one write wait at a time.
/// Deadlines: set_read_deadline/set_write_deadline bound every wait from then on until changed; they cost
/// nothing when a wait is over before they pass. How it ends: close(), or the destructor; a waiting coroutine
/// is resumed with kClosed by close() only.
class Stream {
 public:
  explicit Stream(Loop& loop);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream();

  /// Takes what is there; kWouldBlock when nothing is. `into` is not empty.
  virtual IoResult try_read(std::span<char> into) = 0;
  /// Gives what fits; kWouldBlock when nothing does.
  virtual IoResult try_write(std::span<const iovec> parts) = 0;
  /// Ends our sending direction in order (TCP FIN); reading goes on.
  virtual void shutdown_write() = 0;
  /// Ends both directions. With `reset` the peer sees a broken connection, not an orderly end.
  void close(bool reset = false);

  Loop& loop() const { return loop_; }
  bool closed() const { return closed_; }
  /// The peer has ended or broken the connection; there may still be bytes to read.
  bool peer_ended() const { return peer_ended_; }
  bool peer_broken() const { return peer_broken_; }

  /// Also for a wait that has begun.
  void set_read_deadline(TimePoint when) { set_deadline(read_, when); }
  void set_write_deadline(TimePoint when) { set_deadline(write_, when); }
  /// Looks at what has come without taking it. Afterwards readable() waits for more to come; call unpeek()
  /// before anything else reads.
  virtual IoResult peek(std::span<char> into) = 0;
  void unpeek() { may_read_ = true; }
  /// Whether the peer's machine has acknowledged every byte that was written; true where that is not known.
  virtual bool delivered() const { return true; }
  /// Whether nothing has come that is still unread, as far as the kernel has told: no byte, no end, no break.
  /// Costs no system call when the last read has shown that there was nothing more.
  virtual bool quiet() { return !may_read_; }

  /// Called at most once, from the loop, when the connection breaks (reset) while no read is waiting.
  /// Used to cancel work for a client that has gone. An empty function removes it. It must not destroy the
  /// Stream.
  void on_broken(std::function<void()> action) { on_broken_ = std::move(action); }
  /// Called from the loop each time something arrives (bytes, an end, a break) while no read is
  /// waiting: how a pool notices that the server has closed an idle connection, and a proxy that the client
  /// has gone while it waits for the other side. An empty function removes it. It must neither destroy the
  /// Stream nor replace itself.
  void on_idle_event(std::function<void(ReadyHandler::Ready)> action) { on_idle_event_ = std::move(action); }

 private:
  struct Wait {
    Wait(Loop& loop, std::function<void()> action) : timer(loop, std::move(action)) {}
    std::coroutine_handle<> handle;
    TimePoint deadline = kNever;
    bool timed_out = false;
    Timer timer;
  };

 public:
  struct ReadableAwaiter {
    Stream& stream;
    std::coroutine_handle<> waiting = {};
    bool await_ready() const noexcept { return stream.closed_ || stream.may_read_; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting = handle;
      stream.suspend(stream.read_, handle);
    }
    /// kNone: try_read is worth calling. kTimeout or kClosed otherwise.
    IoError await_resume() {
      waiting = {};
      return stream.resume(stream.read_);
    }
    ~ReadableAwaiter() {
      if (waiting) stream.read_.handle = {};
    }
  };
  struct WritableAwaiter {
    Stream& stream;
    std::coroutine_handle<> waiting = {};
    bool await_ready() const noexcept { return stream.closed_ || stream.may_write_; }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting = handle;
      stream.suspend(stream.write_, handle);
    }
    IoError await_resume() {
      waiting = {};
      return stream.resume(stream.write_);
    }
    ~WritableAwaiter() {
      if (waiting) stream.write_.handle = {};
    }
  };
  /// Waits until there may be something to read. Holds no buffer meanwhile: idle connections wait here.
  ReadableAwaiter readable() { return ReadableAwaiter{*this}; }
  WritableAwaiter writable() { return WritableAwaiter{*this}; }

  /// Reads at least one byte, or says why not. `into` must live until then.
  Task<IoResult> read(std::span<char> into);
  /// Writes all of `data`, or says why not (`bytes` then tells how far it came).
  Task<IoResult> write(std::string_view data);

 protected:
  /// For try_read(), before it takes anything. True once so much was taken that everything else of the loop
  /// is to have its turn: then nothing is there for the reader until it had. Readiness is said once for all
  /// that has come, and with a fast peer reading on would end no turn.
  bool took_enough();
  void note_taken(std::size_t bytes) { taken_ += bytes; }
  /// Nothing is left that could be taken.
  void note_empty() { taken_ = 0; }
  /// There may be something that the reader is not told of yet.
  bool held_back() const { return more_ && more_->scheduled(); }

  /// Implementations call these when the state of the transport changes; a waiter is resumed inside the call,
  /// and may destroy the Stream: touch nothing afterwards.
  void notify(ReadyHandler::Ready ready);
  virtual void do_close(bool reset) = 0;
  /// Whether a try may succeed. Cleared by try_* on would-block, set by notify.
  bool may_read_ = true;
  bool may_write_ = true;
  bool peer_ended_ = false;
  bool peer_broken_ = false;

 private:
  void set_deadline(Wait& wait, TimePoint when) {
    wait.deadline = when;
    if (wait.handle) arm(wait);
  }
  void arm(Wait& wait);
  void suspend(Wait& wait, std::coroutine_handle<> handle);
  IoError resume(Wait& wait);
  void expire(Wait& wait);

  Loop& loop_;
  bool closed_ = false;
  bool* destroyed_ = nullptr;
  Wait read_;
  Wait write_;
  std::function<void()> on_broken_;
  std::function<void(ReadyHandler::Ready)> on_idle_event_;
  std::size_t taken_ = 0;           ///< since it was last empty, or others had their turn
  std::unique_ptr<Deferred> more_;  ///< there once that was too much
};

}  // namespace weft::net
