#pragma once

#include <vector>

#include "http/h2/connection.h"
#include "http/h2/head_reader.h"
#include "http/h2/server_stream.h"
#include "http/server_session.h"

namespace weft::http::h2 {

/// One HTTP/2 connection from a client that begins with its preface (RFC 9113 §3.3). Each request is served
/// by a coroutine of its own; a body that is not read stops at its stream's window, and holds up no other.
///
/// What breaks a rule of the connection ends it, what breaks a rule of a message resets its stream, and what
/// is only not accepted gets a local reply (docs/bad-input.md, rows G and H).
///
/// Owner: the one that accepted the stream, which must outlive this. Thread: one loop.
/// How it ends: serve() returns; or its task is destroyed, and every exchange with it.
class ServerConnection final : public ServerSession, private Connection, private ServerStream::Owner {
 public:
  ServerConnection(net::Stream& stream, const ServerSessionOptions& options, Observer* observer = nullptr);
  ~ServerConnection() override;

  net::Task<void> serve(const Handler& handler) override;
  void drain() override;
  void end_with_next_response() override;
  void follow_options() override { arm_clock(); }
  bool is_idle() const override { return active_ == 0; }
  TimePoint idle_since() const override { return idle_since_; }

 private:
  /// kNo ─ GOAWAY that names no stream ─► kAnnounced ─ the client has seen it ─► kFinal ─ no request ─► the
  /// end
  enum class Drain : std::uint8_t { kNo, kAnnounced, kFinal };

  const ServerSessionOptions& options() const override { return options_; }
  RequestReader& reader() override { return reader_; }
  void on_head_read(ServerStream& stream) override { begun_.push_back(&stream); }
  void on_body_rejected(const Rejection& rejection) override;

  Stream* on_request_begins(std::int32_t id) override;
  void on_goaway(std::int32_t, ErrorCode) override {}
  void on_fault() override;
  void on_ping_ack(PingReason reason) override;
  bool on_fed() override;
  TimePoint next_due() const override;
  void on_time(TimePoint now) override;
  Duration write_timeout() const override {
    return limits_.write_timeout.count() ? limits_.write_timeout : options_.body_timeout;
  }

  bool begin(ServerStream& stream);
  net::Task<void> run(ServerStream& stream);
  net::Task<void> reject(ServerStream& stream);
  void remove(ServerStream& stream);
  void begin_drain();
  void end_drain();
  TimePoint idle_due() const;

  const ServerSessionOptions& options_;
  Observer* observer_;
  const Handler* handler_ = nullptr;
  net::TaskScope* tasks_ = nullptr;
  RequestReader reader_;
  std::vector<ServerStream*> begun_;  ///< whose heads have come and are to be looked at
  ServerStream* streams_ = nullptr;
  std::uint32_t active_ = 0, requests_ = 0;
  TimePoint idle_since_, drain_due_ = kNever;
  TimePoint rest_due_ = kNever;  ///< without a request until then, memory of their streams is given back
  Drain drain_ = Drain::kNo;
};

}  // namespace weft::http::h2
