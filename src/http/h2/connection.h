#pragma once

#include "http/h2/framing.h"
#include "http/h2/wait.h"
#include "net/stream.h"
#include "net/task.h"

namespace weft::http::h2 {

/// What both sides of a connection have in common: bytes go between the transport and Framing, a peer that is
/// silent is asked whether it is there, and one that has to go is told why.
///
/// Everything that is sent in one turn of the loop leaves in one write. While a connection is idle it has
/// neither a read buffer nor output.
///
/// Owner: ServerConnection or ClientConnection, whose transport outlives it. Thread: one loop. How it ends:
/// read_all() and write_all() return; or their tasks are destroyed.
class Connection : protected Framing::Receiver {
 public:
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

 protected:
  Connection(Framing::Role role, net::Stream& transport, const Http2Limits& limits, const Limits& heads);
  ~Connection() = default;

  /// Reads until the connection is over, and says how it ended. Once Framing is over, what still comes is
  /// only waited for, for a moment, so that the peer sees the last words before the end.
  net::Task<net::IoError> read_all();
  /// Writes until Framing is over and everything has left. `write_timeout()`: without a byte taken for so
  /// long the connection breaks; zero: no limit.
  net::Task<void> write_all();
  /// Something has come; outside of nghttp2. True: there is more to do, in the next turn.
  virtual bool on_fed() = 0;
  /// The earliest time at which something is due, for the derived class; kNever: nothing.
  virtual TimePoint next_due() const = 0;
  virtual void on_time(TimePoint now) = 0;
  virtual Duration write_timeout() const = 0;

  /// Ends the connection at once, from the loop.
  void break_off() {
    broken_off_ = true;
    break_off_.schedule();
    room_.notify();
  }
  /// From now on; by itself with the first byte, which a server may wait for by limits of its own.
  void expect_settings_ack();
  /// After whatever brings the next due time nearer.
  void arm_clock();
  TimePoint now() const { return transport_.loop().now(); }

  void on_settings_ack() override { settings_due_ = kNever; }
  void on_ping_ack(PingReason) override {}
  void on_settings() override {}
  void on_output() override { wanted_.notify(); }

  const Framing::Role role_;
  net::Stream& transport_;
  const Http2Limits limits_;  ///< those of the beginning: the peer was told so
  Framing framing_;

 private:
  void tick();
  void keep_alive(TimePoint now);

  net::Task<void> wait_for_room();
  void hurry_if_over();

  Wait wanted_;  ///< the writer, while there is nothing to write
  Wait room_;    ///< the reader, while the peer reads too little of what it causes
  bool broken_off_ = false, heard_ = false;
  TimePoint heard_at_;  ///< at first: since when there was something to hear
  TimePoint settings_due_ = kNever, asked_at_ = kNever;
  net::Deferred break_off_;
  net::Timer clock_;
};

}  // namespace weft::http::h2
