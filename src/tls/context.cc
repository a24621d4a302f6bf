#include "tls/context.h"

#include "tls/openssl.h"

namespace weft::tls {
namespace {

std::unexpected<Error> invalid(const std::string& what) {
  return fail(Error::config(Code::kInvalid, what + ": " + last_reason()));
}

/// Every certificate of a PEM text. Empty: there is none, or one is broken.
std::vector<X509Ptr> certificates_of(const std::string& pem) {
  std::vector<X509Ptr> all;
  const BioPtr reader = reader_of(pem);
  while (X509* each = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr)) all.emplace_back(each);
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!ended) return {};
  ERR_clear_error();
  return all;
}

/// Called by OpenSSL with what the client offers; takes the first of ours that it has.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void* context) {
  const std::string& ours = static_cast<const Context*>(context)->alpn_wire();
  unsigned char* found = nullptr;
  const int outcome = SSL_select_next_proto(&found, size, reinterpret_cast<const unsigned char*>(ours.data()),
                                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = found;
  return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<void> Context::use_certificate(const std::string& chain_pem, const std::string& key_pem) {
  const auto chain = certificates_of(chain_pem);
  if (chain.empty()) return invalid("the certificate chain is not PEM");
  const BioPtr reader = reader_of(key_pem);
  const KeyPtr key(
      PEM_read_bio_PrivateKey(reader.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  if (!key) return invalid("the private key is not PEM without a passphrase");
  if (SSL_CTX_use_certificate(context_.get(), chain[0].get()) != 1)
    return invalid("the certificate cannot be used");
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context_.get(), chain[i].get()) != 1)
      return invalid("the certificate chain cannot be used");
  if (SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
    return invalid("the private key does not belong to the certificate");
  return {};
}

Result<void> Context::trust(const std::string& roots_pem) {
  const auto roots = certificates_of(roots_pem);
  if (roots.empty()) return invalid("the root certificates are not PEM");
  X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
  for (const X509Ptr& root : roots)
    if (X509_STORE_add_cert(store, root.get()) != 1) return invalid("a root certificate cannot be used");
  return {};
}

Result<void> Context::speak(const std::vector<std::string>& protocols) {
  for (const std::string& each : protocols) {
    if (each.empty() || each.size() > 255)
      return fail(Error::config(Code::kInvalid, "ALPN protocol \"" + each + "\" must have 1 to 255 bytes"));
    (alpn_ += static_cast<char>(each.size())) += each;
  }
  if (alpn_.empty()) return {};
  if (server_)
    SSL_CTX_set_alpn_select_cb(context_.get(), choose_protocol, this);
  else if (SSL_CTX_set_alpn_protos(context_.get(), reinterpret_cast<const unsigned char*>(alpn_.data()),
                                   static_cast<unsigned>(alpn_.size())) != 0)
    return invalid("ALPN");
  return {};
}

Result<std::shared_ptr<const Context>> Context::server(const ServerOptions& options) {
  std::shared_ptr<Context> made(new Context);
  made->server_ = true;
  made->context_.reset(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX_set_min_proto_version(made->context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(made->context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(made->context_.get(), SSL_MODE_RELEASE_BUFFERS);
  // Sessions would have to name a context to be resumed with client certificates; a handshake is cheap.
  SSL_CTX_set_session_cache_mode(made->context_.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(made->context_.get(), 0);
  WEFT_CHECK(made->use_certificate(options.certificate_chain_pem, options.private_key_pem));
  WEFT_CHECK(made->speak(options.alpn));
  if (!options.client_roots_pem.empty()) {
    WEFT_CHECK(made->trust(options.client_roots_pem));
    SSL_CTX_set_verify(made->context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return made;
}

Result<std::shared_ptr<const Context>> Context::client(const ClientOptions& options) {
  std::shared_ptr<Context> made(new Context);
  made->context_.reset(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  made->server_name_ = options.server_name;
  SSL_CTX_set_min_proto_version(made->context_.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(made->context_.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(made->context_.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(made->context_.get(), options.trust_any_certificate ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  if (!options.trust_any_certificate) WEFT_CHECK(made->trust(options.roots_pem));
  if (!options.certificate_chain_pem.empty() || !options.private_key_pem.empty())
    WEFT_CHECK(made->use_certificate(options.certificate_chain_pem, options.private_key_pem));
  WEFT_CHECK(made->speak(options.alpn));
  return made;
}

}  // namespace weft::tls
