#include "proxy/upstream/connector.h"

namespace weft::proxy {
namespace {

net::Task<Result<Connection>> connect_by_kernel(net::Loop& loop, net::Address to,
                                                net::ConnectOptions options) {
  WEFT_CO_TRY(std::unique_ptr<net::Socket> socket, co_await net::connect(loop, to, options));
  const net::Address local = socket->local_address();
  co_return Connection{std::move(socket), local};
}

}  // namespace

Connector kernel_connector(std::uint32_t mark) {
  return [mark](net::Loop& loop, net::Address to, net::ConnectOptions options) {
    options.mark = mark;
    return connect_by_kernel(loop, to, options);
  };
}

}  // namespace weft::proxy
