#include "proxy/upstream/places.h"

#include <algorithm>
#include <utility>

#include "proxy/upstream/endpoint_pool.h"

namespace weft::proxy {
namespace {

bool count_up(std::atomic<std::uint32_t>& of, std::uint32_t limit) {
  std::uint32_t used = of.load(std::memory_order_relaxed);
  do {
    if (used >= limit) return false;
  } while (!of.compare_exchange_weak(used, used + 1, std::memory_order_relaxed));
  return true;
}

}  // namespace

Place Place::take(std::atomic<std::uint32_t>& of, std::uint32_t limit) {
  Place place;
  place.held_ = limit == kUnlimited || count_up(of, limit);
  if (place.held_ && limit != kUnlimited) place.of_ = &of;
  return place;
}

Place Place::beyond(std::atomic<std::uint32_t>& of) {
  Place place;
  of.fetch_add(1, std::memory_order_relaxed);
  place.of_ = &of;
  place.held_ = true;
  return place;
}

void Place::give_back() {
  if (of_) of_->fetch_sub(1, std::memory_order_relaxed);
  of_ = nullptr;
  held_ = false;
}

void WaitingLine::Handle::give_up() {
  if (turn) turn->timer_.arm(turn->loop_.now());
  if (connect) connect->schedule();
}

void WaitingLine::wake() {
  if (empty()) return;
  // Who stands before all that wait and is about to try lets them go on from there.
  if (waiting_.empty() || (!woken_.empty() && woken_.begin()->first < waiting_.begin()->first))
    woken_.begin()->second->for_any_kind_ = true;
  else
    wake(*waiting_.begin()->second, true);
}

void WaitingLine::wake(Kind& kind) {
  if (kind.woken_ == 0 && !kind.waiting_.empty()) wake(*kind.waiting_.begin()->second, false);
}

void WaitingLine::wake_all() {
  while (!waiting_.empty()) wake(*waiting_.begin()->second, false);
}

/// By its timer: the one that gave a place back is in the middle of something.
void WaitingLine::wake(Turn& turn, bool for_any_kind) {
  woken_.insert(waiting_.extract(turn.number_));
  if (turn.kind_) {
    turn.kind_->waiting_.erase(turn.number_);
    ++turn.kind_->woken_;
  }
  turn.woken_ = true;
  turn.for_any_kind_ = for_any_kind;
  turn.timer_.arm(turn.loop_.now());
}

void WaitingLine::leave(Turn& turn) {
  InOrder& in = turn.woken_ ? woken_ : waiting_;
  in.erase(turn.number_);
  if (!turn.kind_) return;
  if (turn.woken_)
    --turn.kind_->woken_;
  else
    turn.kind_->waiting_.erase(turn.number_);
}

WaitingLine::Turn::Turn(net::Loop& loop, WaitingLine& line, Place pending, ClusterCounters& counters,
                        Handle* handle)
    : loop_(loop),
      line_(line),
      pending_(std::move(pending)),
      counters_(counters),
      handle_(handle),
      number_(line.next_number_++),
      timer_(loop, [this] { resume(); }) {
  if (handle_) handle_->turn = this;
  ++counters_.upstream_rq_pending_active;
  ++counters_.upstream_rq_pending_total;
}

WaitingLine::Turn::~Turn() {
  if (handle_) handle_->turn = nullptr;
  if (in_line_) line_.leave(*this);
  --counters_.upstream_rq_pending_active;
  if (!woken_) return;
  if (for_any_kind_) line_.wake();
  if (kind_) line_.wake(*kind_);
}

void WaitingLine::Turn::stand_in_line(TimePoint deadline, std::shared_ptr<Kind> kind) {
  kind_ = std::move(kind);
  line_.waiting_.emplace(number_, this);
  if (kind_) kind_->waiting_.emplace(number_, this);
  in_line_ = true;
  woken_ = false;
  timer_.arm(deadline);
}

void WaitingLine::Turn::resume() {
  // Timers of one moment fire in any order, and those in line are served in theirs.
  if (in_line_ && woken_) {
    Turn* const first = line_.woken_.begin()->second;
    if (first != this) {
      timer_.arm(loop_.now());
      first->timer_.disarm();
      return first->resume();
    }
  }
  if (std::exchange(in_line_, false)) line_.leave(*this);
  if (waiting_) std::exchange(waiting_, {}).resume();
}

bool KindsInLine::empty(ConnectionUse use) const {
  return !made_ || (*made_)[static_cast<std::size_t>(use)].empty();
}

bool KindsInLine::empty() const { return !made_ || std::ranges::all_of(*made_, &WaitingLine::Kind::empty); }

std::shared_ptr<WaitingLine::Kind> KindsInLine::of(ConnectionUse use) {
  if (!made_) made_ = std::make_shared<std::array<WaitingLine::Kind, kConnectionUses>>();
  return {made_, &(*made_)[static_cast<std::size_t>(use)]};
}

void KindsInLine::wake(WaitingLine& line, ConnectionUse use) {
  if (made_) line.wake((*made_)[static_cast<std::size_t>(use)]);
}

void ClusterShare::wake_each_kind() {
  waiting.wake();
  for (const ConnectionUse use : {ConnectionUse::kHttp1, ConnectionUse::kHttp2, ConnectionUse::kTcp})
    kinds.wake(waiting, use);
}

ConnectionPlace::ConnectionPlace(std::shared_ptr<EndpointPool> endpoint, ConnectionUse use)
    : endpoint_(std::move(endpoint)), use_(use) {
  endpoint_->count_connection(use_, 1);
  ++endpoint_->share().counters.upstream_cx_active;
}

ConnectionPlace ConnectionPlace::take(std::shared_ptr<EndpointPool> endpoint, ConnectionUse use,
                                      std::uint32_t limit) {
  if (!count_up(endpoint->share().usage->connections, limit)) return {};
  return ConnectionPlace(std::move(endpoint), use);
}

ConnectionPlace ConnectionPlace::beyond(std::shared_ptr<EndpointPool> endpoint, ConnectionUse use) {
  endpoint->share().usage->connections.fetch_add(1, std::memory_order_relaxed);
  return ConnectionPlace(std::move(endpoint), use);
}

ConnectionPlace::~ConnectionPlace() {
  if (!endpoint_) return;
  ClusterShare& share = endpoint_->share();
  endpoint_->count_connection(use_, -1);
  --share.counters.upstream_cx_active;
  ++share.counters.upstream_cx_destroy;
  share.usage->connections.fetch_sub(1, std::memory_order_relaxed);
  share.waiting.wake();
  endpoint_->wake_in_line(use_);
}

}  // namespace weft::proxy
