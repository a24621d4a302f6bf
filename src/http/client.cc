#include "http/client.h"

#include <algorithm>

#include "http/h1/client_connection.h"
#include "net/socket.h"
#include "tls/stream.h"

namespace weft::http {
namespace {

class SocketCall final : public Call {
 public:
  SocketCall(std::unique_ptr<net::Stream> stream)
      : connection_(std::move(stream)), exchange_(connection_.start()) {}

  net::Task<Result<void>> begin(Request request) {
    RequestHead head;
    head.method = std::move(request.method);
    head.path = std::move(request.path);
    head.authority = std::move(request.authority);
    head.headers = std::move(request.headers);
    const bool usual = head.method == "POST" || head.method == "PUT" || head.method == "PATCH";
    if (!request.body.empty() || usual) head.content_length = request.body.size();
    WEFT_CO_CHECK(co_await exchange_.send_head(head, request.body.empty()));
    if (!request.body.empty()) WEFT_CO_CHECK(co_await exchange_.send_body(request.body, true));
    do {
      WEFT_CO_CHECK(co_await exchange_.read_head(head_));
    } while (head_.status < 200);
    co_return Result<void>{};
  }

  const ResponseHead& head() const override { return head_; }
  net::Task<Result<BodyChunk>> read() override { return exchange_.read_body(); }
  void set_deadline(TimePoint deadline) override {
    connection_.stream().set_read_deadline(deadline);
    connection_.stream().set_write_deadline(deadline);
  }

  h1::ClientConnection connection_;
  ClientExchange& exchange_;
  ResponseHead head_;
};

}  // namespace

net::Task<Result<std::unique_ptr<Call>>> Call::open(net::Loop& loop, net::Address to, Request request,
                                                    FetchOptions options) {
  const TimePoint connect_deadline = std::min(options.deadline, options.connect_deadline);
  WEFT_CO_TRY(auto socket, co_await net::connect(loop, to,
                                                 {.deadline = connect_deadline,
                                                  .bind_source = options.bind_source,
                                                  .mark = options.mark,
                                                  .keepalive = options.keepalive}));
  std::unique_ptr<net::Stream> stream;
  if (options.tls) {
    WEFT_CO_TRY(stream, co_await tls::handshake(std::move(socket), options.tls, connect_deadline));
  } else {
    stream = std::move(socket);
  }
  auto call = std::make_unique<SocketCall>(std::move(stream));
  call->set_deadline(options.deadline);
  WEFT_CO_CHECK(co_await call->begin(std::move(request)));
  co_return std::unique_ptr<Call>(std::move(call));
}

net::Task<Result<Response>> fetch(net::Loop& loop, net::Address to, Request request, FetchOptions options) {
  WEFT_CO_TRY(auto call, co_await Call::open(loop, to, std::move(request), options));
  Response response;
  response.head = call->head();
  for (;;) {
    WEFT_CO_TRY(const BodyChunk chunk, co_await call->read());
    if (response.body.size() + chunk.data.size() > options.max_body)
      co_return fail(
          Error::upstream(Code::kTooLarge, Retry::kNever,
                          "the response is larger than " + std::to_string(options.max_body) + " bytes"));
    response.body.append(chunk.data);
    if (chunk.end) co_return response;
  }
}

}  // namespace weft::http
