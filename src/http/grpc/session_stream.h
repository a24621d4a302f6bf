#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange.h"
#include "http/grpc/incoming.h"
#include "http/grpc/outgoing.h"
#include "http/grpc/stream.h"
#include "net/signal.h"

namespace weft::http::grpc {

/// What both sides of a call have in common: messages over the pieces of an exchange's bodies. What is read
/// is pulled by its reader; what is written waits here until the peer has room for it.
///
/// Owner, thread: see MessageStream. Bytes leave by a task of the stream's own, which those who derive from
/// this start, and end before what it sends with goes.
class SessionStream : public MessageStream {
 public:
  net::Task<Result<std::string>> read() final;
  net::Task<Result<void>> write_parts(std::string_view first,
                                      std::shared_ptr<const std::string> second) final;

 protected:
  SessionStream(net::Loop& loop, std::size_t max_message, Blame peer);

  /// The next piece of what the peer sends.
  virtual net::Task<Result<BodyChunk>> read_piece() = 0;
  virtual net::Task<Result<void>> send_piece(std::string_view bytes) = 0;
  /// What finish() said.
  virtual net::Task<Result<void>> send_end() = 0;
  virtual void on_trailers(const Headers&) {}
  /// Whether an end of the peer's is in order.
  virtual bool ended_well() const { return true; }
  /// Why the call has failed, as the peer says it.
  virtual std::optional<Error> told() const { return std::nullopt; }
  /// See ServerExchange.
  virtual std::string_view reset_code() const = 0;

  /// Sends what is written, until it has sent the end, or cannot.
  net::Task<void> send_all();
  void finish_sending();
  bool finished() const { return finished_; }
  /// Nothing goes any more.
  void sending_failed();
  /// And nothing comes.
  void failed();

  const Blame blame_;
  net::TaskScope sending_;

 private:
  net::Task<Result<void>> send_in_order();
  Error end_error() const;

  Incoming in_;
  Outgoing out_;
  bool remote_ended_ = false, reading_failed_ = false, sending_failed_ = false, finished_ = false;
  net::Signal more_;  ///< the sender, while there is nothing to send
  net::Signal room_;  ///< a writer, while there is enough of it
};

}  // namespace weft::http::grpc
