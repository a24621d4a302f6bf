#pragma once

#include <string>

#include "net/task.h"
#include "store/store.h"
#include "tls/certificate.h"

namespace weft::control {

/// Where the mesh's authority is kept.
inline constexpr const char* kAuthoritySecret = "weft-ca";
inline constexpr std::chrono::seconds kAuthorityLifetime = std::chrono::hours(24 * 3650);

/// The authority of the mesh: that of Secret `weft-ca` in namespace `ns` (`tls.crt`, `tls.key`), or a new one
/// that is put there. Of several replicas that make one at once the first to write wins, and all use it.
///
/// Errors: kInvalid when the Secret is there and is no authority: nothing replaces it, since certificates in
/// use lead to it; the store's otherwise. Thread: the store's.
net::Task<Result<tls::CertificateAuthority>> load_authority(store::Store& store, std::string ns,
                                                            tls::WallTime now);

/// The one in the Secret, for a caller that has loaded one before: a Secret that was removed, by an
/// uninstallation say, is not created again. Errors: as load_authority(), and kNotFound.
net::Task<Result<tls::CertificateAuthority>> stored_authority(store::Store& store, std::string ns);

}  // namespace weft::control
