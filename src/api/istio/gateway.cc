#include "api/istio/gateway.h"

#include <array>

namespace weft::api::istio {
namespace {

constexpr std::array<Word<Server::Protocol>, 5> kProtocols = {{{"HTTP", Server::Protocol::kHttp},
                                                               {"HTTP2", Server::Protocol::kHttp2},
                                                               {"GRPC", Server::Protocol::kGrpc},
                                                               {"GRPC-WEB", Server::Protocol::kGrpcWeb},
                                                               {"TCP", Server::Protocol::kTcp}}};

Server read_server(const Json& from, std::size_t index) {
  Fields fields(from);
  Server made;
  made.where = Place().at(List::kServers, index);
  if (const Json* port = fields.map("port")) {
    Fields parts(*port);
    made.port = parts.port("number");
    made.protocol = parts.word("protocol", kProtocols).value_or(Server::Protocol::kOther);
  }
  made.hosts = fields.texts("hosts");
  return made;
}

}  // namespace

Gateway read_gateway(const Json& spec) {
  Fields fields(spec);
  return {.selector = fields.labels("selector"), .servers = fields.list("servers", read_server)};
}

}  // namespace weft::api::istio
