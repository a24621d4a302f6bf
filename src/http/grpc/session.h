#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/grpc/outgoing.h"
#include "http/grpc/stream.h"
#include "http/message.h"
#include "net/signal.h"
#include "net/stream.h"

struct nghttp2_session;

namespace weft::http::grpc {

class Session;

/// A call inside a session.
class SessionStream final : public MessageStream {
 public:
  SessionStream(Session& session, std::int32_t id, bool client);
  ~SessionStream() override;

  net::Task<Result<std::string>> read() override;
  net::Task<Result<void>> write_parts(std::string_view first,
                                      std::shared_ptr<const std::string> second) override;
  void finish(int status, std::string_view message) override;
  /// Server: resumes when what finish() said has been sent, or the call is over anyway.
  net::Task<void> drained();

 private:
  friend class Session;
  /// A whole message at the front of what was received; its size with the five bytes before it, or 0.
  std::size_t whole_message() const;
  std::string take_in(std::size_t size);
  Result<void> check_prefix() const;
  Error end_error() const;

  Session* session_;
  std::int32_t id_;
  bool client_;
  bool headers_sent_ = false, finished_ = false, remote_ended_ = false, closed_ = false,
       trailers_sent_ = false;
  int http_status_ = 200, status_ = -1;
  std::uint32_t reset_code_ = 0;
  std::string status_message_;
  std::string in_;
  Outgoing out_;
  std::size_t unconsumed_ = 0;  ///< received bytes that the peer's window does not have back yet
  net::Signal readable_, writable_;
};

/// What a session takes from its peer, and how long it bears its silence.
struct SessionLimits {
  std::size_t max_message = 32 * 1024 * 1024;  ///< bytes; a longer message ends its call with kTooLarge
  std::size_t max_header_bytes = 32 * 1024;    ///< of a decoded list: names, values and 32 for each (RFC 9113
                                               ///< §6.5.2); more ends the session, as do the next two
  std::size_t max_header_fields = 100;
  std::size_t max_idle_frames = 5000;  ///< in 10 s, of those that carry no data: PING, SETTINGS, RST_STREAM,
                                       ///< CONTINUATION, empty ones of every type (§10.5)
  std::uint32_t max_streams = 100;     ///< calls at the same time that the peer may open
  std::uint32_t stream_window = 1024 * 1024;  ///< bytes of a call that are taken before they are read
  std::int32_t connection_window = 4 * 1024 * 1024;
  Duration ping_after = 30s;     ///< of silence the peer is asked by a PING
  Duration ping_timeout = 15s;   ///< silence after a PING ends the session
  Duration write_timeout = 60s;  ///< a peer that takes no byte for so long ends the session
  /// For a server that strangers may connect to: what a call may hold before it is known who it is fits
  /// into one small window.
  static SessionLimits for_server();
};

/// HTTP/2 over one stream by nghttp2, for gRPC only: both sides' sessions.
///
/// Owner: Client, or the server's connection. Thread: one loop. Nothing is resumed from inside nghttp2:
/// callbacks note what has happened, and those who wait are woken after.
class Session {
 public:
  /// What a client says at the beginning of a call.
  struct Opening {
    std::string path;
    Headers metadata;
  };
  /// Called for each new call on a server; the callee takes ownership.
  using Accept = std::function<void(std::unique_ptr<SessionStream>, Opening)>;
  /// `accept` empty: a client.
  Session(std::unique_ptr<net::Stream> transport, Accept accept, SessionLimits limits = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Runs until the connection ends.
  net::Task<void> run();
  std::unique_ptr<SessionStream> open(std::string_view path, std::string_view authority,
                                      const Headers& metadata = {});
  bool broken() const { return broken_; }
  /// Calls that have not ended.
  std::size_t calls() const { return streams_.size(); }

 private:
  friend class SessionStream;
  struct Callbacks;
  net::Task<Result<void>> read_all();
  net::Task<Result<void>> write_all();
  net::Task<Result<void>> keep_alive();
  void make_session();
  void note_frame(bool carries_data);
  bool take_field(std::size_t bytes);
  void end_for(const char* reason);
  void send_headers(SessionStream& stream, const std::vector<std::pair<std::string, std::string>>& fields,
                    bool end);
  void send_trailers(SessionStream& stream);
  void resume_data(SessionStream& stream);
  void give_window_back(SessionStream& stream);
  void cancel(SessionStream& stream);
  void wake();
  void fail_all();
  void kick() { write_signal_.notify(); }
  net::Loop& loop() const { return transport_->loop(); }

  std::unique_ptr<net::Stream> transport_;
  Accept accept_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, SessionStream*> streams_;
  std::map<std::int32_t, Opening> opening_;  ///< calls whose head is not complete
  std::deque<std::pair<std::unique_ptr<SessionStream>, Opening>> accepted_;
  std::vector<std::int32_t> to_wake_;
  bool broken_ = false;
  const char* ended_for_ = nullptr;  ///< which rule the peer broke; nothing more is taken from it
  SessionLimits limits_;
  std::size_t header_bytes_ = 0, header_fields_ = 0;  ///< of the list that is being decoded
  std::size_t idle_frames_ = 0;
  TimePoint idle_frames_since_, heard_at_;
  net::Signal write_signal_;
};

}  // namespace weft::http::grpc
