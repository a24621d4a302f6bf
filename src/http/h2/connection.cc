#include "http/h2/connection.h"

#include <algorithm>
#include <utility>

#include "http/time_limit.h"

namespace weft::http::h2 {
namespace {

constexpr std::size_t kReadBlock = 16 * 1024;
constexpr std::size_t kCostOfATurn = 256;
constexpr Duration kSettingsTimeout = 10s;
/// How long a peer has to read the last frames.
constexpr Duration kFarewell = 1s;

}  // namespace

Connection::Connection(Framing::Role role, net::Stream& transport, const Http2Limits& limits,
                       const Limits& heads)
    : role_(role),
      transport_(transport),
      limits_(limits),
      framing_(role, *this, limits_, heads, transport.loop().now()),
      wanted_(transport.loop()),
      room_(transport.loop()),
      heard_at_(transport.loop().now()),
      break_off_(transport.loop(), [this] { transport_.close(true); }),
      clock_(transport.loop(), [this] { tick(); }) {}

net::Task<net::IoError> Connection::read_all() {
  // Nothing waits between a read and its use, so all connections of a thread share one block.
  static thread_local char block[kReadBlock];
  transport_.set_read_deadline(kNever);
  std::string rest;  // what was read and waits for the next turn
  for (;;) {
    std::string_view bytes = rest;
    if (rest.empty()) {
      const net::IoError waited = co_await transport_.readable();
      if (waited != net::IoError::kNone) co_return waited;
      const net::IoResult got = transport_.try_read(block);
      if (got.error == net::IoError::kWouldBlock) continue;
      if (!got.ok()) co_return got.error;
      bytes = {block, got.bytes};
    }
    if (framing_.over()) {
      rest.clear();
      continue;
    }
    if (!std::exchange(heard_, true)) expect_settings_ack();
    heard_at_ = now();
    rest = std::string(bytes.substr(framing_.feed(bytes, now())));
    while (on_fed()) co_await transport_.loop().yield();
    wanted_.notify();
    hurry_if_over();
    if (framing_.crowded()) co_await wait_for_room();
    // A peer that sends many small frames or fields has the loop no longer than one that sends large ones.
    if (!rest.empty() || framing_.cost_fed() > kCostOfATurn) co_await transport_.loop().yield();
    if (settings_due_ != kNever || limits_.ping_interval.count()) arm_clock();
  }
}

net::Task<void> Connection::write_all() {
  for (;;) {
    framing_.pump();
    const std::string_view output = framing_.output();
    if (output.empty()) {
      if (framing_.over()) break;
      static_cast<void>(co_await wanted_);
      continue;
    }
    const iovec part{const_cast<char*>(output.data()), output.size()};
    const net::IoResult written = transport_.try_write(std::span(&part, 1));
    if (written.ok()) {
      framing_.sent(written.bytes);
      if (!framing_.crowded()) room_.notify();
      continue;
    }
    if (written.error != net::IoError::kWouldBlock) co_return break_off();
    transport_.set_write_deadline(after(now(), framing_.over() ? kFarewell : write_timeout()));
    if (co_await transport_.writable() != net::IoError::kNone) co_return break_off();
  }
  transport_.shutdown_write();
  transport_.set_read_deadline(now() + kFarewell);
}

void Connection::expect_settings_ack() {
  heard_ = true;
  settings_due_ = now() + kSettingsTimeout;
}

void Connection::arm_clock() {
  if (framing_.over() || transport_.closed() || break_off_.scheduled()) return;
  TimePoint due = std::min(settings_due_, next_due());
  if (limits_.ping_interval.count())
    due = std::min(
        due, asked_at_ == kNever ? heard_at_ + limits_.ping_interval : asked_at_ + limits_.ping_timeout);
  // One that fires too early arms itself again.
  if (due != kNever && (!clock_.armed() || due < clock_.when())) clock_.arm(due);
}

void Connection::tick() {
  const TimePoint time = now();
  if (framing_.over() || transport_.closed()) return;
  if (time >= settings_due_)
    framing_.terminate(ErrorCode::kSettingsTimeout, "our SETTINGS are not acknowledged");
  if (limits_.ping_interval.count()) keep_alive(time);
  on_time(time);
  hurry_if_over();
  arm_clock();
}

/// A server takes no more requests from a client that does not read the responses. A client of ours always
/// reads: were both sides to wait for room, neither would get it; and what a server makes it send has an end.
net::Task<void> Connection::wait_for_room() {
  if (role_ == Framing::Role::kClient) {
    framing_.terminate(ErrorCode::kEnhanceYourCalm, "what has to be sent is not read");
    static_cast<void>(on_fed());
    co_return hurry_if_over();
  }
  while (framing_.crowded() && !framing_.over() && !broken_off_) static_cast<void>(co_await room_);
}

/// The writer may wait already, for as long as a peer has that is not about to be left.
void Connection::hurry_if_over() {
  if (framing_.over()) transport_.set_write_deadline(now() + kFarewell);
}

/// A peer that has vanished without a word is noticed by asking it (RFC 9113 §6.7).
void Connection::keep_alive(TimePoint time) {
  if (asked_at_ != kNever && heard_at_ >= asked_at_) asked_at_ = kNever;
  if (asked_at_ != kNever) {
    if (time >= asked_at_ + limits_.ping_timeout) break_off();
    return;
  }
  if (time < heard_at_ + limits_.ping_interval) return;
  asked_at_ = time;
  framing_.ping(PingReason::kKeepAlive);
}

}  // namespace weft::http::h2
