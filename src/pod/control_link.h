#pragma once

#include <cstdint>
#include <string>

#include "net/loop.h"
#include "xds/ads_client.h"

namespace weft::pod {

/// How a proxy in a pod reaches its control plane: gRPC over TLS, to whom a root certificate in a file
/// vouches for, with the pod's token. Name, root and token are looked up again for each connection, so that a
/// control plane that moved and a token that was renewed need no restart.
///
/// Owner: the program, longer than the AdsClient that asks it. Thread: the main loop.
class ControlLink {
 public:
  struct Options {
    std::string host;  ///< the name in the server's certificate; a DNS name or an IP address
    std::uint16_t port = 0;
    std::string root_file, token_file;
    Duration timeout = 5s;          ///< for the name, the connection and the handshake together
    Duration poll = 100ms;          ///< how often a file that is not there yet is looked for
    std::string name_servers = {};  ///< instead of those of resolv.conf, see net::DnsResolver
  };
  ControlLink(net::Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}

  /// Waits as long as a file is missing, and says so; then connects or says why not.
  net::Task<Result<xds::ControlConnection>> connect();
  /// The file that connect() waits for; empty: none.
  const std::string& awaited_file() const { return awaited_file_; }

 private:
  net::Task<std::string> read_when_there(std::string path);
  net::Task<Result<std::vector<net::Address>>> resolve();

  net::Loop& loop_;
  Options options_;
  std::string awaited_file_;
};

}  // namespace weft::pod
