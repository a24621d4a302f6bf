#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/h2/closed_streams.h"
#include "http/h2/error_code.h"
#include "http/h2/flood_guard.h"
#include "http/h2/own_heads.h"
#include "http/server_session.h"

namespace weft::http::h2 {

class Stream;

/// What a PING was sent for; it comes back with the acknowledgement.
enum class PingReason : std::uint8_t { kKeepAlive, kDrain };

/// HTTP/2 as a function of bytes: frames, HPACK, windows and the states of streams by nghttp2, within the
/// limits. Pure: what is to be sent is collected in output() until the owner takes it.
///
/// Owner: one connection. Thread: one loop. Streams are the owner's; each is forgotten, by forget(), before
/// it is destroyed. Nothing may be resumed, sent or destroyed from what feed() and pump() call.
class Framing {
 public:
  enum class Role : std::uint8_t { kServer, kClient };
  /// What the connection is told from inside feed() and pump().
  class Receiver {
   public:
    /// Server: a request's head begins. Null: the stream is rejected (REFUSED_STREAM).
    virtual Stream* on_request_begins(std::int32_t id) = 0;
    virtual void on_settings() = 0;
    virtual void on_settings_ack() = 0;
    virtual void on_ping_ack(PingReason reason) = 0;
    virtual void on_goaway(std::int32_t last_id, ErrorCode code) = 0;
    /// The connection ends for what the peer has done, or has not in its time. Also from outside of feed().
    virtual void on_fault() {}
    /// Something waits to be sent: pump(), soon, and write. Also from outside of feed() and pump().
    virtual void on_output() = 0;

   protected:
    ~Receiver() = default;
  };

  Framing(Role role, Receiver& receiver, const Http2Limits& limits, const Limits& heads, TimePoint now);
  Framing(const Framing&) = delete;
  Framing& operator=(const Framing&) = delete;
  ~Framing();

  /// Bytes from the peer; how many were taken. Those that are left are fed again after others had a turn:
  /// what came before refers to many large fields, each of which is looked at as a whole every time.
  std::size_t feed(std::string_view bytes, TimePoint now);
  /// What was fed last took about as long as so many small frames. A byte of a head may stand for a whole
  /// field (RFC 7541 §6.1), so 8 of them count as one.
  std::size_t cost_fed() const { return cost_fed_; }
  /// Packs into output() whatever may be sent now: heads at once, data while the output has room. Inside
  /// feed() it waits for the end of that.
  void pump();
  std::string_view output() const { return std::string_view(output_).substr(taken_); }
  /// So many bytes of output() have left.
  void sent(std::size_t bytes);
  /// Whether data should wait until some of the output has left.
  bool full() const { return output_.size() - taken_ >= limits_.max_output; }
  /// More than data can have brought: what the peer causes and does not read. That is acknowledgements and,
  /// of a server, heads; the heads of a client's requests are nothing that its server asked for.
  bool crowded() const { return output_.size() - taken_ - own_heads_.waiting() >= 4 * kMaxOutput; }

  /// A head of an open stream; `stream` without an id becomes a new one (client). The fields are used before
  /// this returns. False: it cannot be sent any more.
  bool send_head(Stream& stream, std::span<const nghttp2_nv> fields, bool end);
  /// The stream has something to send, or an end.
  void push(Stream& stream);
  void reset(Stream& stream, ErrorCode code);
  void reset(std::int32_t id, ErrorCode code);
  /// The owner of the stream has read so many bytes: the peer may send as many more.
  void consume(const Stream& stream, std::size_t bytes);
  /// Bytes that came for a stream that is not read any more.
  void consume_unread(std::int32_t id, std::size_t bytes);
  void forget(Stream& stream);
  void ping(PingReason reason);
  /// RFC 9113 §6.8: the first of two GOAWAYs, which names no stream.
  void announce_goaway();
  /// The last one: streams above the last that has come are not processed.
  void goaway();
  /// Ends the connection for a reason that the peer is told. What follows from it is not looked at.
  void terminate(ErrorCode code, std::string_view reason);
  /// Nothing more is read: after terminate(), after a fault that nghttp2 has ended the session for, or when
  /// one side has said GOAWAY and no stream is left.
  bool over() const { return terminated_ || over_; }

  /// Nothing is to be expected soon, and no stream is there.
  void rest();

  /// Streams that the client side may have open now.
  std::uint32_t remote_max_streams() const;
  std::uint32_t kept_buffer() const { return limits_.kept_buffer; }
  bool ids_left() const;
  /// Client: RFC 8441 is offered, and to be used.
  bool extended_connect() const;
  /// Between the first byte of a head, or of trailers, and its last.
  bool in_head() const { return head_of_ != 0; }
  /// When that began.
  TimePoint head_since() const { return head_since_; }

 private:
  struct Callbacks;
  std::int32_t last_processed_id() const;
  void open(Role role);
  void submit_settings(Role role);
  void take(std::string_view bytes);
  bool check_frame();
  void note_frame(std::uint8_t type, std::uint8_t flags, std::int32_t id);
  void note_reset(const Stream* stream);
  void note_reset_by_peer(std::int32_t id);
  void note_reset_sent(std::int32_t id, ErrorCode code);
  void take_fault(const nghttp2_frame& frame, int fault);
  void calm(bool beyond, std::string_view reason) {
    if (beyond) terminate(ErrorCode::kEnhanceYourCalm, reason);
  }
  /// The requests of many go over it, and one of which nothing is read must not hold up the others: their
  /// streams' windows alone bound what is taken (docs/decisions/0094).
  bool shares_connection() const { return role_ == Role::kClient || limits_.of_many; }
  void reserve_output();
  void resume_waiting();
  bool may_ignore(std::size_t field);
  /// False: it was over already.
  bool end(bool by_fault);

  static constexpr std::size_t kMaxOutput = 64 * 1024;

  Receiver& receiver_;
  const Http2Limits& limits_;
  const Limits& heads_;
  Role role_;
  nghttp2_session* session_ = nullptr;
  void* page_ = nullptr;  ///< of the session, see session_memory.h
  std::size_t cost_fed_ = 0, fields_fed_ = 0, unowned_fields_ = 0;
  FloodGuard flood_;
  ClosedStreams closed_;
  TimePoint now_, head_since_;
  std::string output_;
  std::size_t taken_ = 0;
  OwnHeads own_heads_;        ///< in the output of a client
  std::array<char, 9> head_;  ///< of the frame that comes, as far as it is there
  std::size_t head_size_ = 0, payload_left_ = 0;
  std::int32_t head_of_ = 0;
  Stream* waiting_ = nullptr;  ///< streams whose data waits for room in the output
  std::int32_t head_not_sent_ = 0;
  bool terminated_ = false, over_ = false, feeding_ = false, of_a_head_ = false,
       failed_ = false;  ///< nghttp2 cannot go on
};

}  // namespace weft::http::h2
