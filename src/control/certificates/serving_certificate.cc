#include "control/certificates/serving_certificate.h"

#include <utility>

#include "base/log.h"

namespace weft::control {
namespace {

/// An authority makes certificates valid from two minutes before: peers of a clock that was set back further
/// take it for one of the future.
constexpr std::chrono::minutes kSetBack{1};
constexpr Duration kRetryAfter = 60s;

}  // namespace

ServingCertificate::ServingCertificate(net::Loop& loop, tls::CertificateAuthority authority, Options options)
    : authority_(std::move(authority)), options_(std::move(options)), loop_(loop) {}

Result<std::unique_ptr<ServingCertificate>> ServingCertificate::make(net::Loop& loop,
                                                                     tls::CertificateAuthority authority,
                                                                     Options options) {
  std::unique_ptr<ServingCertificate> made(
      new ServingCertificate(loop, std::move(authority), std::move(options)));
  WEFT_CHECK(made->renew());
  return made;
}

Result<void> ServingCertificate::renew() {
  const tls::WallTime now = options_.now();
  WEFT_TRY(tls::PrivateKey key, tls::PrivateKey::make());
  tls::CertificateRequest request{.common_name = options_.dns_names.front(),
                                  .dns_names = options_.dns_names,
                                  .ip_addresses = {},
                                  .uris = {},
                                  .lifetime = options_.lifetime};
  WEFT_TRY(std::string certificate, authority_.issue(request, key, now));
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
  issued_ = now;
  return {};
}

Result<void> ServingCertificate::adopt(tls::CertificateAuthority authority) {
  std::swap(authority_, authority);
  auto renewed = renew();
  if (!renewed) std::swap(authority_, authority);
  return renewed;
}

void ServingCertificate::renew_when_due() {
  const tls::WallTime now = options_.now();
  if ((now >= issued_ - kSetBack && now < issued_ + options_.lifetime / 2) || loop_.now() < retry_) return;
  if (auto renewed = renew(); !renewed) {
    WEFT_LOG(kError, "control", "cannot renew the serving certificate", {"error", renewed.error().text});
    retry_ = loop_.now() + kRetryAfter;
  }
}

tls::ContextSource ServingCertificate::source(const std::string& alpn) {
  if (auto made = tls::Context::server({.certificate_chain_pem = certificate_ + root_pem(),
                                        .private_key_pem = key_,
                                        .client_roots_pem = {},
                                        .alpn = {alpn}}))
    contexts_[alpn] = std::move(*made);
  return [this, alpn] {
    renew_when_due();
    return contexts_[alpn];
  };
}

std::vector<std::string> control_plane_names(const std::string& ns) {
  const std::string name = "weft-control." + ns;
  return {name + ".svc", name + ".svc.cluster.local", name, "weft-control"};
}

}  // namespace weft::control
