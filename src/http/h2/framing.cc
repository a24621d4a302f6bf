#include "http/h2/framing.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/release_memory.h"
#include "http/h2/session_memory.h"
#include "http/h2/stream.h"
#include "http/h2/zero_pages.h"

namespace weft::http::h2 {
namespace {

/// What we may refer to, the peer and we remember: half of the usual 4,096 octets holds the fields of a few
/// services, in an idle connection too. In the other direction the usual size stays: clients that do not know
/// how to reduce theirs would be cut (RFC 7541 §4.2).
constexpr std::uint32_t kHeaderTable = 2048;
constexpr std::size_t kFrameHead = 9, kTypeInFrame = 3;
constexpr std::size_t kHeadBytesOfAFrame = 8;
constexpr std::size_t kFieldsOfATurn = 512 * 1024;
/// What is sent has passed the limits of who sent it, of which the largest that a listener may have is
/// 8 MiB, and was changed by no more than rules of our own. nghttp2 itself would send no more than 64 KiB.
constexpr std::size_t kMaxHeadSent = 16 * 1024 * 1024;
constexpr std::size_t kUsefulContinuation = 1024;
constexpr std::size_t kMinContinuations = 16, kMaxSettings = 32, kMaxAcks = 1000;
constexpr std::size_t kFramePayload = 16 * 1024;  // SETTINGS_MAX_FRAME_SIZE, which we leave as it is
/// nghttp2's own limit of resets, which would end the connection without a reason: FloodGuard counts them.
constexpr std::uint64_t kNoLimit = 1ull << 40;
/// Output that is kept by a thread between two writes of any connection.
constexpr std::size_t kSpareOutput = 128 * 1024, kInitialOutput = 4 * 1024;

std::string& spare_output() {
  static thread_local std::string spare;
  return spare;
}

std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// The rule of docs/bad-input.md that a frame of a stream breaks, by what nghttp2 says of it.
Rejection rejection_of(const nghttp2_frame& frame, int fault) {
  if (frame.hd.type == NGHTTP2_WINDOW_UPDATE) return {400, "G22", "a window beyond 2^31 - 1"};
  if (fault == NGHTTP2_ERR_HTTP_HEADER) return {400, "G26", "a field of the head is malformed"};
  if (frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_HEADERS)
    return {400, "E02", "the trailers are malformed, or do not end the message"};
  return {400, "G26", "the head is malformed"};
}

}  // namespace

std::string_view to_string(ErrorCode code) {
  const auto value = static_cast<std::uint32_t>(code);
  return value <= NGHTTP2_HTTP_1_1_REQUIRED ? std::string_view(nghttp2_http2_strerror(value)) : "unknown";
}

struct Framing::Callbacks {
  static Framing& self(void* user) { return *static_cast<Framing*>(user); }
  static Stream* find(nghttp2_session* session, std::int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Framing& framing = self(user);
    const std::int32_t id = frame->hd.stream_id;
    if (framing.terminated_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    framing.head_of_ = id;
    framing.head_since_ = framing.now_;
    framing.unowned_fields_ = 0;
    Stream* stream = find(session, id);
    if (!stream && framing.role_ == Role::kServer && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      framing.closed_.opened(id);
      framing.calm(framing.flood_.stream_opened(framing.now_), "too many streams");
      if (framing.terminated_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
      stream = framing.receiver_.on_request_begins(id);
      if (!stream) {
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
        return 0;
      }
      nghttp2_session_set_stream_user_data(session, id, stream);
    }
    if (stream) stream->on_head_begins();
    return 0;
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    Framing& framing = self(user);
    Stream* const stream = find(session, frame->hd.stream_id);
    framing.fields_fed_ += name_size + value_size;
    if (stream ? stream->on_field(text(name, name_size), text(value, value_size))
               : framing.may_ignore(name_size + value_size))
      return 0;
    framing.terminate(ErrorCode::kEnhanceYourCalm, "a header list far beyond the limit");
    // Nothing more is fed. nghttp2 would go on to the end of the block, where an octet may stand for a field
    // of 4 KiB.
    return NGHTTP2_ERR_PAUSE;
  }

  /// nghttp2 would leave such a field out and go on.
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                               const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Framing& framing = self(user);
    if (framing.terminated_) return 0;
    const bool ack = frame->hd.flags & NGHTTP2_FLAG_ACK;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
      case NGHTTP2_DATA: {
        framing.head_of_ = 0;
        Stream* const stream = find(session, frame->hd.stream_id);
        if (!stream) return 0;
        const bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
        if (frame->hd.type == NGHTTP2_HEADERS) stream->on_head(end);
        if (end) stream->on_end();
        return 0;
      }
      case NGHTTP2_SETTINGS:
        ack ? framing.receiver_.on_settings_ack() : framing.receiver_.on_settings();
        return 0;
      case NGHTTP2_PING:
        if (ack) framing.receiver_.on_ping_ack(static_cast<PingReason>(frame->ping.opaque_data[0]));
        return 0;
      case NGHTTP2_GOAWAY:
        framing.receiver_.on_goaway(frame->goaway.last_stream_id,
                                    static_cast<ErrorCode>(frame->goaway.error_code));
        return 0;
      case NGHTTP2_RST_STREAM: framing.note_reset_by_peer(frame->hd.stream_id); return 0;
      default: return 0;
    }
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    Stream* const stream = find(session, id);
    Framing& framing = self(user);
    if (!stream || framing.terminated_) {
      nghttp2_session_consume(session, id, size);
      return 0;
    }
    stream->on_data(text(data, size));
    if (framing.shares_connection()) nghttp2_session_consume_connection(session, size);
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int fault, void* user) {
    self(user).take_fault(*frame, fault);
    return 0;
  }

