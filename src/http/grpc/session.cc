#include "http/grpc/session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http/server.h"

namespace weft::http::grpc {
namespace {

constexpr std::size_t kPrefix = 5;  // compressed flag, and the length in four bytes
constexpr std::size_t kWriteBuffer = 1024 * 1024;
constexpr std::size_t kFieldOverhead = 32;  // RFC 9113 §6.5.2
constexpr Duration kFramePeriod = 10s;
constexpr Duration kFarewell = 1s;
// Resets by the peer: a hundred at once, then ten a second.
constexpr std::uint64_t kResetBurst = 100, kResetRate = 10;
constexpr std::size_t kReadBlock = 16 * 1024;

std::size_t message_size(std::string_view prefix) {
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) size = size << 8 | static_cast<unsigned char>(prefix[i]);
  return size;
}

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

/// grpc-message is percent-encoded, and a plus in it is a plus.
std::string decode_message(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '+')
      escaped += "%2B";
    else
      escaped += c;
  }
  return percent_decode(escaped);
}

}  // namespace

SessionStream::SessionStream(Session& session, std::int32_t id, bool client)
    : session_(&session), id_(id), client_(client), readable_(session.loop()), writable_(session.loop()) {}

SessionStream::~SessionStream() {
  if (session_) session_->cancel(*this);
}

std::size_t SessionStream::whole_message() const {
  if (in_.size() < kPrefix) return 0;
  const std::size_t size = kPrefix + message_size(in_);
  return in_.size() >= size ? size : 0;
}

Result<void> SessionStream::check_prefix() const {
  if (in_.size() < kPrefix) return {};
  const Blame blame = client_ ? Blame::kUpstream : Blame::kDownstream;
  if (in_[0] != 0) return fail(Error{Code::kUnsupported, blame, Retry::kNever, "a compressed gRPC message"});
  const std::size_t size = message_size(in_), most = session_ ? session_->limits_.max_message : size;
  if (size > most)
    return fail(
        Error{Code::kTooLarge, blame, Retry::kNever,
              "a gRPC message of " + std::to_string(size) + " bytes; the limit is " + std::to_string(most)});
  return {};
}

Error SessionStream::end_error() const {
  const Blame blame = client_ ? Blame::kUpstream : Blame::kDownstream;
  const bool in_order = remote_ended_ && in_.empty() && reset_code_ == 0;
  if (in_order && (client_ ? status_ == kOk && http_status_ == 200 : true))
    return {Code::kClosed, blame, Retry::kNever, "the call has ended"};
  if (status_ > 0) {
    const Code code = status_ == kPermissionDenied ? Code::kDenied
                      : status_ == kUnimplemented  ? Code::kUnsupported
                                                   : Code::kUnavailable;
    return {code, blame, Retry::kNever, "grpc-status " + std::to_string(status_) + ": " + status_message_};
  }
  if (http_status_ != 200)
    return {Code::kUnavailable, blame, Retry::kNever, "HTTP status " + std::to_string(http_status_)};
  if (reset_code_)
    return {Code::kUnavailable, blame, Retry::kNever,
            std::string("the stream was reset: ") + nghttp2_http2_strerror(reset_code_)};
  return {Code::kUnavailable, blame, Retry::kFreshConnection, "the connection ended"};
}

/// The message of `size` bytes at the front, without its prefix. One that is all there is is not copied: it
/// may be megabytes.
std::string SessionStream::take_in(std::size_t size) {
  std::string message;
  if (size == in_.size())
    message = std::exchange(in_, {});
  else
    message.assign(in_, 0, size), in_.erase(0, size);
  message.erase(0, kPrefix);
  return message;
}

net::Task<Result<std::string>> SessionStream::read() {
  for (;;) {
    WEFT_CO_CHECK(check_prefix());
    if (const std::size_t size = whole_message()) {
      std::string message = take_in(size);
      if (session_) session_->give_window_back(*this);
      co_return message;
    }
    if (!session_ || remote_ended_ || closed_) co_return fail(end_error());
    session_->give_window_back(*this);
    co_await readable_.wait();
  }
}

