#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "control/translation/resource_set.h"

namespace envoy::config::route::v3 {
class VirtualHost;
}

namespace weft::control {

/// A virtual host of a route table, serialized. Immutable, and shared by the tables that have the same one.
struct HostPiece {
  std::string bytes;
  std::uint64_t fingerprint = 0;       ///< of the bytes
  std::vector<std::uint64_t> domains;  ///< hashes of its domains in lower case
};
using HostPiecePtr = std::shared_ptr<const HostPiece>;

/// A route table's parts, in the order in which they stand in its message. Immutable.
struct TableParts {
  std::string head;
  std::vector<HostPiecePtr> hosts;
  std::string tail;
  std::uint64_t fingerprint = 0;  ///< of all of them
};

/// Leaves the host the domains that are not among `seen` yet, whatever the letter case, and adds them to it.
void keep_unique_domains(envoy::config::route::v3::VirtualHost& host, std::set<std::string>& seen);
HostPiece make_piece(const envoy::config::route::v3::VirtualHost& host);

/// A route table of these hosts, in this order. What a table of
/// ours says beside its hosts is the same in all (set_route_table_options).
Resource make_table(const std::string& name, std::span<const HostPiecePtr> hosts);

/// Whether two resources' messages are equal. Route tables that share their hosts are compared by pointers.
bool same_message(const Resource& a, const Resource& b);

/// Whether no domain is that of two hosts, for all that hashes can tell.
bool has_unique_domains(std::span<const HostPiecePtr> hosts);
/// These hosts, each domain left to the first that has it, whatever the letter case; one that has none left
/// is not among them.
std::vector<HostPiecePtr> with_unique_domains(std::span<const HostPiecePtr> hosts);

}  // namespace weft::control
