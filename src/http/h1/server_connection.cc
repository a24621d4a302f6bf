#include "http/h1/server_connection.h"

#include <algorithm>

#include "http/time_limit.h"
#include "http/turns.h"
#include "http/websocket.h"
#include "net/cancellable.h"

namespace weft::http::h1 {
namespace {

/// How much of an unwanted body is read to keep a connection, for kPieceAfterResponse in all; how long, in
/// all and between two pieces, a client that is still sending may go on so it sees its response before the
/// connection goes (RFC 9112 §9.6).
constexpr std::uint64_t kDiscardToKeep = 256 * 1024;
constexpr Duration kLinger = 30s;
constexpr Duration kPieceAfterResponse = 5s;

TimePoint after(net::Stream& stream, Duration limit) { return http::after(stream.loop().now(), limit); }

Error downstream_error(net::IoError error, std::string_view doing) {
  return net::to_error(error, Blame::kDownstream, doing);
}

}  // namespace

ServerConnection::ServerConnection(net::Stream& stream, const ServerSessionOptions& options,
                                   Observer* observer)
    : stream_(stream),
      options_(options),
      observer_(observer),
      parser_(options.limits),
      decoder_(options.limits),
      out_(stream),
      idle_since_(stream.loop().now()) {
  out_.set_standstill(options_.body_timeout);
  stream_.on_idle_event([this](net::ReadyHandler::Ready ready) { on_idle_event(ready); });
}

void ServerConnection::follow_options() {
  parser_.set_limits(options_.limits);
  decoder_.set_limits(options_.limits);
  out_.set_standstill(options_.body_timeout);
  body_timeout_ = options_.body_timeout;
}

ServerConnection::~ServerConnection() { stream_.on_idle_event({}); }

void ServerConnection::on_idle_event(net::ReadyHandler::Ready ready) {
  if (!ready.ended && !ready.broken) return;
  const bool in_order = !ready.broken;
  if (cancel_handler_) {
    client_ = in_order ? Client::kLeftInOrder : Client::kGone;
    return cancel_handler_->schedule();
  }
  // A client that has said that this request is its last may end its side behind it: that is no news of its
  // leaving. Whether the body is whole shows when it is read.
  const bool said = phase_ != Phase::kIdle && phase_ != Phase::kHead && !parser_.keep_alive();
  if (in_order && said) {
    client_ = client_disconnected() ? Client::kLeftInOrder : Client::kHalfClosed;
    return;
  }
  client_ = in_order ? Client::kLeftInOrder : Client::kGone;
  if (on_disconnect_) std::exchange(on_disconnect_, {})();
}

/// An end that came with the last bytes of a request is told of no more.
void ServerConnection::notice_end() {
  if (!stream_.peer_ended() && !stream_.peer_broken()) return;
  if (!ended_)
    ended_ = std::make_unique<net::Deferred>(stream_.loop(), [this] {
      if (phase_ != Phase::kServing) return;
      on_idle_event({.readable = true,
                     .writable = false,
                     .ended = stream_.peer_ended(),
                     .broken = stream_.peer_broken()});
    });
  ended_->schedule();
}

net::Task<void> ServerConnection::serve(const Handler& handler) {
  for (;;) {
    const Head head = co_await read_head();
    if (head != Head::kRead) break;
    begin_exchange();
    const bool only_reads = heads_->request.method == "GET" || heads_->request.method == "HEAD";
    if (options_.cancel_reads_when_gone && only_reads)
      co_await net::run_cancellable(stream_.loop(), cancel_handler_, handler(*this));
    else
      co_await handler(*this);
    on_disconnect_ = {};
    if (phase_ == Phase::kUpgraded) break;
    co_await finish_exchange();
    phase_ = Phase::kIdle;
    if (!keep_alive_) break;
    begin_to_idle();
    if (requests_ % kRequestsInATurn == 0 && !input_.empty()) co_await stream_.loop().yield();
    if (stream_.closed()) break;  // its place was given to another
  }
  stream_.close();
  input_.consume(input_.view().size());
  input_.release();
}

void ServerConnection::drain() {
  drain_ = Drain::kNow;
  const bool endless_head = phase_ == Phase::kHead && options_.header_timeout == Duration::zero();
  if (endless_head) stream_.set_read_deadline(after(stream_, options_.drain_limit()));
  if (phase_ != Phase::kIdle) return;
  if (nothing_has_come()) {
    if (!waits_for_first_request()) return stream_.close();
    return stream_.set_read_deadline(idle_since_ + kNewConnectionGrace);
  }
  // What has come may be less than a byte of a request, such as a part of a TLS record.
  if (input_.empty()) stream_.set_read_deadline(after(stream_, options_.drain_limit()));
}

/// Waits with no buffer until the first byte of a request is there.
net::Task<bool> ServerConnection::wait_for_request() {
  if (!input_.empty()) co_return true;
  input_.release();
  decoder_.forget_trailers();
  if (heads_) out_.swap_memory(heads_->body);
  SpareHeads::give_back(std::move(heads_));
  const bool first = requests_ == 0 && options_.first_byte_timeout != Duration::zero();
  const TimePoint limit = after(stream_, first ? options_.first_byte_timeout : options_.idle_timeout);
  const bool drains = drain_ == Drain::kNow;
  stream_.set_read_deadline(drains ? std::min(limit, idle_since_ + kNewConnectionGrace) : limit);
  for (;;) {
    if (drain_ == Drain::kNow && stream_.quiet() && !waits_for_first_request()) co_return false;
    if (co_await stream_.readable() != net::IoError::kNone) co_return false;
    const net::IoResult got = input_.fill(stream_);
    if (got.ok()) co_return true;
    input_.release();
    if (got.error != net::IoError::kWouldBlock) co_return false;
  }
}

net::Task<ServerConnection::Head> ServerConnection::read_head() {
  if (!co_await wait_for_request()) co_return Head::kOver;
  phase_ = Phase::kHead;
  if (!heads_) {
    heads_ = SpareHeads::borrow();
    out_.swap_memory(heads_->body);
  }
  parser_.start(heads_->request);
  const Duration limit = drain_ == Drain::kNow ? options_.drain_limit() : options_.header_timeout;
  stream_.set_read_deadline(after(stream_, limit));
  for (;;) {
    const HeadStep step = parser_.feed(input_.view());
    input_.consume(step.consumed);
    Rejection rejection = step.rejection;
    if (step.done && heads_->request.version == Version::k10 && !options_.accept_http10)
      rejection = {426, "A24", "HTTP/1.0 is not accepted here"};
    if (rejection) {
      co_await reject(rejection);
      co_return Head::kRejected;
    }
    if (step.done) co_return Head::kRead;
    net::IoResult got = input_.fill(stream_);
    while (got.error == net::IoError::kWouldBlock) {
      const net::IoError waited = co_await stream_.readable();
      if (waited == net::IoError::kTimeout) {
        co_await reject({408, "B11", "the head did not come in time"});
        co_return Head::kRejected;
      }
      if (waited != net::IoError::kNone) co_return Head::kOver;
      got = input_.fill(stream_);
    }
    if (!got.ok()) co_return Head::kOver;
  }
}

void ServerConnection::begin_exchange() {
  phase_ = Phase::kServing;
  ++requests_;
  if (heads_->request.scheme.empty()) heads_->request.scheme = options_.scheme;
  decoder_.start(parser_.framing(), parser_.of_the_connection());
  request_deadline_ = after(stream_, options_.request_timeout);
  discard_deadline_ = kNever;
  keep_alive_ = parser_.keep_alive() && drain_ == Drain::kNo &&
                (options_.max_requests == 0 || requests_ < options_.max_requests);
  continue_wanted_ = heads_->request.expect_continue && !decoder_.done();
  to_head_ = heads_->request.method == "HEAD";
  response_ = Response::kNone;
  client_ = Client::kThere;
  reset_ = false;
  body_rejection_ = {};
  heads_->response.clear();
  body_timeout_ = options_.body_timeout;
  out_.set_deadline(kNever);
  received_ = sent_ = 0;
  if (decoder_.done()) notice_end();
}

void ServerConnection::begin_to_idle() {
  idle_since_ = stream_.loop().now();
  if (observer_) observer_->on_idle();
}

/// After the handler: what it left undone decides whether the connection can go on.
net::Task<void> ServerConnection::finish_exchange() {
  if (response_ == Response::kNone && !reset_ && !client_disconnected()) {
    ResponseHead head;
    head.status = 500;
    static_cast<void>(co_await send_head(head, true));
  }
  if (reset_ || response_ != Response::kComplete) {
    keep_alive_ = false;
    if (end_shows_the_cut()) {
      co_await linger();
      co_return;
    }
    // Nothing was begun that the client could take for whole: an end in order is all it needs.
    const bool in_order = half_closed() && response_ == Response::kNone;
    stream_.close(!in_order);
    co_return;
  }
  static_cast<void>(co_await flush());
  // A client that was told of no end may have asked again: what has come is served.
  const bool drained = drain_ == Drain::kNow && keep_alive_ && (!decoder_.done() || nothing_has_come());
  if (stream_.closed() || out_.cut() || drained) keep_alive_ = false;
  if (!decoder_.done()) {
    phase_ = Phase::kDiscarding;
    begin_to_idle();
  }
  if (!decoder_.done() && keep_alive_) keep_alive_ = co_await discard_request();
  if (!keep_alive_ && !stream_.closed() && !out_.cut()) co_await linger();
}

/// Whether the client can tell by the framing that its response was cut: then our end is in order, and what
/// is on its way to the client is not thrown away, as a reset would.
bool ServerConnection::end_shows_the_cut() const {
  if (response_ != Response::kStarted || client_disconnected() || out_.cut() || !out_.empty()) return false;
  return body_form_ == BodyForm::kChunked || (body_form_ == BodyForm::kLength && length_left_ > 0);
}

/// Reads past the rest of a request that is not wanted. False when that would take too much.
net::Task<bool> ServerConnection::discard_request() {
  if (continue_wanted_ || body_rejection_) co_return false;
  discard_deadline_ = after(stream_, kPieceAfterResponse);
  for (std::uint64_t discarded = 0; discarded < kDiscardToKeep;) {
    Result<BodyChunk> chunk = co_await read_body();
    if (!chunk) co_return false;
    if (chunk->end) co_return true;
    discarded += chunk->data.size();
  }
  co_return false;
}

/// Ends our side and lets the client take the response before its unread bytes turn the end into a reset.
net::Task<void> ServerConnection::linger() {
  if (decoder_.done() && !body_rejection_ && nothing_has_come()) co_return;
  if (phase_ == Phase::kServing) {
    phase_ = Phase::kDiscarding;
    begin_to_idle();
  }
  stream_.shutdown_write();
  const TimePoint until = after(stream_, kLinger);
  while (stream_.loop().now() < until) {
    input_.consume(input_.view().size());
    stream_.set_read_deadline(std::min(until, after(stream_, kPieceAfterResponse)));
    const net::IoResult got = input_.fill(stream_);
    if (got.error == net::IoError::kWouldBlock) {
      if (co_await stream_.readable() != net::IoError::kNone) co_return;
      continue;
    }
    if (!got.ok()) co_return;
  }
}

net::Task<void> ServerConnection::reject(Rejection rejection) {
  if (observer_) observer_->on_head_rejected(rejection, heads_->request);
  ResponseHead head;
  head.status = rejection.status;
  if (!options_.server_name.empty()) head.headers.add(HeaderId::kServer, options_.server_name);
  head.headers.add("content-type", "text/plain");
  if (head.status == 426) head.upgrade = "HTTP/1.1";  // RFC 9110 §15.5.22
  const std::string_view body = rejection.reason;
  head.content_length = body.size();
  const ResponseForm form{.body = BodyForm::kLength, .close = true};
  body_rejection_ = rejection;
  if (!write_response_head(out_.text(), head, form)) co_return;
  const bool to_head = heads_->request.method == "HEAD";
  const net::IoError error = co_await out_.write({.data = to_head ? std::string_view{} : body});
  if (error == net::IoError::kNone) co_await linger();
}

TimePoint ServerConnection::body_deadline() const {
  Duration limit = body_timeout_;
  if (response_ == Response::kComplete)
    limit = limit == Duration::zero() ? kPieceAfterResponse : std::min(limit, kPieceAfterResponse);
  return std::min({after(stream_, limit), request_deadline_, discard_deadline_});
}

void ServerConnection::set_body_timeout(Duration between_pieces) {
  body_timeout_ = between_pieces;
  if (!decoder_.done()) stream_.set_read_deadline(body_deadline());
}

net::Task<Result<BodyChunk>> ServerConnection::read_body() {
  if (body_rejection_) co_return fail(Error::downstream(Code::kInvalid, std::string(body_rejection_.reason)));
  if (decoder_.done()) co_return BodyChunk{{}, true};
  if (continue_wanted_) WEFT_CO_CHECK(co_await send_continue());
  if (!out_.nothing_to_flush()) WEFT_CO_CHECK(co_await flush());
  for (;;) {
    if (!input_.empty()) {
      // Before anything is taken: the reader may be cancelled meanwhile, and the next one continues here.
      if (++pieces_ % kPiecesInATurn == 0) co_await stream_.loop().yield();
      const BodyStep step = decoder_.decode(input_.view());
      input_.consume(step.consumed);
      if (step.rejection) {
        body_rejection_ = step.rejection;
        keep_alive_ = false;
        if (observer_) observer_->on_body_rejected(step.rejection);
        co_return fail(Error::downstream(step.rejection.status == 431 ? Code::kTooLarge : Code::kInvalid,
                                         std::string(step.rejection.reason)));
      }
      received_ += step.data.size();
      if (step.done) notice_end();
      if (!step.data.empty() || step.done) co_return BodyChunk{step.data, step.done, decoder_.trailers()};
    }
    stream_.set_read_deadline(body_deadline());
    net::IoResult got = input_.fill(stream_);
    while (got.error == net::IoError::kWouldBlock) {
      input_.release();
      const net::IoError waited = co_await stream_.readable();
      if (waited != net::IoError::kNone) {
        keep_alive_ = false;
        co_return fail(downstream_error(waited, "reading the request's body"));
      }
      got = input_.fill(stream_);
    }
    if (!got.ok()) {
      client_ = half_closed() ? Client::kLeftInOrder : Client::kGone;
      keep_alive_ = false;
      co_return fail(downstream_error(got.error, "reading the request's body"));
    }
  }
}

net::Task<Result<void>> ServerConnection::send_continue() {
  continue_wanted_ = false;
  if (response_started()) co_return Result<void>{};
  out_.text().append("HTTP/1.1 100 Continue\r\n\r\n");
  co_return co_await flush();
}

net::Task<Result<void>> ServerConnection::send_interim(const ResponseHead& head) {
  if (heads_->request.version == Version::k10 || response_started()) co_return Result<void>{};
  if (head.status == 100) {
    if (!continue_wanted_) co_return Result<void>{};
    continue_wanted_ = false;
  }
  // One that cannot be written is not missed: the final response comes.
  if (!write_response_head(out_.text(), head, {})) co_return Result<void>{};
  co_return co_await flush();
}

ResponseForm ServerConnection::form_for(const ResponseHead& head, bool end) {
  ResponseForm form;
  const bool bodiless = head.status == 204 || head.status < 200;
  form.length_only = !bodiless && (to_head_ || head.status == 304);  // RFC 9110 §8.6: none in a 204
  // RFC 9110 §9.3.6: behind either head the tunnel begins.
  const bool connected = heads_->request.method == "CONNECT" && head.status >= 200 && head.status < 300;
  if (head.status == 101 || connected) return form;
  if (!bodiless && !form.length_only) {
    if (head.content_length || end) {
      form.body = BodyForm::kLength;
    } else if (heads_->request.version == Version::k10) {
      form.body = BodyForm::kUntilClose;
      keep_alive_ = false;
    } else {
      form.body = BodyForm::kChunked;
    }
  }
  // What the client was told to hold back it may send or not: the next bytes could be either (RFC 9110
  // §10.1.1).
  if (continue_wanted_ || body_rejection_ || drain_ != Drain::kNo) keep_alive_ = false;
  form.close = !keep_alive_;
  form.keep_alive = keep_alive_ && heads_->request.version == Version::k10;
  return form;
}

/// RFC 8441 §5: a server of HTTP/2 does not look at the key of a client that waits for what belongs to it.
bool ServerConnection::write_head(const ResponseHead& head, const ResponseForm& form) {
  const bool switched_elsewhere = head.status == 101 && head.version == Version::k2;
  const auto key = heads_->request.headers.get(websocket::kKey);
  if (!switched_elsewhere || !websocket::is_token_of(head.upgrade) || !key ||
      head.headers.get(websocket::kAccept))
    return write_response_head(out_.text(), head, form);
  ResponseHead with_accept = head;
  with_accept.headers.add(websocket::kAccept, websocket::accept_of(*key));
  return write_response_head(out_.text(), with_accept, form);
}

net::Task<Result<void>> ServerConnection::send_head(const ResponseHead& head, bool end) {
  WEFT_ASSERT(response_ == Response::kNone);
  const ResponseForm form = form_for(head, end);
  if (!write_head(head, form))
    co_return fail(Error::internal(Code::kInternal, "a value in the response's head holds a line end"));
  response_ = Response::kStarted;
  body_form_ = form.body;
  length_left_ = head.content_length.value_or(0);
  if (!end) co_return Result<void>{};
  if (form.body == BodyForm::kLength && length_left_ != 0)
    co_return fail(Error::internal(Code::kInternal, "the response ended before its length"));
  co_return outcome(co_await out_.flush(), true);
}

/// A body must be exactly as long as its head said: anything else would be read as the next response.
Result<void> ServerConnection::count_body(std::size_t bytes, bool end) {
  if (body_form_ != BodyForm::kLength) return {};
  if (bytes > length_left_)
    return fail(Error::internal(Code::kInternal, "the body is longer than its length"));
  length_left_ -= bytes;
  if (end && length_left_) return fail(Error::internal(Code::kInternal, "the body ended before its length"));
  return {};
}

net::Task<Result<void>> ServerConnection::send_body(std::string_view data, bool end) {
  WEFT_ASSERT(response_ == Response::kStarted);
  if (body_form_ == BodyForm::kNone) co_return outcome(co_await out_.flush(), end);
  WEFT_CO_CHECK(count_body(data.size(), end));
  sent_ += data.size();
  if (body_form_ != BodyForm::kChunked) co_return outcome(co_await out_.write({.data = data}), end);
  const ChunkFrame frame(data.size(), end);
  co_return outcome(co_await out_.write({frame.before, data, frame.after}), end);
}

net::Task<Result<void>> ServerConnection::send_trailers(const Headers& trailers) {
  WEFT_ASSERT(response_ == Response::kStarted);
  if (body_form_ != BodyForm::kChunked || !write_trailers(out_.text(), trailers))
    co_return co_await send_body({}, true);
  co_return outcome(co_await out_.flush(), true);
}

net::Task<Result<void>> ServerConnection::flush() {
  if (out_.nothing_to_flush()) co_return Result<void>{};
  co_return outcome(co_await out_.flush(), false);
}

/// What a write has come to. The stream stays open, since it may be read from: the one that ends the
/// exchange closes it.
Result<void> ServerConnection::outcome(net::IoError error, bool completes) {
  if (error == net::IoError::kNone) {
    if (completes) response_ = Response::kComplete;
    if (completes && !decoder_.done()) stream_.set_read_deadline(body_deadline());
    return {};
  }
  keep_alive_ = false;
  client_ = half_closed() ? Client::kLeftInOrder : Client::kGone;
  return fail(downstream_error(error, "writing the response"));
}

void ServerConnection::reset() {
  reset_ = true;
  keep_alive_ = false;
}

ServerExchange::Upgraded ServerConnection::upgrade() {
  phase_ = Phase::kUpgraded;
  keep_alive_ = false;
  Upgraded result{&stream_, std::string(input_.view())};
  input_.consume(result.read_ahead.size());
  input_.release();
  return result;
}

}  // namespace weft::http::h1
