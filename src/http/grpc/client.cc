#include "http/grpc/client.h"

#include "http/grpc/session.h"

namespace weft::http::grpc {
namespace {

class SessionClient final : public Client {
 public:
  explicit SessionClient(std::unique_ptr<net::Stream> transport) : session_(std::move(transport), {}) {
    tasks_.spawn(session_.run());
  }
  std::unique_ptr<MessageStream> open(std::string_view path, std::string_view authority) override {
    return session_.open(path, authority);
  }

 private:
  Session session_;
  net::TaskScope tasks_;
};

}  // namespace

net::Task<Result<std::unique_ptr<Client>>> Client::connect(net::Loop& loop, net::Address to,
                                                           TimePoint deadline, std::uint32_t mark) {
  WEFT_CO_TRY(auto socket,
              co_await net::connect(loop, to, {.deadline = deadline, .bind_source = {}, .mark = mark}));
  co_return over(std::move(socket));
}

std::unique_ptr<Client> Client::over(std::unique_ptr<net::Stream> transport) {
  return std::make_unique<SessionClient>(std::move(transport));
}

}  // namespace weft::http::grpc
