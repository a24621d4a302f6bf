#include "net/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "net/system_calls.h"

namespace weft::net {
namespace {

constexpr std::uint32_t kWakeSlot = ~std::uint32_t{0};

std::uint64_t tag(std::uint32_t slot, std::uint32_t generation) {
  return (static_cast<std::uint64_t>(generation) << 32) | slot;
}

}  // namespace

Loop::Loop() : now_(SteadyClock::now()) {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  WEFT_ASSERT(epoll_fd_ >= 0 && wake_fd_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag(kWakeSlot, 0);
  WEFT_ASSERT(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0);
}

Loop::Loop(Simulated) : now_(TimePoint{} + 1h) {}

std::unique_ptr<Loop> Loop::simulated() { return std::unique_ptr<Loop>(new Loop(Simulated{})); }

Loop::~Loop() {
  if (wake_fd_ >= 0) ::close(wake_fd_);
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
  while (ring_.next != &ring_) ring_.next->unlink();
}

void Loop::run() {
  while (!stopping_.load(std::memory_order_acquire)) run_once(Duration::max());
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  if (wake_fd_ >= 0) [[maybe_unused]]
    auto ignored = ::write(wake_fd_, &one, sizeof one);
}

void Loop::post(std::function<void()> action) {
  bool first;
  {
    std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(action));
  }
  const std::uint64_t one = 1;
  if (first && wake_fd_ >= 0) [[maybe_unused]]
    auto ignored = ::write(wake_fd_, &one, sizeof one);
}

void Loop::defer(std::function<void()> action) { deferred_.push_back(std::move(action)); }

void Deferred::Link::unlink() {
  if (!next) return;
  next->previous = previous;
  previous->next = next;
  next = previous = nullptr;
}

void Deferred::Link::insert_before(Link& other) {
  next = &other;
  previous = other.previous;
  previous->next = this;
  other.previous = this;
}

void Deferred::schedule() {
  if (!scheduled()) link_.insert_before(loop_.ring_);
}

void Loop::run_once(Duration wait) {
  if (has_deferred()) wait = Duration::zero();
  wait = std::min(wait, until_next_timer());
  poll(wait);
  serve_timers();
  drain_deferred();
}

void Loop::poll(Duration wait) {
  std::array<epoll_event, 128> events;
  int timeout = -1;
  if (wait != Duration::max()) {
    const auto rounded_up = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
    timeout = static_cast<int>(std::clamp<long long>(rounded_up, 0, INT_MAX));
  }
  const int count = wait_for_events(epoll_fd_, events, timeout);
  now_ = SteadyClock::now();
  for (int i = 0; i < count; ++i) {
    const std::uint64_t data = events[i].data.u64;
    const auto slot = static_cast<std::uint32_t>(data);
    if (slot == kWakeSlot) {
      std::uint64_t value;
      [[maybe_unused]] auto ignored = ::read(wake_fd_, &value, sizeof value);
      drain_posted();
      continue;
    }
    // A handler served earlier in this batch may have ended this registration and reused its slot.
    if (slots_[slot].generation != data >> 32 || !slots_[slot].handler) continue;
    const std::uint32_t bits = events[i].events;
    ReadyHandler::Ready ready{};
    ready.broken = bits & (EPOLLERR | EPOLLHUP);
    ready.ended = ready.broken || (bits & EPOLLRDHUP);
    ready.readable = ready.ended || (bits & EPOLLIN);
    ready.writable = ready.broken || (bits & EPOLLOUT);
    slots_[slot].handler->on_ready(ready);
  }
}

void Loop::drain_posted() {
  std::vector<std::function<void()>> batch;
  {
    std::lock_guard lock(posted_mutex_);
    batch.swap(posted_);
  }
  for (auto& action : batch) action();
}

void Loop::drain_deferred() {
  std::vector<std::function<void()>> batch;
  batch.swap(deferred_);
  for (auto& action : batch) action();
  if (ring_.next == &ring_) return;
  // What is scheduled from now on belongs to the next turn.
  Deferred::Link last;
  last.insert_before(ring_);
  while (ring_.next != &last) {
    Deferred& due = *ring_.next->deferred;
    due.cancel();
    due.action_();
  }
  last.unlink();
}

void Loop::serve_timers() {
  while (!heap_.empty() && heap_.front()->when_ <= now_) {
    Timer& due = *heap_.front();
    erase(due);
    due.action_();
  }
}

void Loop::settle() {
  for (;;) {
    drain_posted();
    if (!has_deferred()) return;
    drain_deferred();
  }
}

void Loop::advance(Duration by) {
  const TimePoint end = now_ + by;
  settle();
  while (!heap_.empty() && heap_.front()->when_ <= end) {
    now_ = std::max(now_, heap_.front()->when_);
    serve_timers();
    settle();
  }
  now_ = end;
}

Duration Loop::until_next_timer() const {
  if (heap_.empty()) return Duration::max();
  return std::max(Duration::zero(), heap_.front()->when_ - SteadyClock::now());
}

Result<void> FdWatch::start(Loop& loop, int fd, ReadyHandler& handler, bool shared) {
  stop();
  if (loop.free_slots_.empty()) {
    loop.free_slots_.push_back(static_cast<std::uint32_t>(loop.slots_.size()));
    loop.slots_.emplace_back();
  }
  const std::uint32_t slot = loop.free_slots_.back();
  epoll_event event{};
  event.events = shared ? (EPOLLIN | EPOLLEXCLUSIVE) : (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  event.data.u64 = tag(slot, loop.slots_[slot].generation);
  if (epoll_ctl(loop.epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(Error::internal(Code::kExhausted, "cannot watch a descriptor: " + errno_text(errno)));
  loop.free_slots_.pop_back();
  loop.slots_[slot].handler = &handler;
  loop_ = &loop;
  fd_ = fd;
  slot_ = slot;
  return {};
}

void FdWatch::stop() {
  if (!loop_) return;
  epoll_ctl(loop_->epoll_fd_, EPOLL_CTL_DEL, fd_, nullptr);
  Loop::Slot& slot = loop_->slots_[slot_];
  slot.handler = nullptr;
  ++slot.generation;
  loop_->free_slots_.push_back(slot_);
  loop_ = nullptr;
}

void Timer::arm(TimePoint when) {
  disarm();
  if (when == kNever) return;
  when_ = when;
  loop_.insert(*this);
}

void Timer::disarm() {
  if (armed()) loop_.erase(*this);
}

void Loop::place(std::size_t index, Timer* timer) {
  heap_[index] = timer;
  timer->index_ = index;
}

void Loop::insert(Timer& timer) {
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
}

void Loop::erase(Timer& timer) {
  const std::size_t index = timer.index_;
  timer.index_ = Timer::kIdle;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(index, last);
  sift_up(index);
  sift_down(last->index_);
}

void Loop::sift_up(std::size_t index) {
  Timer* moving = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->when_ <= moving->when_) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, moving);
}

void Loop::sift_down(std::size_t index) {
  Timer* moving = heap_[index];
  for (;;) {
    std::size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when_ < heap_[child]->when_) ++child;
    if (heap_[child]->when_ >= moving->when_) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, moving);
}

}  // namespace weft::net
