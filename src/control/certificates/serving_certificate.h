#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/loop.h"
#include "tls/certificate.h"
#include "tls/context.h"

namespace weft::control {

/// The control plane's own certificate, in memory only: issued when we start, and again for the first who
/// connects after half of its life, or after the clock was set back. The wall clock is asked at each
/// connection, as the peer will ask his: no timer counts the hours for which a machine was suspended.
/// Connections that are open keep theirs.
///
/// Owner: the program. Thread: the loop's. How it ends: the destructor; the sources given out must not be
/// used after it.
class ServingCertificate {
 public:
  struct Options {
    std::vector<std::string> dns_names;  ///< not empty
    std::chrono::seconds lifetime = std::chrono::hours(24);
    std::function<tls::WallTime()> now;  ///< the wall clock; tests give their own
  };

  /// Errors: kInternal when OpenSSL cannot make a key.
  static Result<std::unique_ptr<ServingCertificate>> make(net::Loop& loop,
                                                          tls::CertificateAuthority authority,
                                                          Options options);

  /// From now on issued by that one. Error: as make(); the old one stays.
  Result<void> adopt(tls::CertificateAuthority authority);
  /// For a server that speaks `alpn`. Register all before the first connection.
  tls::ContextSource source(const std::string& alpn);
  const std::string& certificate_pem() const { return certificate_; }
  const std::string& root_pem() const { return authority_.certificate_pem(); }

 private:
  ServingCertificate(net::Loop& loop, tls::CertificateAuthority authority, Options options);
  Result<void> renew();
  void renew_when_due();

  tls::CertificateAuthority authority_;
  Options options_;
  std::string certificate_, key_;
  std::map<std::string, std::shared_ptr<const tls::Context>> contexts_;  ///< by ALPN protocol
  net::Loop& loop_;
  tls::WallTime issued_{};
  TimePoint retry_ = TimePoint::min();  ///< not before, after a failure
};

/// The names under which pods and the API server call the Service weft-control in `ns`.
std::vector<std::string> control_plane_names(const std::string& ns);

}  // namespace weft::control
