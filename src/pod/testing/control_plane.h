#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/grpc/server.h"
#include "net/loop.h"
#include "tls/certificate.h"
#include "xds/resource.h"

namespace weft::pod::testing {

/// A folder in /tmp that goes with its owner.
class Folder {
 public:
  Folder();
  ~Folder();
  /// Writes a file, its folders too; replaced in one step, as a kubelet does.
  void write(const std::string& name, const std::string& text) const;
  std::string path(const std::string& name = {}) const { return path_ + (name.empty() ? "" : "/" + name); }

 private:
  std::string path_;
};

/// A control plane over TLS with an authority of its own: gives each client with the right token what
/// `resources` holds, once for each type that is asked for, and remembers who came.
class ControlPlane {
 public:
  explicit ControlPlane(net::Loop& loop, std::string certificate_name = "localhost");
  net::Address address() const { return server_->address(); }
  void stop() { server_.reset(); }
  const std::string& root_pem() const { return authority_.certificate_pem(); }

  std::string token = "the-token";
  std::map<std::string, std::vector<std::string>> resources;  ///< by type URL, serialized
  std::vector<std::string> authorizations;                    ///< of each stream
  std::vector<std::string> nodes;                             ///< ids, of each stream
  int rejected = 0;
  bool responds = true;

 private:
  net::Task<void> serve(http::grpc::Call call);
  tls::CertificateAuthority authority_;
  std::shared_ptr<const tls::Context> context_;
  std::unique_ptr<http::grpc::Server> server_;
};

/// A listener named "inbound" that takes connections at `at` and sends HTTP to the cluster "app".
std::string inbound_listener(const net::Address& at);
std::string static_cluster(const std::string& name, const net::Address& to);

}  // namespace weft::pod::testing