net::Task<Result<void>> SessionStream::write_parts(std::string_view first,
                                                   std::shared_ptr<const std::string> second) {
  if (!session_ || closed_ || finished_) co_return fail(end_error());
  if (!client_ && !headers_sent_)
    session_->send_headers(*this, {{":status", "200"}, {"content-type", "application/grpc"}}, false);
  const std::size_t size = first.size() + (second ? second->size() : 0);
  char prefix[kPrefix] = {};
  for (std::size_t i = 0; i < 4; ++i) prefix[i + 1] = static_cast<char>(size >> (8 * (3 - i)));
  out_.append(std::string_view(prefix, kPrefix));
  out_.append(first);
  out_.append(std::move(second));
  session_->resume_data(*this);
  while (session_ && !closed_ && out_.size() > kWriteBuffer) co_await writable_.wait();
  if (!session_ || closed_) co_return fail(end_error());
  co_return Result<void>{};
}

void SessionStream::finish(int status, std::string_view message) {
  if (finished_ || !session_ || closed_) return;
  finished_ = true;
  status_ = client_ ? status_ : status;
  if (!client_) status_message_ = message;
  if (!client_ && !headers_sent_) {
    trailers_sent_ = true;
    session_->send_headers(*this,
                           {{":status", "200"},
                            {"content-type", "application/grpc"},
                            {"grpc-status", std::to_string(status)},
                            {"grpc-message", percent_encode(message)}},
                           true);
    return;
  }
  session_->resume_data(*this);
}

net::Task<void> SessionStream::drained() {
  while (session_ && !closed_ && !trailers_sent_) co_await writable_.wait();
}

struct Session::Callbacks {
  static SessionStream* find(void* user, std::int32_t id) {
    auto& streams = static_cast<Session*>(user)->streams_;
    const auto found = streams.find(id);
    return found == streams.end() ? nullptr : found->second;
  }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
    static_cast<Session*>(user)->note_frame(head->type == NGHTTP2_DATA && head->length > 0);
    return 0;
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& session = *static_cast<Session*>(user);
    const bool request = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    session.header_bytes_ = session.header_fields_ = 0;
    if (request) session.opening_[frame->hd.stream_id];
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string_view text(reinterpret_cast<const char*>(value), value_size);
    auto& session = *static_cast<Session*>(user);
    if (!session.take_field(name_size + value_size)) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (session.accept_) {
      const auto opening = session.opening_.find(frame->hd.stream_id);
      if (opening == session.opening_.end()) return 0;
      if (key == ":path") opening->second.path = text;
      if (!key.starts_with(':')) opening->second.metadata.add(key, text);
      return 0;
    }
    SessionStream* const stream = find(user, frame->hd.stream_id);
    if (!stream) return 0;
    if (key == ":status") std::from_chars(text.data(), text.data() + text.size(), stream->http_status_);
    if (key == "grpc-status") std::from_chars(text.data(), text.data() + text.size(), stream->status_);
    if (key == "grpc-message") stream->status_message_ = decode_message(text);
    return 0;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    auto& session = *static_cast<Session*>(user);
    const std::int32_t id = frame->hd.stream_id;
    if (frame->hd.type == NGHTTP2_HEADERS) {
      const auto opening = session.opening_.find(id);
      if (opening != session.opening_.end()) {
        // Registered now, handed out later: its first bytes may come in the same read.
        auto stream = std::make_unique<SessionStream>(session, id, false);
        session.streams_[id] = stream.get();
        session.accepted_.emplace_back(std::move(stream), std::move(opening->second));
        session.opening_.erase(opening);
      }
    }
    const bool may_end = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    SessionStream* const stream = find(user, id);
    if (stream && may_end && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
      stream->remote_ended_ = true;
      session.to_wake_.push_back(id);
    }
    return 0;
  }

  static int on_data(nghttp2_session* raw, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    SessionStream* const stream = find(user, id);
    if (!stream) {
      nghttp2_session_consume(raw, id, size);
      return 0;
    }
    stream->in_.append(reinterpret_cast<const char*>(data), size);
    stream->unconsumed_ += size;
    static_cast<Session*>(user)->to_wake_.push_back(id);
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    auto& session = *static_cast<Session*>(user);
    session.opening_.erase(id);
    if (SessionStream* const stream = find(user, id)) {
      stream->closed_ = true;
      stream->reset_code_ = code;
      session.to_wake_.push_back(id);
    }
    return 0;
  }

  static ssize_t read_data(nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t length,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    SessionStream* const stream = find(user, id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t take = stream->out_.take(reinterpret_cast<char*>(buffer), length);
    static_cast<Session*>(user)->to_wake_.push_back(id);
    if (stream->out_.size() != 0) return static_cast<ssize_t>(take);
    if (stream->finished_) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!stream->client_) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        static_cast<Session*>(user)->send_trailers(*stream);
      }
      return static_cast<ssize_t>(take);
    }
    return take ? static_cast<ssize_t>(take) : NGHTTP2_ERR_DEFERRED;
  }
};

