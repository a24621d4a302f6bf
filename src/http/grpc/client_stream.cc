#include "http/grpc/client_stream.h"

#include <charconv>
#include <utility>

#include "http/server.h"

namespace weft::http::grpc {
namespace {

/// grpc-message is percent-encoded, and a plus in it is a plus.
std::string decode_message(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '+')
      escaped += "%2B";
    else
      escaped += c;
  }
  return percent_decode(escaped);
}

}  // namespace

ClientStream::ClientStream(std::shared_ptr<h2::ClientConnection> connection, RequestHead head,
                           std::size_t max_message)
    : SessionStream(connection->stream().loop(), max_message, Blame::kUpstream),
      connection_(std::move(connection)) {
  if (connection_->capacity() == 0) {
    failed();
    return;
  }
  exchange_ = &connection_->start();
  sending_.spawn(send(std::move(head)));
}

ClientStream::~ClientStream() {
  sending_.cancel_all();
  if (exchange_) connection_->finish(*exchange_);
}

net::Task<void> ClientStream::send(RequestHead head) {
  if (!co_await exchange_->send_head(head, false)) co_return failed();
  co_await send_all();
}

net::Task<Result<BodyChunk>> ClientStream::read_piece() {
  while (!head_read_) {
    ResponseHead head;
    WEFT_CO_CHECK(co_await exchange_->read_head(head));
    if (head.status < 200) continue;
    head_read_ = true;
    http_status_ = head.status;
    take_status(head.headers);
  }
  // A body of anything else has no messages in it.
  if (http_status_ != 200) co_return fail(*told());
  co_return co_await exchange_->read_body();
}

void ClientStream::take_status(const Headers& fields) {
  if (const auto status = fields.get("grpc-status"))
    std::from_chars(status->data(), status->data() + status->size(), status_);
  if (const auto message = fields.get("grpc-message")) status_message_ = decode_message(*message);
}

std::optional<Error> ClientStream::told() const {
  if (status_ > 0) {
    const Code code = status_ == kPermissionDenied ? Code::kDenied
                      : status_ == kUnimplemented  ? Code::kUnsupported
                                                   : Code::kUnavailable;
    return Error{code, blame_, Retry::kNever,
                 "grpc-status " + std::to_string(status_) + ": " + status_message_};
  }
  if (http_status_ != 200)
    return Error{Code::kUnavailable, blame_, Retry::kNever, "HTTP status " + std::to_string(http_status_)};
  return std::nullopt;
}

std::string_view ClientStream::reset_code() const {
  return exchange_ ? exchange_->reset_code() : std::string_view();
}

}  // namespace weft::http::grpc
