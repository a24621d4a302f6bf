#pragma once

#include <string>

#include "http/grpc/session_stream.h"

namespace weft::http::grpc {

/// A call as its server sees it. Owner: Session, for as long as there is the exchange.
class ServerStream final : public SessionStream {
 public:
  ServerStream(ServerExchange& exchange, net::Loop& loop, std::size_t max_message);
  ~ServerStream() override;

  void finish(int status, std::string_view message) override;
  /// Resumes when what finish() said has been sent, or cannot be.
  net::TaskScope::JoinAwaiter drained() { return sending_.join(); }

 private:
  net::Task<Result<BodyChunk>> read_piece() override { return exchange_.read_body(); }
  net::Task<Result<void>> send_piece(std::string_view bytes) override;
  net::Task<Result<void>> send_end() override;
  std::string_view reset_code() const override { return exchange_.reset_code(); }
  ResponseHead& head();

  ServerExchange& exchange_;
  int status_ = kOk;
  std::string message_;
};

}  // namespace weft::http::grpc