SessionLimits SessionLimits::for_server() {
  SessionLimits limits;
  limits.max_message = 4 * 1024 * 1024;
  limits.max_streams = 8;
  limits.stream_window = 64 * 1024;
  limits.connection_window = 256 * 1024;
  return limits;
}

Session::Session(std::unique_ptr<net::Stream> transport, Accept accept, SessionLimits limits)
    : transport_(std::move(transport)),
      accept_(std::move(accept)),
      limits_(limits),
      idle_frames_since_(transport_->loop().now()),
      heard_at_(transport_->loop().now()),
      write_signal_(transport_->loop()) {
  make_session();
  const nghttp2_settings_entry settings[] = {
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window},
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.max_streams},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<std::uint32_t>(limits_.max_header_bytes)},
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, accept_ ? 3 : 4);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, limits_.connection_window);
}

void Session::make_session() {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  WEFT_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0);
  nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, Callbacks::on_begin_frame);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_close);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_stream_reset_rate_limit(options, kResetBurst, kResetRate);
  const int made = accept_ ? nghttp2_session_server_new2(&session_, callbacks, this, options)
                           : nghttp2_session_client_new2(&session_, callbacks, this, options);
  WEFT_ASSERT(made == 0);
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
}

/// Frames that cost their sender next to nothing and carry nothing.
void Session::note_frame(bool carries_data) {
  if (carries_data) return;
  const TimePoint now = loop().now();
  if (now - idle_frames_since_ > kFramePeriod) {
    idle_frames_since_ = now;
    idle_frames_ = 0;
  }
  if (++idle_frames_ > limits_.max_idle_frames) end_for("too many frames without data");
}

/// Whether the list may have this field too.
bool Session::take_field(std::size_t bytes) {
  header_bytes_ += bytes + kFieldOverhead;
  if (++header_fields_ <= limits_.max_header_fields && header_bytes_ <= limits_.max_header_bytes) return true;
  end_for("a header list larger than SETTINGS_MAX_HEADER_LIST_SIZE");
  return false;
}

/// The peer learns why; whatever else it has sent is not looked at.
void Session::end_for(const char* reason) {
  if (std::exchange(ended_for_, reason)) return;
  const std::string_view text(reason);
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_ENHANCE_YOUR_CALM, reinterpret_cast<const std::uint8_t*>(text.data()),
                        text.size());
  transport_->set_write_deadline(loop().now() + kFarewell);
  kick();
}

Session::~Session() {
  fail_all();
  nghttp2_session_del(session_);
}

/// A coroutine that still waits on a stream learns that the connection is gone.
void Session::fail_all() {
  broken_ = true;
  for (const auto& [id, stream] : std::exchange(streams_, {})) {
    stream->session_ = nullptr;
    stream->writable_.notify();
    stream->readable_.notify();
  }
}

net::Task<void> Session::run() {
  static_cast<void>(co_await net::both(net::both(read_all(), write_all()), keep_alive()));
  transport_->close();
  fail_all();
}

net::Task<Result<void>> Session::read_all() {
  // Nothing waits between a read and its use, so all sessions of a thread share one block.
  static thread_local char block[kReadBlock];
  while (!ended_for_) {
    const net::IoError waited = co_await transport_->readable();
    if (waited != net::IoError::kNone)
      co_return fail(net::to_error(waited, Blame::kUpstream, "reading HTTP/2"));
    const net::IoResult got = transport_->try_read(block);
    if (got.error == net::IoError::kWouldBlock) continue;
    if (!got.ok()) co_return fail(net::to_error(got.error, Blame::kUpstream, "reading HTTP/2"));
    heard_at_ = loop().now();
    const ssize_t used =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(block), got.bytes);
    if (used < 0)
      co_return fail(
          Error::upstream(Code::kInvalid, Retry::kNever, nghttp2_strerror(static_cast<int>(used))));
    wake();
    kick();
    if (!nghttp2_session_want_read(session_) && !nghttp2_session_want_write(session_))
      co_return fail(Error::upstream(Code::kClosed, Retry::kNever, "the HTTP/2 session has ended"));
  }
  // write_all() ends the session when the reason is sent.
  co_return Result<void>{};
}