  static int on_close(nghttp2_session* session, std::int32_t id, std::uint32_t code, void* user) {
    if (self(user).head_of_ == id) self(user).head_of_ = 0;
    if (Stream* const stream = find(session, id)) stream->on_closed(static_cast<ErrorCode>(code));
    return 0;
  }

  /// Which part of what a stream has lent goes into the next frame.
  static ssize_t read_data(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Framing& framing = self(user);
    Stream* const stream = find(session, id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const std::size_t size = std::min(room, stream->out_.size());
    if (size > 0 && framing.full()) {
      if (std::exchange(stream->source_, Stream::Source::kWaitsForRoom) != Stream::Source::kWaitsForRoom)
        stream->waiting_next_ = std::exchange(framing.waiting_, stream);
      return NGHTTP2_ERR_DEFERRED;
    }
    const bool last = size == stream->out_.size() && stream->outgoing_ == Stream::Outgoing::kEnding;
    if (size == 0 && !last) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (last) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      stream->source_ = Stream::Source::kIdle;
    }
    return static_cast<ssize_t>(size);
  }

  static int send_data(nghttp2_session* session, nghttp2_frame* frame, const std::uint8_t* head,
                       std::size_t size, nghttp2_data_source*, void* user) {
    Framing& framing = self(user);
    Stream* const stream = find(session, frame->hd.stream_id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    framing.reserve_output();
    framing.output_.append(text(head, kFrameHead)).append(stream->out_.substr(0, size));
    if (framing.role_ == Role::kClient) framing.own_heads_.added(kFrameHead + size, false);
    stream->out_.remove_prefix(size);
    stream->sent_ += size;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) stream->outgoing_ = Stream::Outgoing::kEnded;
    framing.flood_.data_sent(framing.now_);
    if (stream->out_.empty()) stream->moved_out();
    return 0;
  }

  /// nghttp2 ends streams and sessions by itself when the peer breaks a rule: what it sends says so.
  static int on_sent(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Framing& framing = self(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM)
      framing.note_reset_sent(frame->hd.stream_id, static_cast<ErrorCode>(frame->rst_stream.error_code));
    const bool fault = frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR;
    if (fault) framing.end(true);
    return 0;
  }

  static int on_not_sent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) self(user).head_not_sent_ = frame->hd.stream_id;
    return 0;
  }
};

Framing::Framing(Role role, Receiver& receiver, const Http2Limits& limits, const Limits& heads, TimePoint now)
    : receiver_(receiver), limits_(limits), heads_(heads), role_(role), flood_(limits, now), now_(now) {
  if (role == Role::kServer) payload_left_ = NGHTTP2_CLIENT_MAGIC_LEN;
  open(role);
  submit_settings(role);
}

Framing::~Framing() { nghttp2_session_del(session_); }

