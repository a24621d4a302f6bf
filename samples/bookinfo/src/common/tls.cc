#include "common/tls.h"

#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <cstdlib>

namespace bookinfo {

namespace ssl = boost::asio::ssl;

namespace {

/// Reading the file of all authorities takes 20 ms and 4 MB, so it is left out where the directory serves, in
/// which OpenSSL looks up only the one it needs.
void trust_authorities(ssl::context& context) {
  const char* directory = std::getenv(::X509_get_default_cert_dir_env());
  const bool names_directory = directory != nullptr;
  const bool names_file = std::getenv(::X509_get_default_cert_file_env()) != nullptr;
  if (!names_directory) directory = ::X509_get_default_cert_dir();
  const bool has_directory = ::access(directory, R_OK | X_OK) == 0;
  // Who names authorities means those and no others.
  if (names_directory || !names_file) ::SSL_CTX_set_default_verify_dir(context.native_handle());
  if (names_file || (!names_directory && !has_directory)) {
    ::SSL_CTX_set_default_verify_file(context.native_handle());
  }
}

}  // namespace

ssl::context make_tls_client() {
  ssl::context context(ssl::context::tls_client);
  ::SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  trust_authorities(context);
  boost::system::error_code ignored;
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
