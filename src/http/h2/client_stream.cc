#include "http/h2/client_stream.h"

#include <utility>

#include "http/h2/head_writer.h"
#include "http/turns.h"

namespace weft::http::h2 {
namespace {

/// A server that sends more of them than this for one request means harm.
constexpr unsigned kMaxInterims = 16;

/// What the server means by it, for who has to say it on. Apart from kReset, which is a connection that is
/// lost.
Code meaning_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCancel: return Code::kCancelled;
    case ErrorCode::kEnhanceYourCalm: return Code::kExhausted;
    case ErrorCode::kInadequateSecurity: return Code::kDenied;
    default: return Code::kUnavailable;
  }
}

}  // namespace

ClientStream::ClientStream(net::Loop& loop, Framing& framing, Owner& owner, bool reused)
    : Stream(loop, framing, 0), owner_(owner), reused_(reused) {}

void ClientStream::on_head_begins() {
  if (head_ == Head::kNone) head_ = Head::kBegun;
  if (!head_read()) return owner_.reader().start(arriving_, owner_.limits());
  trailers_ = std::make_unique<Headers>();
  owner_.reader().start_trailers(*trailers_, owner_.limits());
}

bool ClientStream::on_field(std::string_view name, std::string_view value) {
  return owner_.reader().field(name, value);
}

void ClientStream::on_head(bool end) {
  if (const Rejection rejection = owner_.reader().finish()) {
    on_malformed(rejection);
    return framing_.reset(*this, ErrorCode::kCancel);
  }
  if (head_read()) {
    if (trailers_->empty()) trailers_.reset();
    return;
  }
  if (arriving_.status < 200) {
    if (++interims_ > kMaxInterims) {
      on_malformed({502, "H18", "too many interim responses"});
      return framing_.reset(*this, ErrorCode::kEnhanceYourCalm);
    }
    interim_.push_back(std::exchange(arriving_, {}));
  } else {
    head_ = Head::kRead;
    if (end) incoming_ = Incoming::kTaken;
    const bool success = arriving_.status < 300;
    if (success && !protocol_.empty()) {
      arriving_.status = 101;
      arriving_.upgrade = protocol_;
    }
  }
  moved_in();
}

void ClientStream::on_malformed(const Rejection& rejection) {
  if (!malformed_) malformed_ = rejection;
  moved_in();
}

void ClientStream::end() {
  if (tunnel_owner_) tunnel_owner_->close();
  if (closed() || id_ <= 0) return;
  framing_.reset(*this, ErrorCode::kCancel);
}

Error ClientStream::failure(std::string_view doing) const {
  if (malformed_) return Error::upstream(Code::kInvalid, Retry::kNever, std::string(malformed_.reason));
  if (stopped_ == Stopped::kCancelled) return net::to_error(net::IoError::kClosed, Blame::kUpstream, doing);
  if (unprocessed())
    return Error::upstream(Code::kReset, Retry::kFreshConnection,
                           std::string(doing) + ": the server has not taken the request");
  if (lost_ == net::IoError::kNone)
    return Error::upstream(
        meaning_of(code_), Retry::kNever,
        std::string(doing) + ": the stream was reset (" + std::string(to_string(code_)) + ")");
  // Without a word of the server's it may have taken the request.
  Error error = net::to_error(lost_, Blame::kUpstream, doing);
  error.retry = Retry::kNever;
  return error;
}

net::Task<Result<void>> ClientStream::wait_for_settings() {
  limit_write();
  while (!owner_.settings_known() && !closed()) {
    if (co_await writing_ && !owner_.settings_known())
      co_return fail(net::to_error(net::IoError::kTimeout, Blame::kUpstream, "waiting for SETTINGS"));
  }
  if (closed()) co_return fail(failure("waiting for SETTINGS"));
  if (!framing_.extended_connect())
    co_return fail(
        Error::upstream(Code::kUnsupported, Retry::kNever,
                        "extended CONNECT (RFC 8441) is not allowed here, or not offered by the server"));
  co_return Result<void>{};
}

net::Task<Result<void>> ClientStream::send_head(const RequestHead& head, bool end) {
  protocol_ = head.upgrade;
  tunnels_ = !protocol_.empty() || head.method == "CONNECT";
  if (!protocol_.empty()) WEFT_CO_CHECK(co_await wait_for_settings());
  if (!closed() && !owner_.may_begin()) stopped_ = Stopped::kNotBegun;
  if (closed() || stopped_ == Stopped::kNotBegun) co_return fail(failure("writing the request"));
  FieldList& list = field_list();
  if (!list.request(head))
    co_return fail(Error::internal(Code::kInternal, "a value in the request's head holds a line end"));
  if (!tunnels_ && !end) length_left_ = head.content_length;
  if (!framing_.send_head(*this, list.fields(), end && !tunnels_)) {
    stopped_ = Stopped::kNotBegun;
    co_return fail(failure("writing the request"));
  }
  co_return Result<void>{};
}

