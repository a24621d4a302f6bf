#include "control/certificates/mesh_authority.h"

#include "base/base64.h"
#include "base/log.h"
#include "control/json.h"

namespace weft::control {
namespace {

api::Key key_of(const std::string& ns) {
  return {api::find_kind_by_plural("", "secrets"), ns, kAuthoritySecret};
}

Result<std::string> data_of(const api::Object& secret, std::string_view name) {
  auto bytes = decode_base64(json::text(json::map(secret.body, "data"), name));
  if (!bytes || bytes->empty())
    return fail(Error::config(Code::kInvalid, "data." + std::string(name) + " is missing or no base64"));
  return std::move(*bytes);
}

Result<tls::CertificateAuthority> parts_of(const api::Object& secret) {
  WEFT_TRY(std::string certificate, data_of(secret, "tls.crt"));
  WEFT_TRY(std::string key, data_of(secret, "tls.key"));
  return tls::CertificateAuthority::read(certificate, key);
}

Result<tls::CertificateAuthority> read_authority(const api::Object& secret, const std::string& ns) {
  auto authority = parts_of(secret);
  if (authority) return authority;
  return fail(std::move(authority).error().with_context("secret " + ns + "/" + kAuthoritySecret +
                                                        ": restore it, or delete it for a new one"));
}

api::Object make_secret(const std::string& ns, const tls::CertificateAuthority& authority) {
  api::Object secret;
  secret.kind = key_of(ns).kind;
  secret.body = {
      {"apiVersion", "v1"},
      {"kind", "Secret"},
      {"metadata",
       {{"name", kAuthoritySecret}, {"namespace", ns}, {"labels", {{"app.kubernetes.io/part-of", "weft"}}}}},
      {"type", "kubernetes.io/tls"},
      {"data",
       {{"tls.crt", encode_base64(authority.certificate_pem())},
        {"tls.key", encode_base64(authority.key_pem())}}}};
  return secret;
}

net::Task<Result<api::ObjectPtr>> find_or_make(store::Store& store, std::string ns, tls::WallTime now) {
  auto present = co_await store.get(key_of(ns));
  if (present || present.error().code != Code::kNotFound) co_return present;
  WEFT_CO_TRY(auto made, tls::CertificateAuthority::make("weft mesh authority", kAuthorityLifetime, now));
  auto written = co_await store.create(make_secret(ns, made));
  if (!written && written.error().code == Code::kConflict) co_return co_await store.get(key_of(ns));
  if (written)
    WEFT_LOG(kInfo, "control", "a new authority for the mesh", {"secret", ns + "/" + kAuthoritySecret});
  co_return written;
}

}  // namespace

net::Task<Result<tls::CertificateAuthority>> load_authority(store::Store& store, std::string ns,
                                                            tls::WallTime now) {
  WEFT_CO_TRY(api::ObjectPtr secret, co_await find_or_make(store, ns, now));
  co_return read_authority(*secret, ns);
}

net::Task<Result<tls::CertificateAuthority>> stored_authority(store::Store& store, std::string ns) {
  WEFT_CO_TRY(api::ObjectPtr secret, co_await store.get(key_of(ns)));
  co_return read_authority(*secret, ns);
}

}  // namespace weft::control
