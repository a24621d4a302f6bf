#include "http/grpc/session_stream.h"

#include <utility>

namespace weft::http::grpc {
namespace {

constexpr std::size_t kWriteBuffer = 1024 * 1024;
/// So much is lent to the connection at once: a writer that waits for room need not wait for a whole message.
constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

SessionStream::SessionStream(net::Loop& loop, std::size_t max_message, Blame peer)
    : blame_(peer), in_(max_message, peer), more_(loop), room_(loop) {}

Error SessionStream::end_error() const {
  const std::string reset(reset_code());
  if (remote_ended_ && in_.empty() && reset.empty() && ended_well())
    return {Code::kClosed, blame_, Retry::kNever, "the call has ended"};
  if (auto said = told()) return *std::move(said);
  if (!reset.empty()) return {Code::kUnavailable, blame_, Retry::kNever, "the stream was reset: " + reset};
  return {Code::kUnavailable, blame_, Retry::kFreshConnection, "the connection ended"};
}

void SessionStream::sending_failed() {
  sending_failed_ = true;
  room_.notify();
}

void SessionStream::failed() {
  reading_failed_ = true;
  sending_failed();
}

net::Task<Result<std::string>> SessionStream::read() {
  for (;;) {
    WEFT_CO_TRY(auto message, in_.take());
    if (message) co_return *std::move(message);
    if (remote_ended_ || reading_failed_) co_return fail(end_error());
    const auto piece = co_await read_piece();
    if (!piece) {
      failed();
      continue;
    }
    in_.append(piece->data);
    if (piece->end) remote_ended_ = true;
    if (piece->trailers) on_trailers(*piece->trailers);
  }
}

net::Task<Result<void>> SessionStream::write_parts(std::string_view first,
                                                   std::shared_ptr<const std::string> second) {
  if (finished_ || sending_failed_) co_return fail(end_error());
  const std::size_t size = first.size() + (second ? second->size() : 0);
  char prefix[kPrefix] = {};
  for (std::size_t i = 0; i < 4; ++i) prefix[i + 1] = static_cast<char>(size >> (8 * (3 - i)));
  out_.append(std::string_view(prefix, kPrefix));
  out_.append(first);
  out_.append(std::move(second));
  more_.notify();
  while (!sending_failed_ && out_.size() > kWriteBuffer) co_await room_.wait();
  if (sending_failed_) co_return fail(end_error());
  co_return Result<void>{};
}

void SessionStream::finish_sending() {
  finished_ = true;
  more_.notify();
}

net::Task<void> SessionStream::send_all() {
  if (!co_await send_in_order()) sending_failed();
}

net::Task<Result<void>> SessionStream::send_in_order() {
  for (;;) {
    if (out_.size() > 0) {
      const std::string_view piece = out_.front(kPiece);
      WEFT_CO_CHECK(co_await send_piece(piece));
      out_.pop(piece.size());
      if (out_.size() <= kWriteBuffer) room_.notify();
    } else if (finished_) {
      co_return co_await send_end();
    } else {
      co_await more_.wait();
    }
  }
}

}  // namespace weft::http::grpc
