#include "http/h2/stream.h"

#include "base/release_memory.h"
#include "http/h2/tunnel.h"

namespace weft::http::h2 {

Stream::Stream(net::Loop& loop, Framing& framing, std::int32_t id)
    : loop_(loop), framing_(framing), id_(id), begun_(loop.now()), reading_(loop), writing_(loop) {}

Stream::~Stream() {
  if (!in_.empty() || unreturned_) framing_.consume_unread(id_, in_.size() + unreturned_);
  framing_.forget(*this);
}

void Stream::on_data(std::string_view bytes) {
  in_.append(bytes);
  received_ += bytes.size();
  moved_in();
}

void Stream::on_end() {
  if (incoming_ == Incoming::kOpen) incoming_ = Incoming::kEnded;
  moved_in();
}

void Stream::on_closed(ErrorCode code) {
  if (!closed()) life_ = life_ == Life::kResetting ? Life::kReset : Life::kClosed;
  if (code_ == ErrorCode::kNoError) code_ = code;
  moved_in();
  moved_out();
}

void Stream::on_lost(net::IoError how) {
  if (closed()) return;
  lost_ = how;
  on_closed(ErrorCode::kNoError);
}

void Stream::moved_in() {
  if (tunnel_)
    tunnel_->moved_in();
  else
    reading_.notify();
}

void Stream::moved_out() {
  if (tunnel_)
    tunnel_->moved_out();
  else
    writing_.notify();
}

void Stream::give_back() {
  if (unreturned_) framing_.consume(*this, std::exchange(unreturned_, 0));
}

void Stream::drop_piece() {
  give_back();
  piece_.clear();
  if (piece_.capacity() > framing_.kept_buffer()) release_memory(piece_);
}

std::optional<BodyChunk> Stream::take_piece() {
  if (in_.empty() && !remote_ended()) {
    drop_piece();
    return std::nullopt;
  }
  give_back();
  piece_.clear();
  piece_.swap(in_);
  unreturned_ = piece_.size();
  // Data behind which the stream was reset is not the end of a body.
  const bool end = remote_ended();
  if (end) incoming_ = Incoming::kTaken;
  return BodyChunk{piece_, end, end ? trailers_.get() : nullptr};
}

void Stream::lend(std::string_view data, bool end) {
  out_ = data;
  if (end && outgoing_ == Outgoing::kOpen) outgoing_ = Outgoing::kEnding;
  framing_.push(*this);
}

}  // namespace weft::http::h2
