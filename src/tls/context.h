#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

struct ssl_ctx_st;

namespace weft::tls {

/// What a server shows, and what it asks of its clients.
struct ServerOptions {
  std::string certificate_chain_pem, private_key_pem;  ///< the server's own certificate first
  /// When not empty: clients must show a certificate that leads to one of these.
  std::string client_roots_pem = {};
  std::vector<std::string> alpn = {};  ///< protocols in order of liking (RFC 7301); empty: none
};

/// What a client asks of its server, and what it shows.
struct ClientOptions {
  std::string roots_pem;  ///< the server's certificate must lead to one of these
  /// Any certificate will do, `roots_pem` stays empty: for probes, which ask whether a server responds, not
  /// who it is.
  bool trust_any_certificate = false;
  std::string server_name;  ///< a DNS name or an IP address that the certificate must have
  std::string certificate_chain_pem = {}, private_key_pem = {};  ///< empty: none is shown
  std::vector<std::string> alpn = {};
};

/// The settings of many connections. TLS 1.2 or 1.3, no renegotiation, no compression. Immutable; any thread.
class Context {
 public:
  /// Errors: kInvalid, with which of the texts is wrong and why.
  static Result<std::shared_ptr<const Context>> server(const ServerOptions& options);
  static Result<std::shared_ptr<const Context>> client(const ClientOptions& options);

  bool is_server() const { return server_; }
  const std::string& server_name() const { return server_name_; }
  ssl_ctx_st* get() const { return context_.get(); }
  /// In the form that the wire has: each with its length before it.
  const std::string& alpn_wire() const { return alpn_; }

 private:
  Context() = default;
  Result<void> use_certificate(const std::string& chain_pem, const std::string& key_pem);
  Result<void> trust(const std::string& roots_pem);
  Result<void> speak(const std::vector<std::string>& protocols);

  std::shared_ptr<ssl_ctx_st> context_;
  bool server_ = false;
  std::string server_name_, alpn_;
};

/// Gives the context that the next connection is to have: how a server goes on with a new certificate.
using ContextSource = std::function<std::shared_ptr<const Context>()>;

}  // namespace weft::tls