void Framing::open(Role role) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* options = nullptr;
  WEFT_ASSERT(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&options) == 0);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, Callbacks::on_begin_headers);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, Callbacks::on_header);
  nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, Callbacks::on_invalid_header);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, Callbacks::on_frame);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, Callbacks::on_data);
  nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, Callbacks::on_invalid_frame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, Callbacks::on_close);
  nghttp2_session_callbacks_set_send_data_callback(callbacks, Callbacks::send_data);
  nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, Callbacks::on_sent);
  nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, Callbacks::on_not_sent);
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_stream_reset_rate_limit(options, kNoLimit, kNoLimit);
  nghttp2_option_set_max_continuations(options,
                                       std::max(kMinContinuations, heads_.head_bytes / kFramePayload + 1));
  nghttp2_option_set_max_settings(options, kMaxSettings);
  nghttp2_option_set_max_outbound_ack(options, kMaxAcks);
  nghttp2_option_set_max_send_header_block_length(options, kMaxHeadSent);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, kHeaderTable);
  const MakingSession making;
  const auto make = role == Role::kServer ? nghttp2_session_server_new3 : nghttp2_session_client_new3;
  const int made = make(&session_, callbacks, this, options, session_memory());
  WEFT_ASSERT(made == 0);
  page_ = making.page();
  nghttp2_option_del(options);
  nghttp2_session_callbacks_del(callbacks);
}

void Framing::submit_settings(Role role) {
  std::array<nghttp2_settings_entry, 6> settings;
  std::size_t count = 0;
  const auto set = [&](std::int32_t id, std::uint32_t value) { settings[count++] = {id, value}; };
  set(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits_.stream_window);
  set(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, heads_.head_bytes);
  if (role == Role::kServer) {
    set(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits_.max_concurrent_streams);
    if (limits_.extended_connect) set(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1);
  } else {
    set(NGHTTP2_SETTINGS_ENABLE_PUSH, 0);
  }
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), count);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(limits_.connection_window));
}

std::size_t Framing::feed(std::string_view bytes, TimePoint now) {
  const std::size_t size_fed = bytes.size();
  now_ = now;
  cost_fed_ = fields_fed_ = 0;
  while (!bytes.empty() && !terminated_ && fields_fed_ <= kFieldsOfATurn) {
    std::size_t size = std::min(payload_left_, bytes.size());
    payload_left_ -= size;
    if (of_a_head_) cost_fed_ += size / kHeadBytesOfAFrame;
    if (size == 0) {
      size = std::min(kFrameHead - head_size_, bytes.size());
      std::copy_n(bytes.begin(), size, head_.data() + head_size_);
      head_size_ += size;
      // What nghttp2 would ignore is seen here only, and before it: everything in front of the frame has been
      // taken.
      if (head_size_ == kFrameHead && !check_frame()) break;
      const std::size_t payload = std::min(payload_left_, bytes.size() - size);
      payload_left_ -= payload;
      if (of_a_head_) cost_fed_ += payload / kHeadBytesOfAFrame;
      size += payload;
    }
    take(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  pump();
  return terminated_ ? size_fed : size_fed - bytes.size();
}

/// Of a head that no stream takes: it has the limit of the others.
bool Framing::may_ignore(std::size_t field) {
  constexpr std::size_t kPerField = 32;  // RFC 9113 §6.5.2
  unowned_fields_ += field + kPerField;
  return unowned_fields_ <= std::size_t{heads_.head_bytes} * heads_.far_beyond;
}

void Framing::take(std::string_view bytes) {
  feeding_ = true;
  const ssize_t used =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  feeding_ = false;
  if (used >= 0) return;
  if (used == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
    terminate(ErrorCode::kProtocolError, "what came first is not the preface of HTTP/2");
  else
    terminate(ErrorCode::kEnhanceYourCalm, "a flood of frames");
}

/// The head of a frame is there. False: the connection ends for it.
bool Framing::check_frame() {
  const auto byte = [this](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(head_[at]));
  };
  head_size_ = 0;
  ++cost_fed_;
  payload_left_ = byte(0) << 16 | byte(1) << 8 | byte(2);
  const auto id = static_cast<std::int32_t>((byte(5) & 0x7f) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8));
  const auto type = static_cast<std::uint8_t>(byte(3));
  of_a_head_ = type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION;
  if ((type == NGHTTP2_DATA || type == NGHTTP2_HEADERS) && !nghttp2_session_find_stream(session_, id) &&
      role_ == Role::kServer) {
    // RFC 9113 §5.1: only frames that have crossed our RST_STREAM may still come.
    const ErrorCode fault = closed_.check(id, type == NGHTTP2_HEADERS);
    if (fault != ErrorCode::kNoError) terminate(fault, "a frame of a stream that is closed");
  }
  note_frame(type, static_cast<std::uint8_t>(byte(4)), id);
  return !terminated_;
}

/// What costs a peer next to nothing is paid from a budget.
void Framing::note_frame(std::uint8_t type, std::uint8_t flags, std::int32_t id) {
  switch (type) {
    case NGHTTP2_DATA:
      if (flags & NGHTTP2_FLAG_END_STREAM) return;
      if (payload_left_ == 0) break;
      // Others are small because a library makes one of each message; what they cost, their sender has paid.
      if (!(flags & NGHTTP2_FLAG_PADDED)) return;
      return calm(flood_.padded_frame(payload_left_, now_), "too many small DATA frames");
    case NGHTTP2_HEADERS:
      // A request's head, or one of a stream that there is; else one for a stream that is over.
      if (role_ == Role::kServer && closed_.may_open(id)) return;
      if (nghttp2_session_find_stream(session_, id)) return;
      break;
    case NGHTTP2_WINDOW_UPDATE:
      return calm(flood_.window_update(), "more WINDOW_UPDATEs than there is a reason for");
    case NGHTTP2_PING: return calm(flood_.ping(now_), "too many frames without data");
    case NGHTTP2_CONTINUATION:
      if (payload_left_ >= kUsefulContinuation) return;  // of a large head, which has a limit of its own
      break;
    case NGHTTP2_RST_STREAM: return;
    default: break;
  }
  calm(flood_.idle_frame(now_), "too many frames without data");
}

/// RFC 9113 §8.1: a server resets the request that its response does not wait for; and a client of gRPC whose
/// status has come says nothing else behind it. Neither has cost us what was not wanted.
void Framing::note_reset_by_peer(std::int32_t id) {
  const Stream* const stream = Callbacks::find(session_, id);
  const bool responded = stream && (role_ == Role::kServer ? stream->local_ended() : stream->remote_ended());
  if (!responded && nghttp2_session_find_stream(session_, id)) return note_reset(stream);
  calm(flood_.late_reset(now_), "too many frames without data");
}

void Framing::note_reset(const Stream* stream) {
  calm(flood_.reset(stream ? stream->begun_ : now_, now_), "too many streams are reset");
}

/// A rule of a stream was broken: nghttp2 resets it, or ends the connection.
void Framing::take_fault(const nghttp2_frame& frame, int fault) {
  Stream* const stream = Callbacks::find(session_, frame.hd.stream_id);
  if (!stream || std::exchange(stream->fault_told_, true)) return;
  stream->on_malformed(rejection_of(frame, fault));
}

void Framing::reserve_output() {
  if (output_.capacity() >= kInitialOutput) return;
  WEFT_ASSERT(output_.empty() || output_.size() < kInitialOutput);
  std::string& spare = spare_output();
  if (spare.capacity() < kInitialOutput) spare.reserve(kInitialOutput);
  spare.assign(output_);
  output_.swap(spare);
  spare.clear();
}

void Framing::pump() {
  if (feeding_ || failed_) return;
  for (;;) {
    const std::uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size == 0) {
      over_ = !nghttp2_session_want_read(session_);
      return;
    }
    if (size < 0) {
      terminated_ = failed_ = true;
      return;
    }
    reserve_output();
    output_.append(text(data, static_cast<std::size_t>(size)));
    const bool head = data[kTypeInFrame] == NGHTTP2_HEADERS || data[kTypeInFrame] == NGHTTP2_CONTINUATION;
    if (role_ == Role::kClient) own_heads_.added(static_cast<std::size_t>(size), head);
  }
}

