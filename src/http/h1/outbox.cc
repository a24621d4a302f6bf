#include "http/h1/outbox.h"

#include <algorithm>

#include "base/release_memory.h"
#include "http/h1/read_buffer.h"

namespace weft::http::h1 {

Outbox::Turn::Turn(Outbox& owner)
    : box(owner),
      wake(owner.stream_.loop(), [this] { waiting.resume(); }),
      next(std::exchange(owner.turns_, this)) {}

Outbox::Turn::~Turn() {
  Turn** place = &box.turns_;
  while (*place != this) place = &(*place)->next;
  *place = next;
}

net::Task<net::IoError> Outbox::write(Borrowed body) {
  while (writing_) co_await Turn(*this);
  if (error_ != net::IoError::kNone) co_return error_;
  const Writing writing(*this);
  before_ = body.before;
  data_ = body.data;
  after_ = body.after;
  for (;;) {
    std::array<iovec, 4> pieces;
    const std::size_t count = gather(pieces);
    if (count == 0) {
      if (more_behind()) continue;
      co_return net::IoError::kNone;
    }
    const net::IoResult result = stream_.try_write({pieces.data(), count});
    take(result.bytes);
    if (result.ok()) continue;
    net::IoError error = result.error;
    if (error == net::IoError::kWouldBlock) {
      bound_wait();
      error = co_await stream_.writable();
    }
    if (error == net::IoError::kNone) continue;
    error_ = error;
    cut_ = true;
    co_return error;
  }
}

void Outbox::bound_wait() {
  if (!standstill_) return;
  standstill_until_ = *standstill_ == Duration::zero() ? kNever : stream_.loop().now() + *standstill_;
  stream_.set_write_deadline(std::min(standstill_until_, deadline_));
}

void Outbox::set_deadline(TimePoint when) {
  if (deadline_ == when) return;
  deadline_ = when;
  if (writing_ && standstill_) stream_.set_write_deadline(std::min(standstill_until_, deadline_));
}

std::size_t Outbox::gather(std::array<iovec, 4>& into) const {
  std::size_t count = 0;
  for (const std::string_view part : {std::string_view(text_).substr(taken_), before_, data_, after_})
    if (!part.empty()) into[count++] = {const_cast<char*>(part.data()), part.size()};
  return count;
}

void Outbox::take(std::size_t bytes) {
  const std::size_t of_text = std::min(bytes, text_.size() - taken_);
  taken_ += of_text;
  bytes -= of_text;
  for (std::string_view* part : {&before_, &data_, &after_}) {
    const std::size_t step = std::min(bytes, part->size());
    part->remove_prefix(step);
    bytes -= step;
  }
}

/// All has left: whether there is more that was appended meanwhile.
bool Outbox::more_behind() {
  text_.clear();
  taken_ = 0;
  if (text_.capacity() > ReadBuffer::kBlock) release_memory(text_);
  if (behind_.empty()) return false;
  std::swap(text_, behind_);
  return true;
}

void Outbox::end_of_write() {
  writing_ = false;
  if (borrowed()) {
    cut_ = true;
    if (error_ == net::IoError::kNone) error_ = net::IoError::kClosed;
  }
  before_ = data_ = after_ = {};
  for (Turn* turn = turns_; turn; turn = turn->next) turn->wake.schedule();
}

}  // namespace weft::http::h1
