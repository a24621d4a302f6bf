#pragma once

#include <array>
#include <coroutine>
#include <optional>
#include <string>
#include <string_view>

#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"

namespace weft::http::h1 {

/// The way out of one connection: every byte that leaves it goes through here, in the order in which it was
/// put in, once.
///
/// Heads and other small text are appended and stay here until they have left; the data of a body is borrowed
/// by write() for as long as that takes. What the transport has taken is kept here and not in the coroutine
/// that waits for it, so a writer beside it, or one that is destroyed meanwhile, repeats nothing. One
/// coroutine writes at a time: a second write() waits for its turn, and flush() leaves its bytes to the one
/// that writes.
///
/// Owner: one connection, which outlives every write. Thread: one loop.
class Outbox {
 public:
  explicit Outbox(net::Stream& stream) : stream_(stream) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// For appending behind everything that waits to leave. Use it at once: it is another one after the next
  /// suspension.
  std::string& text() { return borrowed() ? behind_ : text_; }
  /// Nothing waits to leave, or it is being written already.
  bool nothing_to_flush() const { return writing_ || taken_ == text_.size(); }
  bool empty() const { return taken_ == text_.size() && behind_.empty() && !borrowed(); }
  /// A write has failed, or was cancelled in the middle of borrowed data: the peer cannot make sense of more.
  bool cut() const { return cut_; }
  /// Bounds every wait for the transport, also one that has begun; zero: no bound. Until it was called the
  /// stream's own write deadline holds.
  void set_standstill(Duration standstill) {
    standstill_ = standstill;
    if (writing_) bound_wait();
  }
  /// With a limit: the end of all waits, also of one that has begun.
  void set_deadline(TimePoint when);

  /// Trades the memory for text with that of `other`, unless some waits to leave.
  void swap_memory(std::string& other) {
    if (text_.empty() && other.empty()) text_.swap(other);
  }

  /// What is written between appended text: a chunk's size, its data and its end, say.
  struct Borrowed {
    std::string_view before = {}, data = {}, after = {};
  };
  /// Writes what was appended, then what is borrowed, then what was appended meanwhile. Resumes when the
  /// transport has taken all of it, or says why not.
  net::Task<net::IoError> write(Borrowed body);
  /// The same without a body.
  net::Task<net::IoError> flush() { return write({}); }

 private:
  /// Waits until there is no writer.
  struct Turn {
    explicit Turn(Outbox& box);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();
    bool await_ready() const noexcept { return !box.writing_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { waiting = handle; }
    void await_resume() const noexcept {}

    Outbox& box;
    net::Deferred wake;
    std::coroutine_handle<> waiting;
    Turn* next;
  };
  struct Writing {
    explicit Writing(Outbox& owner) : box(owner) { box.writing_ = true; }
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    ~Writing() { box.end_of_write(); }
    Outbox& box;
  };

  bool borrowed() const { return !before_.empty() || !data_.empty() || !after_.empty(); }
  std::size_t gather(std::array<iovec, 4>& into) const;
  void take(std::size_t bytes);
  bool more_behind();
  void end_of_write();
  void bound_wait();

  net::Stream& stream_;
  std::optional<Duration> standstill_;
  TimePoint standstill_until_ = kNever, deadline_ = kNever;
  std::string text_;       ///< leaves before what is borrowed
  std::size_t taken_ = 0;  ///< of text_
  std::string_view before_, data_, after_;
  std::string behind_;  ///< appended while something was borrowed
  Turn* turns_ = nullptr;
  net::IoError error_ = net::IoError::kNone;
  bool writing_ = false, cut_ = false;
};

}  // namespace weft::http::h1