net::Task<Result<void>> Session::write_all() {
  for (;;) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) co_return fail(Error::internal(Code::kInternal, nghttp2_strerror(static_cast<int>(size))));
    if (size == 0) {
      if (ended_for_) co_return fail(Error::upstream(Code::kInvalid, Retry::kNever, ended_for_));
      wake();
      co_await write_signal_.wait();
      continue;
    }
    if (!ended_for_) transport_->set_write_deadline(loop().now() + limits_.write_timeout);
    const net::IoResult sent =
        co_await transport_->write({reinterpret_cast<const char*>(data), static_cast<std::size_t>(size)});
    if (!sent.ok()) co_return fail(net::to_error(sent.error, Blame::kUpstream, "writing HTTP/2"));
  }
}

/// A peer that has vanished without a word is noticed by asking it (RFC 9113 §6.7).
net::Task<Result<void>> Session::keep_alive() {
  for (;;) {
    co_await loop().sleep_until(heard_at_ + limits_.ping_after);
    if (loop().now() < heard_at_ + limits_.ping_after) continue;
    const TimePoint asked = loop().now();
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
    kick();
    co_await loop().sleep(limits_.ping_timeout);
    if (heard_at_ < asked)
      co_return fail(
          Error::upstream(Code::kTimeout, Retry::kFreshConnection, "the peer does not answer a PING"));
  }
}

/// Hands out new calls and wakes the streams that something happened for. Anything may come and go meanwhile.
void Session::wake() {
  while (!accepted_.empty() && !broken_) {
    auto [stream, head] = std::move(accepted_.front());
    accepted_.pop_front();
    accept_(std::move(stream), std::move(head));
  }
  for (const std::int32_t id : std::exchange(to_wake_, {})) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) continue;
    if (found->second->out_.size() <= kWriteBuffer) found->second->writable_.notify();
    found->second->readable_.notify();
  }
}

std::unique_ptr<SessionStream> Session::open(std::string_view path, std::string_view authority,
                                             const Headers& metadata) {
  std::vector<nghttp2_nv> fields = {field(":method", "POST"),
                                    field(":scheme", "http"),
                                    field(":path", path),
                                    field(":authority", authority),
                                    field("content-type", "application/grpc"),
                                    field("te", "trailers")};
  for (const Headers::Field each : metadata) fields.push_back(field(each.name, each.value));
  nghttp2_data_provider provider{{}, Callbacks::read_data};
  const std::int32_t id =
      broken_ ? -1
              : nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &provider, nullptr);
  auto stream = std::make_unique<SessionStream>(*this, id, true);
  if (id < 0) {
    stream->session_ = nullptr;
    return stream;
  }
  stream->headers_sent_ = true;
  streams_[id] = stream.get();
  kick();
  return stream;
}

void Session::send_headers(SessionStream& stream,
                           const std::vector<std::pair<std::string, std::string>>& fields, bool end) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) list.push_back(field(name, value));
  nghttp2_data_provider provider{{}, Callbacks::read_data};
  nghttp2_submit_response(session_, stream.id_, list.data(), list.size(), end ? nullptr : &provider);
  stream.headers_sent_ = true;
  kick();
}

void Session::send_trailers(SessionStream& stream) {
  if (std::exchange(stream.trailers_sent_, true)) return;
  const std::string status = std::to_string(stream.status_);
  const std::string message = percent_encode(stream.status_message_);
  const nghttp2_nv fields[] = {field("grpc-status", status), field("grpc-message", message)};
  nghttp2_submit_trailer(session_, stream.id_, fields, std::size(fields));
}

void Session::resume_data(SessionStream& stream) {
  nghttp2_session_resume_data(session_, stream.id_);
  kick();
}

/// The peer may send on: as much as was used, or everything while a message is not whole yet.
void Session::give_window_back(SessionStream& stream) {
  if (stream.unconsumed_ == 0 || stream.whole_message() != 0) return;
  nghttp2_session_consume(session_, stream.id_, std::exchange(stream.unconsumed_, 0));
  kick();
}

void Session::cancel(SessionStream& stream) {
  streams_.erase(stream.id_);
  // The connection's window is given back even for a stream that has ended.
  if (stream.unconsumed_) nghttp2_session_consume_connection(session_, stream.unconsumed_);
  const bool over = stream.closed_ || stream.trailers_sent_;
  if (!over) nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, NGHTTP2_CANCEL);
  kick();
}

}  // namespace weft::http::grpc