/// A body must be exactly as long as its head said (RFC 9113 §8.1.1).
Result<void> ClientStream::count_body(std::size_t bytes, bool end) {
  if (!length_left_) return {};
  if (bytes > *length_left_ || (end && bytes != *length_left_))
    return fail(Error::internal(Code::kInternal, "the request's body does not fit its length"));
  *length_left_ -= bytes;
  return {};
}

net::Task<Result<void>> ClientStream::send_body(std::string_view data, bool end) {
  if (tunnels_) co_return Result<void>{};  // none was announced
  WEFT_CO_CHECK(count_body(data.size(), end));
  if (closed() || outgoing_ == Outgoing::kCut) co_return fail(failure("writing the request"));
  if (data.empty() && !end) co_return Result<void>{};
  const Loan loan{*this};
  lend(data, end);
  co_return co_await wait_until_sent();
}

/// Until the windows of the server, and the transport, had room for all that is lent.
net::Task<Result<void>> ClientStream::wait_until_sent() {
  for (std::uint64_t before = sent_; !sent_all(); before = sent_) {
    if (closed()) co_return fail(failure("writing the request"));
    limit_write();
    const bool late = co_await writing_;
    if (late && !sent_all() && (sent_ == before || loop_.now() >= write_end_))
      co_return fail(net::to_error(net::IoError::kTimeout, Blame::kUpstream, "writing the request"));
  }
  co_return Result<void>{};
}

net::Task<Result<void>> ClientStream::send_trailers(const Headers& trailers) {
  FieldList& list = field_list();
  if (tunnels_ || trailers.empty() || !list.trailers(trailers)) co_return co_await send_body({}, true);
  WEFT_CO_CHECK(count_body(0, true));
  if (outgoing_ == Outgoing::kCut || !framing_.send_head(*this, list.fields(), true))
    co_return fail(failure("writing the request"));
  co_return Result<void>{};
}

/// What was sent leaves with everything else of this turn. A tunnel that has ended may still wait for
/// windows.
net::Task<Result<void>> ClientStream::flush() {
  if (!tunnel_owner_) co_return Result<void>{};
  tunnel_owner_->close();
  tunnel_ = nullptr;
  co_return co_await wait_until_sent();
}

net::Task<Result<void>> ClientStream::read_head(ResponseHead& into) {
  for (;;) {
    if (!interim_.empty()) {
      into = std::move(interim_.front());
      interim_.erase(interim_.begin());
      co_return Result<void>{};
    }
    if (malformed_) co_return fail(failure("reading the response's head"));
    if (head_ == Head::kRead) {
      head_ = Head::kTaken;
      std::swap(into, arriving_);
      co_return Result<void>{};
    }
    if (closed()) co_return fail(failure("reading the response's head"));
    const bool late = co_await reading_;
    if (late && !head_read() && interim_.empty() && !closed())
      co_return fail(net::to_error(net::IoError::kTimeout, Blame::kUpstream, "reading the response's head"));
  }
}

net::Task<Result<BodyChunk>> ClientStream::read_body() {
  if (read_to_the_end()) {
    if (!tunnel_) drop_piece();
    co_return BodyChunk{{}, true};
  }
  for (;;) {
    if (malformed_) co_return fail(failure("reading the response's body"));
    if (readable()) {
      // Before anything is taken: the reader may be cancelled meanwhile, and the next one continues here.
      if (++pieces_ % kPiecesInATurn == 0) co_await loop_.yield();
      if (const auto piece = take_piece()) co_return *piece;
      continue;
    }
    drop_piece();
    if (closed()) co_return fail(failure("reading the response's body"));
    const bool late = co_await reading_;
    if (late && !readable() && !closed())
      co_return fail(net::to_error(net::IoError::kTimeout, Blame::kUpstream, "reading the response's body"));
  }
}

ServerExchange::Upgraded ClientStream::upgrade() {
  tunnel_owner_ = std::make_unique<Tunnel>(*this);
  return {tunnel_owner_.get(), {}};
}

void ClientStream::cancel() {
  if (std::exchange(stopped_, Stopped::kCancelled) == Stopped::kCancelled || closed()) return;
  if (id_ > 0) return framing_.reset(*this, ErrorCode::kCancel);
  on_closed(ErrorCode::kCancel);
}

}  // namespace weft::http::h2
