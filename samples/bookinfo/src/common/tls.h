#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <string>

namespace bookinfo {

using TlsStream = boost::asio::ssl::stream<boost::beast::tcp_stream>;

/// What calls over TLS share: TLS 1.2 or later, and trust in the certificate authorities of this machine, or
/// only in those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name when at least one is set. Where there are none,
/// every call fails.
boost::asio::ssl::context make_tls_client();

/// Names the host to the peer (SNI, RFC 6066 §3; never an IP address) and insists that the peer's certificate
/// is for it.
void expect_peer(TlsStream& stream, const std::string& host);

}  // namespace bookinfo
