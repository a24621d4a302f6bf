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

  /// The next piece of the body; nullopt: nothing is there, and more may come. What the piece before it held
  /// goes back to the peer's window.
  std::optional<BodyChunk> take_piece();
  bool readable() const { return !in_.empty() || remote_ended_; }
  bool read_to_the_end() const { return end_taken_; }
  void give_back();

  /// Lends `data` to the framing, which takes what the windows and the output have room for, at once. The
  /// rest stays lent until sent_all().
  void lend(std::string_view data, bool end);
  bool sent_all() const { return out_.empty() && (!out_ends_ || local_ended_); }
  /// Takes back what is lent when the one who lent it goes; a body that was cut so cannot go on.
  struct Loan {
    Stream& stream;
    ~Loan() {
      if (!stream.out_.empty()) stream.cut_ = true;
      stream.out_ = {};
    }
  };

  virtual void moved_in();   ///< there is more to read, or an end
  virtual void moved_out();  ///< what was lent has been taken, or never will be

  net::Loop& loop_;
  Framing& framing_;
  std::int32_t id_;
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
  bool remote_ended_ = false, end_taken_ = false, local_ended_ = false, closed_ = false, out_ends_ = false,
       cut_ = false, data_submitted_ = false, waits_for_room_ = false, resetting_ = false,
       fault_told_ = false;
};

}  // namespace weft::http::h2
