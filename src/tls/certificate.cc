#include "tls/certificate.h"

#include <arpa/inet.h>

#include <ctime>

#include "tls/openssl.h"

namespace weft::tls {
namespace {

constexpr std::chrono::seconds kClockSlack = std::chrono::minutes(2);
constexpr int kSerialBits = 127;  // positive in 16 bytes

std::unexpected<Error> invalid(const std::string& what) {
  return fail(Error::config(Code::kInvalid, what + ": " + last_reason()));
}
std::unexpected<Error> broken(const std::string& what) {
  return fail(Error::internal(Code::kInternal, what + ": " + last_reason()));
}

Result<X509Ptr> parse_certificate(std::string_view pem) {
  X509Ptr certificate(PEM_read_bio_X509(reader_of(pem).get(), nullptr, nullptr, nullptr));
  if (!certificate) return invalid("not a certificate in PEM form");
  return certificate;
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  char text[INET6_ADDRSTRLEN] = "";
  const int size = ASN1_STRING_length(address);
  if (size == 4 || size == 16)
    inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text);
  return text;
}

std::string string_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void read_names(X509* certificate, CertificateInfo& info) {
  const NamesPtr names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) info.dns_names.push_back(string_of(name->d.dNSName));
    if (name->type == GEN_URI) info.uris.push_back(string_of(name->d.uniformResourceIdentifier));
    if (name->type == GEN_IPADD) info.ip_addresses.push_back(address_text(name->d.iPAddress));
  }
}

CertificateInfo info_of(X509* certificate) {
  CertificateInfo info;
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  info.common_name = name;
  read_names(certificate, info);
  info.not_before = time_of(X509_get0_notBefore(certificate));
  info.not_after = time_of(X509_get0_notAfter(certificate));
  info.authority = X509_check_ca(certificate) == 1;
  return info;
}

bool add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const ExtensionPtr made(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  return made && X509_add_ext(certificate, made.get(), -1) == 1;
}

/// Made as values, not as OpenSSL's configuration text: a comma in a name must not become another name.
bool add_name(GENERAL_NAMES* names, int type, const std::string& text) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  ASN1_STRING* value = nullptr;
  if (type == GEN_IPADD) {
    value = a2i_IPADDRESS(text.c_str());
  } else {
    value = ASN1_IA5STRING_new();
    if (value) ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
  }
  if (!name || !value) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  return sk_GENERAL_NAME_push(names, name) > 0;
}

bool add_names(X509* certificate, const CertificateRequest& request) {
  const NamesPtr names(GENERAL_NAMES_new());
  if (!names) return false;
  for (const std::string& each : request.dns_names)
    if (!add_name(names.get(), GEN_DNS, each)) return false;
  for (const std::string& each : request.ip_addresses)
    if (!add_name(names.get(), GEN_IPADD, each)) return false;
  for (const std::string& each : request.uris)
    if (!add_name(names.get(), GEN_URI, each)) return false;
  return sk_GENERAL_NAME_num(names.get()) == 0 ||
         X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0) == 1;
}

bool set_validity(X509* certificate, WallTime now, std::chrono::seconds lifetime) {
  const auto from = (now - kClockSlack).time_since_epoch().count();
  const auto until = (now + lifetime).time_since_epoch().count();
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from) &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), until);
}

bool set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_new());
  return number && BN_rand(number.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

/// Everything but names, extensions and the signature.
X509Ptr begin(const std::string& common_name, EVP_PKEY* key, WallTime now, std::chrono::seconds lifetime) {
  X509Ptr made(X509_new());
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.data());
  const bool done = made && X509_set_version(made.get(), X509_VERSION_3) == 1 && set_serial(made.get()) &&
                    set_validity(made.get(), now, lifetime) && X509_set_pubkey(made.get(), key) == 1 &&
                    (common_name.empty() ||
                     X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8, text,
                                                static_cast<int>(common_name.size()), -1, 0) == 1);
  return done ? std::move(made) : nullptr;
}

std::string pem_of(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(out.get(), certificate);
  return text_of(out.get());
}

}  // namespace

Result<CertificateInfo> read_certificate(std::string_view pem) {
  WEFT_TRY(const X509Ptr certificate, parse_certificate(pem));
  return info_of(certificate.get());
}

Result<PrivateKey> PrivateKey::make() {
  EVP_PKEY* made = EVP_EC_gen("P-256");
  if (!made) return broken("no key could be made");
  PrivateKey key;
  key.key_.reset(made, EVP_PKEY_free);
  return key;
}

Result<PrivateKey> PrivateKey::read(std::string_view pem) {
  // A passphrase is never asked for on a terminal: the callback gives none.
  EVP_PKEY* made = PEM_read_bio_PrivateKey(
      reader_of(pem).get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr);
  if (!made) return invalid("not a private key in PEM form without a passphrase");
  PrivateKey key;
  key.key_.reset(made, EVP_PKEY_free);
  return key;
}

std::string PrivateKey::pem() const {
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(out.get());
}

Result<CertificateAuthority> CertificateAuthority::make(const std::string& common_name,
                                                        std::chrono::seconds lifetime, WallTime now) {
  CertificateAuthority made;
  WEFT_TRY(made.key_, PrivateKey::make());
  EVP_PKEY* key = made.key_.key_.get();
  const X509Ptr certificate = begin(common_name, key, now, lifetime);
  const bool done =
      certificate && X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) == 1 &&
      add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE") &&
      add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(certificate.get(), key, EVP_sha256()) > 0;
  if (!done) return broken("no root certificate could be made");
  return read(pem_of(certificate.get()), made.key_.pem());
}

Result<CertificateAuthority> CertificateAuthority::read(std::string_view certificate_pem,
                                                        std::string_view key_pem) {
  CertificateAuthority made;
  WEFT_TRY(X509Ptr certificate, parse_certificate(certificate_pem));
  WEFT_TRY(made.key_, PrivateKey::read(key_pem));
  if (X509_check_ca(certificate.get()) != 1)
    return fail(Error::config(Code::kInvalid, "the certificate is not an authority's (CA:TRUE)"));
  if (X509_check_private_key(certificate.get(), made.key_.key_.get()) != 1)
    return invalid("the private key does not belong to the certificate");
  made.pem_ = pem_of(certificate.get());
  made.certificate_.reset(certificate.release(), X509_free);
  return made;
}

Result<std::string> CertificateAuthority::issue(const CertificateRequest& request, const PrivateKey& key,
                                                WallTime now) const {
  const X509Ptr made = begin(request.common_name, key.key_.get(), now, request.lifetime);
  const bool done =
      made && X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get())) == 1 &&
      add_names(made.get(), request) &&
      add_extension(made.get(), certificate_.get(), NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(made.get(), certificate_.get(), NID_key_usage, "critical,digitalSignature") &&
      add_extension(made.get(), certificate_.get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
      add_extension(made.get(), certificate_.get(), NID_authority_key_identifier, "keyid") &&
      X509_sign(made.get(), key_.key_.get(), EVP_sha256()) > 0;
  if (!done) return invalid("no certificate could be issued for " + request.common_name);
  return pem_of(made.get());
}

}  // namespace weft::tls