/// One that no owner has asked for comes from a fault of the peer, and is counted like one of its own.
void Framing::note_reset_sent(std::int32_t id, ErrorCode code) {
  closed_.reset_by_us(id);
  Stream* const stream = Callbacks::find(session_, id);
  if (stream && stream->reset_by_us()) return;
  if (code == ErrorCode::kRefusedStream) return calm(flood_.idle_frame(now_), "too many streams");
  note_reset(nullptr);
  if (!stream || std::exchange(stream->fault_told_, true)) return;
  const bool flow = code == ErrorCode::kFlowControlError;
  stream->on_malformed(flow ? Rejection{400, "G23", "more was sent than the window lets"}
                            : Rejection{400, "G28", "the body is not as long as Content-Length says"});
}

void Framing::sent(std::size_t bytes) {
  taken_ += bytes;
  if (role_ == Role::kClient) own_heads_.sent(bytes);
  if (taken_ == output_.size()) {
    output_.clear();
    taken_ = 0;
    std::string& spare = spare_output();
    if (output_.capacity() <= kSpareOutput && output_.capacity() > spare.capacity()) spare.swap(output_);
    release_memory(output_);
  } else if (taken_ >= kMaxOutput) {
    output_.erase(0, taken_);
    taken_ = 0;
  }
  if (!full()) resume_waiting();
}

