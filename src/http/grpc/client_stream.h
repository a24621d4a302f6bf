#pragma once

#include <memory>
#include <string>

#include "http/grpc/session_stream.h"
#include "http/h2/client_connection.h"

namespace weft::http::grpc {

/// A call as its client sees it; it begins with the object.
///
/// Owner: see MessageStream. The connection lives as long as it has calls.
class ClientStream final : public SessionStream {
 public:
  ClientStream(std::shared_ptr<h2::ClientConnection> connection, RequestHead head, std::size_t max_message);
  ~ClientStream() override;

  void finish(int, std::string_view) override { finish_sending(); }

 private:
  net::Task<void> send(RequestHead head);
  net::Task<Result<BodyChunk>> read_piece() override;
  net::Task<Result<void>> send_piece(std::string_view bytes) override {
    return exchange_->send_body(bytes, false);
  }
  net::Task<Result<void>> send_end() override { return exchange_->send_body({}, true); }
  void on_trailers(const Headers& trailers) override { take_status(trailers); }
  bool ended_well() const override { return status_ == kOk && http_status_ == 200; }
  std::optional<Error> told() const override;
  std::string_view reset_code() const override;
  void take_status(const Headers& fields);

  std::shared_ptr<h2::ClientConnection> connection_;
  ClientExchange* exchange_ = nullptr;  ///< null: the connection takes no more calls
  bool head_read_ = false;
  int http_status_ = 200, status_ = -1;
  std::string status_message_;
};

}  // namespace weft::http::grpc
