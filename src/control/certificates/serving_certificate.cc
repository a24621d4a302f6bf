#include "control/certificates/serving_certificate.h"

#include "base/log.h"

namespace weft::control {
namespace {

constexpr Duration kRetryAfter = 60s;

}  // namespace

ServingCertificate::ServingCertificate(net::Loop& loop, tls::CertificateAuthority authority, Options options)
    : loop_(loop),
      authority_(std::move(authority)),
      options_(std::move(options)),
      timer_(loop, [this] { on_timer(); }) {}

Result<std::unique_ptr<ServingCertificate>> ServingCertificate::make(net::Loop& loop,
                                                                     tls::CertificateAuthority authority,
                                                                     Options options) {
  std::unique_ptr<ServingCertificate> made(
      new ServingCertificate(loop, std::move(authority), std::move(options)));
  WEFT_CHECK(made->renew());
  made->timer_.arm(loop.now() + made->options_.lifetime / 2);
  return made;
}

Result<void> ServingCertificate::renew() {
  WEFT_TRY(tls::PrivateKey key, tls::PrivateKey::make());
  tls::CertificateRequest request{.common_name = options_.dns_names.front(),
                                  .dns_names = options_.dns_names,
                                  .ip_addresses = {},
                                  .uris = {},
                                  .lifetime = options_.lifetime};
  WEFT_TRY(std::string certificate, authority_.issue(request, key, options_.now()));
  std::map<std::string, std::shared_ptr<const tls::Context>> made;
  for (const auto& [alpn, old] : contexts_) {
    WEFT_TRY(made[alpn], tls::Context::server({.certificate_chain_pem = certificate + root_pem(),
                                               .private_key_pem = key.pem(),
                                               .client_roots_pem = {},
                                               .alpn = {alpn}}));
  }
  certificate_ = std::move(certificate);
  key_ = key.pem();
  contexts_ = std::move(made);
  return {};
}

void ServingCertificate::on_timer() {
  auto renewed = renew();
  if (!renewed)
    WEFT_LOG(kError, "control", "cannot renew the serving certificate", {"error", renewed.error().text});
  timer_.arm(loop_.now() + (renewed ? Duration(options_.lifetime / 2) : kRetryAfter));
}

tls::ContextSource ServingCertificate::source(const std::string& alpn) {
  if (auto made = tls::Context::server({.certificate_chain_pem = certificate_ + root_pem(),
                                        .private_key_pem = key_,
                                        .client_roots_pem = {},
                                        .alpn = {alpn}}))
    contexts_[alpn] = std::move(*made);
  return [this, alpn] { return contexts_[alpn]; };
}

std::vector<std::string> control_plane_names(const std::string& ns) {
  const std::string name = "weft-control." + ns;
  return {name + ".svc", name + ".svc.cluster.local", name, "weft-control"};
}

}  // namespace weft::control