void Framing::resume_waiting() {
  while (waiting_) {
    Stream& stream = *waiting_;
    waiting_ = std::exchange(stream.waiting_next_, nullptr);
    stream.source_ = Stream::Source::kOffered;
    nghttp2_session_resume_data(session_, stream.id_);
  }
}

bool Framing::send_head(Stream& stream, std::span<const nghttp2_nv> fields, bool end) {
  if (stream.life_ != Stream::Life::kOpen || over()) return false;
  const std::uint8_t flags = end ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE;
  const bool begins = stream.id_ <= 0;
  const std::int32_t result =
      nghttp2_submit_headers(session_, flags, begins ? -1 : stream.id_, nullptr, fields.data(), fields.size(),
                             begins ? &stream : nullptr);
  if (result < 0) return false;
  if (begins) {
    stream.id_ = result;
    flood_.stream_opened(now_);
  }
  const Stream::Outgoing before = stream.outgoing_;
  if (end) stream.outgoing_ = Stream::Outgoing::kEnded;
  pump();
  receiver_.on_output();
  if (std::exchange(head_not_sent_, 0) == stream.id_ || failed_) {
    stream.outgoing_ = before;
    return false;
  }
  return true;
}

void Framing::push(Stream& stream) {
  if (stream.life_ != Stream::Life::kOpen || stream.local_ended()) return;
  if (stream.source_ == Stream::Source::kIdle) {
    const nghttp2_data_provider provider{{}, Callbacks::read_data};
    if (nghttp2_submit_data(session_, NGHTTP2_FLAG_END_STREAM, stream.id_, &provider) == 0)
      stream.source_ = Stream::Source::kOffered;
  } else if (stream.source_ == Stream::Source::kOffered) {
    nghttp2_session_resume_data(session_, stream.id_);
  }
  pump();
  receiver_.on_output();
}

void Framing::reset(Stream& stream, ErrorCode code) {
  if (stream.life_ != Stream::Life::kOpen) return;
  stream.life_ = Stream::Life::kResetting;
  if (stream.id_ <= 0) return;
  stream.code_ = code;
  reset(stream.id_, code);
}

void Framing::reset(std::int32_t id, ErrorCode code) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(code));
  pump();
  receiver_.on_output();
}

void Framing::consume(const Stream& stream, std::size_t bytes) {
  if (shares_connection()) {
    if (!stream.closed()) nghttp2_session_consume_stream(session_, stream.id_, bytes);
  } else if (stream.closed()) {
    nghttp2_session_consume_connection(session_, bytes);
  } else {
    nghttp2_session_consume(session_, stream.id_, bytes);
  }
  receiver_.on_output();
}

void Framing::consume_unread(std::int32_t id, std::size_t bytes) {
  if (shares_connection())
    nghttp2_session_consume_stream(session_, id, bytes);
  else if (nghttp2_session_find_stream(session_, id))
    nghttp2_session_consume(session_, id, bytes);
  else
    nghttp2_session_consume_connection(session_, bytes);
  receiver_.on_output();
}

void Framing::forget(Stream& stream) {
  if (stream.id_ > 0) nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  for (Stream** at = &waiting_; *at; at = &(*at)->waiting_next_) {
    if (*at != &stream) continue;
    *at = stream.waiting_next_;
    break;
  }
}

void Framing::ping(PingReason reason) {
  const std::uint8_t data[8] = {static_cast<std::uint8_t>(reason)};
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, data);
  receiver_.on_output();
}

void Framing::announce_goaway() {
  nghttp2_submit_shutdown_notice(session_);
  receiver_.on_output();
}

void Framing::goaway() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_processed_id(), NGHTTP2_NO_ERROR, nullptr, 0);
  receiver_.on_output();
}

bool Framing::end(bool by_fault) {
  if (std::exchange(terminated_, true)) return false;
  if (by_fault) receiver_.on_fault();
  return true;
}

void Framing::terminate(ErrorCode code, std::string_view reason) {
  if (!end(code != ErrorCode::kNoError)) return;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_processed_id(), static_cast<std::uint32_t>(code),
                        reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size());
  receiver_.on_output();
}

void Framing::rest() {
  // The page of a table that has grown may be another session's by now: zero stays zero.
  if (page_) ZeroPages::rest(page_);
}

std::uint32_t Framing::remote_max_streams() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Framing::ids_left() const { return nghttp2_session_get_next_stream_id(session_) < 1u << 31; }

bool Framing::extended_connect() const {
  return limits_.extended_connect &&
         nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

std::int32_t Framing::last_processed_id() const { return nghttp2_session_get_last_proc_stream_id(session_); }

}  // namespace weft::http::h2
