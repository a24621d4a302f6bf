#include "http/h2/server_stream.h"

#include <algorithm>
#include <utility>

#include "http/h2/head_writer.h"
#include "http/time_limit.h"
#include "http/turns.h"
#include "net/cancellable.h"

namespace weft::http::h2 {
namespace {

/// How long a client whose response is complete may go on sending between two pieces.
constexpr Duration kPieceAfterResponse = 5s;

TimePoint after(net::Loop& loop, Duration limit) { return http::after(loop.now(), limit); }

bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace

ServerStream::ServerStream(net::Loop& loop, Framing& framing, Owner& owner, std::int32_t id)
    : Stream(loop, framing, id),
      owner_(owner),
      gone_(loop,
            [this] {
              if (on_disconnect_) std::exchange(on_disconnect_, {})();
            }),
      body_timeout_(owner.options().body_timeout) {
  in_.swap(heads_->body);
  piece_.swap(heads_->piece);
}

ServerStream::~ServerStream() {
  if (!in_.empty()) return;  // ~Stream() returns it to the peer's window
  give_back();
  in_.swap(heads_->body);
  piece_.swap(heads_->piece);
  SpareHeads::give_back(std::move(heads_));
}

void ServerStream::on_head_begins() {
  if (!head_read_) return owner_.reader().start(heads_->request, owner_.options().limits);
  trailers_ = std::make_unique<Headers>();
  owner_.reader().start_trailers(*trailers_, owner_.options().limits);
}

bool ServerStream::on_field(std::string_view name, std::string_view value) {
  return owner_.reader().field(name, value);
}

void ServerStream::on_head(bool end) {
  if (std::exchange(head_read_, true)) {
    const Rejection& rejection = owner_.reader().finish_trailers();
    if (rejection) on_malformed(rejection);
    if (trailers_->empty()) trailers_.reset();
    return;
  }
  head_rejection_ = owner_.reader().finish(end);
  continue_wanted_ = request().expect_continue;
  if (request().method == "HEAD") asked_ = Asked::kHead;
  if (request().method == "CONNECT" || !request().upgrade.empty()) asked_ = Asked::kTunnel;
  if (end) incoming_ = Incoming::kTaken;
  request_deadline_ = after(loop_, owner_.options().request_timeout);
  owner_.on_head_read(*this);
}

void ServerStream::on_malformed(const Rejection& rejection) {
  if (!std::exchange(head_read_, true)) {
    head_rejection_ = rejection;
    return owner_.on_head_read(*this);
  }
  if (body_rejection_) return;
  body_rejection_ = rejection;
  owner_.on_body_rejected(rejection);
  moved_in();
}

void ServerStream::on_closed(ErrorCode code) {
  const bool in_order = remote_ended() && local_ended();
  // First, so that who is to be told of it, or cancelled, is so before a wait of its own ends.
  if (!in_order && !reset_by_us()) on_client_disconnected();
  Stream::on_closed(code);
}

void ServerStream::on_client_disconnected() {
  if (cancel_handler_) cancel_handler_->schedule();
  // Who reads finds an error, but not before what has come; and who has found the end does not read on.
  else if (!tunnel_ && (!reading_.waiting() || readable()))
    gone_.schedule();
}

void ServerStream::on_disconnect(std::function<void()> action) {
  on_disconnect_ = std::move(action);
  if (on_disconnect_ && gone() && !reset_by_us()) gone_.schedule();
}

net::Task<void> ServerStream::run_until_gone(const Handler& handler) {
  return net::run_cancellable(loop_, cancel_handler_, handler(*this));
}

net::Task<void> ServerStream::finish() {
  on_disconnect_ = {};
  if (tunnel_owner_) {
    tunnel_owner_->close();
    tunnel_ = nullptr;
    static_cast<void>(co_await wait_until_sent());
  }
  if (response_ == Response::kNone && life_ == Life::kOpen) {
    ResponseHead head;
    head.status = 500;
    static_cast<void>(co_await send_head(head, true));
  }
  // RFC 9113 §8.1: a response that is complete before its request is.
  if (!closed()) framing_.reset(*this, local_ended() ? ErrorCode::kNoError : ErrorCode::kInternalError);
}

net::Task<void> ServerStream::reject() {
  ResponseHead& head = response();
  head.status = head_rejection_.status;
  if (!owner_.options().server_name.empty())
    head.headers.add(HeaderId::kServer, owner_.options().server_name);
  head.headers.add("content-type", "text/plain");
  const std::string_view body = head_rejection_.reason;
  head.content_length = body.size();
  if (co_await send_head(head, false)) static_cast<void>(co_await send_body(body, true));
}

Error ServerStream::disconnected_error(std::string_view doing) const {
  if (body_rejection_) return Error::downstream(Code::kInvalid, std::string(body_rejection_.reason));
  if (lost_ != net::IoError::kNone) return net::to_error(lost_, Blame::kDownstream, doing);
  return Error::downstream(
      Code::kReset, std::string(doing) + ": the stream was reset (" + std::string(to_string(code_)) + ")");
}

TimePoint ServerStream::body_deadline() const {
  Duration limit = body_timeout_;
  if (response_ == Response::kComplete)
    limit = limit == Duration::zero() ? kPieceAfterResponse : std::min(limit, kPieceAfterResponse);
  return std::min(after(loop_, limit), request_deadline_);
}

void ServerStream::set_body_timeout(Duration between_pieces) {
  body_timeout_ = between_pieces;
  if (reading_.waiting()) reading_.set_deadline(body_deadline());
}

net::Task<Result<BodyChunk>> ServerStream::read_body() {
  if (request_complete()) {
    if (!tunnel_) drop_piece();
    co_return BodyChunk{{}, true};
  }
  if (continue_wanted_) WEFT_CO_CHECK(co_await send_continue());
  for (;;) {
    if (body_rejection_)
      co_return fail(Error::downstream(body_rejection_.status == 431 ? Code::kTooLarge : Code::kInvalid,
                                       std::string(body_rejection_.reason)));
    if (readable()) {
      // Before anything is taken: the reader may be cancelled meanwhile, and the next one continues here.
      if (++pieces_ % kPiecesInATurn == 0) co_await loop_.yield();
      if (const auto piece = take_piece()) co_return *piece;
      continue;
    }
    drop_piece();
    if (closed()) co_return fail(disconnected_error("reading the request's body"));
    reading_.set_deadline(body_deadline());
    const bool late = co_await reading_;
    if (late && !readable() && !closed())
      co_return fail(net::to_error(net::IoError::kTimeout, Blame::kDownstream, "reading the request's body"));
  }
}

net::Task<Result<void>> ServerStream::send_continue() {
  ResponseHead head;
  head.status = 100;
  co_return co_await send_interim(head);
}

net::Task<Result<void>> ServerStream::send_interim(const ResponseHead& head) {
  if (response_started()) co_return Result<void>{};
  if (head.status == 100 && !std::exchange(continue_wanted_, false)) co_return Result<void>{};
  // One that cannot be written is not missed: the final response comes.
  FieldList& list = field_list();
  if (!list.response(head, head.status, false)) co_return Result<void>{};
  if (!framing_.send_head(*this, list.fields(), false))
    co_return fail(disconnected_error("writing the response"));
  co_return Result<void>{};
}

net::Task<Result<void>> ServerStream::send_head(const ResponseHead& head, bool end) {
  WEFT_ASSERT(response_ == Response::kNone);
  const bool upgraded = head.status == 101;
  const bool tunnelled = upgraded || (request().method == "CONNECT" && is_success(head.status));
  const bool head_only = asked_ == Asked::kHead || head.status == 204 || head.status == 304;
  if (end && !head_only && head.content_length.value_or(0) != 0)
    co_return fail(Error::internal(Code::kInternal, "the response ended before its length"));
  FieldList& list = field_list();
  // RFC 8441 §5: the success of an extended CONNECT.
  if (!list.response(head, upgraded ? 200 : head.status, head.status != 204 && !tunnelled))
    co_return fail(Error::internal(Code::kInternal, "a value in the response's head holds a line end"));
  continue_wanted_ = false;
  if (!framing_.send_head(*this, list.fields(), (end && !upgraded) || head_only))
    co_return fail(disconnected_error("writing the response"));
  response_ = head_only ? Response::kHeadOnly : Response::kStarted;
  if (end && !upgraded) complete_response();
  if (!tunnelled) length_left_ = head.content_length;
  co_return Result<void>{};
}

/// Who waits for the rest of the request by now has the client's last seconds, too.
void ServerStream::complete_response() {
  response_ = Response::kComplete;
  if (reading_.waiting()) reading_.set_deadline(body_deadline());
}

/// A body must be exactly as long as its head said (RFC 9113 §8.1.1).
Result<void> ServerStream::count_body(std::size_t bytes, bool end) {
  if (!length_left_) return {};
  if (bytes > *length_left_)
    return fail(Error::internal(Code::kInternal, "the body is longer than its length"));
  *length_left_ -= bytes;
  if (end && *length_left_) return fail(Error::internal(Code::kInternal, "the body ended before its length"));
  return {};
}

TimePoint ServerStream::write_deadline() const {
  return std::min(after(loop_, owner_.options().body_timeout), response_deadline_);
}

void ServerStream::set_response_deadline(TimePoint when) {
  response_deadline_ = when;
  if (writing_.waiting()) writing_.set_deadline(write_deadline());
}

net::Task<Result<void>> ServerStream::send_body(std::string_view data, bool end) {
  WEFT_ASSERT(sending());
  if (response_ == Response::kStarted) {
    WEFT_CO_CHECK(count_body(data.size(), end));
    if (gone() || outgoing_ == Outgoing::kCut) co_return fail(disconnected_error("writing the response"));
    if (data.empty() && !end) co_return Result<void>{};
    const Loan loan{*this};
    lend(data, end);
    if (!sent_all()) WEFT_CO_CHECK(co_await wait_until_sent());
  }
  if (end) complete_response();
  co_return Result<void>{};
}

/// Until the windows of the client, and the transport, had room for all that is lent.
net::Task<Result<void>> ServerStream::wait_until_sent() {
  for (std::uint64_t before = sent_; !sent_all(); before = sent_) {
    if (closed()) co_return fail(disconnected_error("writing the response"));
    writing_.set_deadline(write_deadline());
    const bool late = co_await writing_;
    // It is the time between two pieces that is limited, besides the time of all.
    if (late && !sent_all() && (sent_ == before || loop_.now() >= response_deadline_))
      co_return fail(net::to_error(net::IoError::kTimeout, Blame::kDownstream, "writing the response"));
  }
  co_return Result<void>{};
}

net::Task<Result<void>> ServerStream::send_trailers(const Headers& trailers) {
  WEFT_ASSERT(sending());
  FieldList& list = field_list();
  if (response_ == Response::kHeadOnly || trailers.empty() || !list.trailers(trailers))
    co_return co_await send_body({}, true);
  WEFT_CO_CHECK(count_body(0, true));
  if (outgoing_ == Outgoing::kCut || !framing_.send_head(*this, list.fields(), true))
    co_return fail(disconnected_error("writing the response"));
  complete_response();
  co_return Result<void>{};
}

/// What was sent leaves with everything else of this turn.
net::Task<Result<void>> ServerStream::flush() {
  if (gone()) co_return fail(disconnected_error("writing the response"));
  co_return Result<void>{};
}

void ServerStream::reset() {
  if (!local_ended()) framing_.reset(*this, ErrorCode::kInternalError);
}

ServerExchange::Upgraded ServerStream::upgrade() {
  tunnel_owner_ = std::make_unique<Tunnel>(*this);
  return {tunnel_owner_.get(), {}};
}

}  // namespace weft::http::h2
