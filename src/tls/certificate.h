#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct evp_pkey_st;
struct x509_st;

namespace weft::tls {

using WallTime = std::chrono::sys_seconds;

/// What a certificate (RFC 5280) says. The names are those of its subject alternative name extension; the
/// common name is for people.
struct CertificateInfo {
  std::string common_name;
  std::vector<std::string> dns_names, ip_addresses, uris;
  WallTime not_before, not_after;
  bool authority = false;
};

/// The first certificate of a PEM text. Error: kInvalid, with what is wrong.
Result<CertificateInfo> read_certificate(std::string_view pem);

/// A private key. ECDSA on P-256 when made here; any that OpenSSL reads when it comes as PEM. Immutable; any
/// thread.
class PrivateKey {
 public:
  static Result<PrivateKey> make();
  static Result<PrivateKey> read(std::string_view pem);
  std::string pem() const;

 private:
  friend class CertificateAuthority;
  std::shared_ptr<evp_pkey_st> key_;
};

/// Whom a certificate is for.
struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> dns_names, ip_addresses, uris;
  std::chrono::seconds lifetime{};
};

/// Issues certificates with a key of its own. Immutable; any thread.
class CertificateAuthority {
 public:
  /// A new one, its certificate signed by itself.
  static Result<CertificateAuthority> make(const std::string& common_name, std::chrono::seconds lifetime,
                                           WallTime now);
  /// Error: kInvalid: not PEM, not an authority, or a key that does not belong to it.
  static Result<CertificateAuthority> read(std::string_view certificate_pem, std::string_view key_pem);

  /// For servers and clients; valid from two minutes before `now`, for peers whose clocks are behind. The
  /// serial number is random. The result is PEM, the certificate alone.
  Result<std::string> issue(const CertificateRequest& request, const PrivateKey& key, WallTime now) const;

  const std::string& certificate_pem() const { return pem_; }
  std::string key_pem() const { return key_.pem(); }

 private:
  std::shared_ptr<x509_st> certificate_;
  PrivateKey key_;
  std::string pem_;
};

}  // namespace weft::tls
