#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.h"
#include "http/h2/framing.h"
#include "http/h2/wait.h"

namespace weft::http::h2 {

class Tunnel;

/// What both sides of a stream have in common: the body that comes, as far as its window lets it and until
/// it is read; the body that goes, borrowed from its sender; and the two places to wait.
///
/// Owner: a connection. Thread: one loop. The on_… functions are called from inside Framing and only note
/// what has happened: waiting coroutines are resumed from the loop.
class Stream {
 public:
  Stream(net::Loop& loop, Framing& framing, std::int32_t id);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream();

  std::int32_t id() const { return id_; }
  net::Loop& loop() const { return loop_; }

  /// A head begins, or a trailer section.
  virtual void on_head_begins() = 0;
  /// False: the list is far beyond its limits, and so is the peer.
  virtual bool on_field(std::string_view name, std::string_view value) = 0;
  virtual void on_head(bool end) = 0;
  void on_data(std::string_view bytes);
  void on_end();
  /// The peer broke a rule of messages; the stream is being reset for it.
  virtual void on_malformed(const Rejection& rejection) = 0;
  /// The stream is over: in order, or as the code says, which is the peer's or our own.
  virtual void on_closed(ErrorCode code);
  /// The connection is over, and the stream with it.
  void on_lost(net::IoError how);

 protected:
  friend class Framing;
  friend class Tunnel;

  /// kOpen ─ the peer, in order or by RST_STREAM ─► kClosed
  ///   └──── RST_STREAM of ours ─► kResetting ─ it is packed ─► kReset
  enum class Life : std::uint8_t { kOpen, kResetting, kReset, kClosed };
  /// What the peer sends: kOpen ─ its END_STREAM ─► kEnded ─ the last piece is taken ─► kTaken
  enum class Incoming : std::uint8_t { kOpen, kEnded, kTaken };
  /// What is sent: kOpen ─ the last piece is lent ─► kEnding ─ END_STREAM is packed ─► kEnded
  ///                 └── what is lent is taken back ──┴─► kCut
  enum class Outgoing : std::uint8_t { kOpen, kEnding, kEnded, kCut };
  /// Whether nghttp2 asks for data: kIdle ─ there is some ─► kOffered ⇄ kWaitsForRoom in the output
  enum class Source : std::uint8_t { kIdle, kOffered, kWaitsForRoom };

  /// See ServerExchange::reset_code().
  std::string_view name_of_reset() const {
    return code_ == ErrorCode::kNoError ? std::string_view() : to_string(code_);
  }
  bool closed() const { return life_ == Life::kClosed || life_ == Life::kReset; }
  bool reset_by_us() const { return life_ == Life::kResetting || life_ == Life::kReset; }
  bool remote_ended() const { return incoming_ != Incoming::kOpen; }
  bool local_ended() const { return outgoing_ == Outgoing::kEnded; }

  /// The next piece of the body; nullopt: nothing is there, and more may come. What the piece before it held
  /// goes back to the peer's window.
  std::optional<BodyChunk> take_piece();
  bool readable() const { return !in_.empty() || remote_ended(); }
  bool read_to_the_end() const { return incoming_ == Incoming::kTaken; }
  void give_back();
  /// Its reader is done with the piece, and reads no other at once.
  void drop_piece();

  /// Lends `data` to the framing, which takes what the windows and the output have room for, at once. The
  /// rest stays lent until sent_all().
  void lend(std::string_view data, bool end);
  bool sent_all() const { return out_.empty() && outgoing_ != Outgoing::kEnding; }
  /// Takes back what is lent when the one who lent it goes; a body that was cut so cannot go on.
  struct Loan {
    Stream& stream;
    ~Loan() {
      if (!stream.out_.empty()) stream.outgoing_ = Outgoing::kCut;
      stream.out_ = {};
    }
  };

  virtual void moved_in();   ///< there is more to read, or an end
  virtual void moved_out();  ///< what was lent has been taken, or never will be

  net::Loop& loop_;
  Framing& framing_;
  std::int32_t id_;
  const TimePoint begun_;
  Wait reading_, writing_;
  Tunnel* tunnel_ = nullptr;
  Stream* waiting_next_ = nullptr;  ///< in Framing: those whose data waits for room
  std::string in_, piece_;
  std::string_view out_;
  std::unique_ptr<Headers> trailers_;  ///< that have come
  std::size_t unreturned_ = 0;         ///< of piece_, that the peer's window does not have back yet
  std::uint64_t received_ = 0, sent_ = 0;
  ErrorCode code_ = ErrorCode::kNoError;
  net::IoError lost_ = net::IoError::kNone;
  Life life_ = Life::kOpen;
  Incoming incoming_ = Incoming::kOpen;
  Outgoing outgoing_ = Outgoing::kOpen;
  Source source_ = Source::kIdle;
  bool fault_told_ = false;
};

}  // namespace weft::http::h2
