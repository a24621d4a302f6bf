#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "net/address.h"
#include "proxy/log/response_flags.h"

namespace weft::proxy {

/// What is known of a downstream connection; made once per connection, its texts reused by every log line.
struct ConnectionInfo {
  std::uint64_t id = 0;
  net::Address peer;
  net::Address local;  ///< the original destination where it was restored
  bool local_restored = false;
  std::string peer_text;
  std::string local_text;
  std::string requested_server_name;
  std::string transport_protocol;
};

/// What one request (or TCP connection) was and what became of it: the source of log lines and of header
/// operators.
///
/// Owner: whoever serves the request. Views point into objects that the owner keeps until the line is
/// written.
struct RequestInfo {
  const ConnectionInfo* connection = nullptr;
  const http::RequestHead* request = nullptr;    ///< null for TCP
  const http::ResponseHead* response = nullptr;  ///< null until there is one
  std::chrono::system_clock::time_point started_at;
  TimePoint started;
  TimePoint request_done = kNever;    ///< the last byte of the request came
  TimePoint response_begun = kNever;  ///< the first byte of the upstream's response came
  TimePoint ended;
  int status = 0;  ///< 0: none was sent
  ResponseFlags flags;
  std::string_view details;  ///< RESPONSE_CODE_DETAILS; a literal or owned by `details_text`
  std::string details_text;
  std::string_view termination_details;  ///< a literal
  std::string upstream_failure;          ///< UPSTREAM_TRANSPORT_FAILURE_REASON
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::string_view upstream_host;  ///< "10.0.0.1:80"
  std::string_view upstream_local_address;
  std::string_view cluster_name;
  std::string_view cluster_stat_name;  ///< alt_stat_name, or the name
  std::string_view route_name;
  std::string remote_address;  ///< by the trusted-hops rule; empty: the connection's peer
  std::uint32_t attempts = 0;
};

}  // namespace weft::proxy
