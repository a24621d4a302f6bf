#pragma once

#include <string>

#include "base/error.h"
#include "capture/redirection.h"

namespace weft::capture {

/// The flags of istio-iptables as they were typed, with its defaults: lists are separated by commas, "*" is
/// everything where that can be said, an empty list is nothing.
struct Flags {
  std::string outbound_port = "15001";
  std::string inbound_port = "15006";
  std::string tunnel_port = "15008";
  std::string users = "1337";
  std::string groups = {};  ///< empty: as `users`
  std::string mode = "REDIRECT";
  std::string outbound_ranges = {};
  std::string excluded_outbound_ranges = {};
  std::string inbound_ports = {};
  std::string excluded_inbound_ports = {};
  std::string outbound_ports = {};
  std::string excluded_outbound_ports = {};
  std::string virtual_interfaces = {};
  std::string excluded_interfaces = {};
  std::string owner_groups = "*";
  std::string excluded_owner_groups = {};
  std::string loopback_range = "127.0.0.1/32";
  bool drop_invalid = false;
};

/// Errors: kInvalid with the flag's names, the value and what is right; kUnsupported for TPROXY; kTooLarge
/// for a list of more than 1024 entries.
Result<Redirection> to_redirection(const Flags& flags);

}  // namespace weft::capture
