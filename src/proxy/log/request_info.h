#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "net/address.h"
#include "proxy/config.h"
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
/// Owner: the stream that serves the request. What it says is its own, or held by it: configuration may be
/// replaced at any suspension. Only the connection and the two heads belong to that stream.
struct RequestInfo {
  const ConnectionInfo* connection = nullptr;
  const http::RequestHead* request = nullptr;    ///< null for TCP
  const http::ResponseHead* response = nullptr;  ///< null until there is one
  std::chrono::system_clock::time_point started_at;
  TimePoint started;
  TimePoint request_done = kNever;    ///< the last byte of the request came
  TimePoint response_begun = kNever;  ///< the first byte of the upstream's response came
  TimePoint ended;
  int status = 0;                  ///< 0: none was sent
  std::optional<int> grpc_status;  ///< of a call, once its response has said it
  ResponseFlags flags;
  std::string_view details;              ///< RESPONSE_CODE_DETAILS; a literal
  std::string details_text;              ///< instead of `details` where it is no literal
  std::string_view termination_details;  ///< a literal
  std::string upstream_failure;          ///< UPSTREAM_TRANSPORT_FAILURE_REASON
  std::string downstream_failure;        ///< DOWNSTREAM_TRANSPORT_FAILURE_REASON
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
  std::string upstream_host;  ///< "10.0.0.1:80"
  std::string upstream_local_address;
  std::shared_ptr<const ClusterConfig> cluster;
  std::string missing_cluster;             ///< the name of a cluster that is not there
  std::shared_ptr<const Text> route_name;  ///< holds the table that it is in
  std::string remote_address;              ///< by the trusted-hops rule; empty: the connection's peer
  std::uint32_t attempts = 0;

  std::string_view cluster_name() const { return cluster ? cluster->name : missing_cluster; }
  /// alt_stat_name, or the name.
  std::string_view cluster_stat_name() const {
    return cluster && !cluster->alt_stat_name.empty() ? std::string_view(cluster->alt_stat_name)
                                                      : cluster_name();
  }
};

}  // namespace weft::proxy
