#include "common/tls.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>

namespace bookinfo {

namespace ssl = boost::asio::ssl;

ssl::context make_tls_client() {
  ssl::context context(ssl::context::tls_client);
  ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  boost::system::error_code ignored;
  context.set_default_verify_paths(ignored);
  context.set_verify_mode(ssl::verify_peer, ignored);
  return context;
}

void expect_peer(TlsStream& stream, const std::string& host) {
  boost::system::error_code is_name;
  boost::asio::ip::make_address(host, is_name);
  if (is_name) ::SSL_set_tlsext_host_name(stream.native_handle(), host.c_str());
  boost::system::error_code ignored;
  stream.set_verify_callback(ssl::host_name_verification(host), ignored);
}

}  // namespace bookinfo
