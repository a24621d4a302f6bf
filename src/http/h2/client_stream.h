#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "http/exchange.h"
#include "http/h2/head_reader.h"
#include "http/h2/stream.h"
#include "http/h2/tunnel.h"
#include "http/time_limit.h"

namespace weft::http::h2 {

/// One request over an HTTP/2 connection to a server, and its response. The stream begins with the head.
///
/// Owner: the connection, until finish(). Thread: one loop.
class ClientStream final : public Stream, public ClientExchange {
 public:
  /// What the stream wants of its connection.
  class Owner {
   public:
    virtual const Limits& limits() const = 0;
    virtual ResponseReader& reader() = 0;
    /// Whether the server's SETTINGS have come, which say what it can do.
    virtual bool settings_known() const = 0;
    /// Whether the server takes one more stream.
    virtual bool may_begin() const = 0;

   protected:
    ~Owner() = default;
  };

  ClientStream(net::Loop& loop, Framing& framing, Owner& owner, bool reused);

  void on_head_begins() override;
  bool on_field(std::string_view name, std::string_view value) override;
  void on_head(bool end) override;
  void on_malformed(const Rejection& rejection) override;
  /// The server's SETTINGS have come.
  void on_settings() { writing_.notify(); }
  /// The exchange is over for its owner: a stream that is not is reset.
  void end();

  net::Task<Result<void>> send_head(const RequestHead& head, bool end) override;
  net::Task<Result<void>> send_body(std::string_view data, bool end) override;
  net::Task<Result<void>> send_trailers(const Headers& trailers) override;
  net::Task<Result<void>> flush() override;
  /// What follows the head of a tunnel is not of the request.
  bool request_complete() const override { return local_ended() || (tunnels_ && id_ > 0); }
  net::Task<Result<void>> read_head(ResponseHead& into) override;
  bool response_complete() const override { return head_ == Head::kTaken && read_to_the_end(); }
  bool body_available() const override { return read_to_the_end() || readable(); }
  net::Task<Result<BodyChunk>> read_body() override;
  ServerExchange::Upgraded upgrade() override;
  void set_read_deadline(TimePoint when) override { reading_.set_deadline(when); }
  void set_write_limits(Duration standstill, TimePoint end) override {
    standstill_ = standstill;
    write_end_ = end;
    if (writing_.waiting()) limit_write();
  }
  void cancel() override;
  bool reused() const override { return reused_; }
  bool response_begun() const override { return head_ != Head::kNone; }
  std::string_view reset_code() const override { return name_of_reset(); }
  Taken taken() const override { return unprocessed() ? Taken::kNot : Taken::kPerhaps; }

  ClientStream* next = nullptr;  ///< in the connection's list
  ClientStream* previous = nullptr;

 private:
  /// Of the response: kNone ─ the first byte ─► kBegun ─ the final one, whole ─► kRead ─ by its owner ─►
  /// kTaken
  enum class Head : std::uint8_t { kNone, kBegun, kRead, kTaken };
  /// Why nothing more is to be expected, before the server has said so.
  enum class Stopped : std::uint8_t { kNo, kNotBegun, kCancelled };

  bool head_read() const { return head_ == Head::kRead || head_ == Head::kTaken; }
  bool unprocessed() const {
    return stopped_ == Stopped::kNotBegun || (closed() && code_ == ErrorCode::kRefusedStream);
  }
  Error failure(std::string_view doing) const;
  Result<void> count_body(std::size_t bytes, bool end);
  net::Task<Result<void>> wait_for_settings();
  net::Task<Result<void>> wait_until_sent();
  void limit_write() { writing_.set_deadline(std::min(after(loop_.now(), standstill_), write_end_)); }

  Owner& owner_;
  ResponseHead arriving_;
  std::vector<ResponseHead> interim_;  ///< that are not read yet
  std::unique_ptr<Tunnel> tunnel_owner_;
  std::string protocol_;  ///< of an extended CONNECT
  std::optional<std::uint64_t> length_left_;
  Duration standstill_{};  ///< that a write may take; zero: no limit
  TimePoint write_end_ = kNever;
  Rejection malformed_;
  unsigned pieces_ = 0, interims_ = 0;
  Head head_ = Head::kNone;
  Stopped stopped_ = Stopped::kNo;
  bool reused_, tunnels_ = false;
};

}  // namespace weft::http::h2
