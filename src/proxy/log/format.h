#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "http/message.h"
#include "proxy/log/field_name.h"
#include "proxy/log/request_info.h"
#include "proxy/log/time_format.h"

namespace weft::proxy {

/// Istio's default access-log line, 22 operators, and behind them the status of a call of gRPC.
extern const std::string_view kDefaultLogFormat;

class LineWriter;

/// A text with Envoy's command operators ("%REQ(X?Y):Z%" ...), compiled once and filled in for each request.
///
/// Immutable; any thread. In a line of a log an absent value prints "-", and values that come from a peer are
/// written with control bytes, quotes, backslashes and bytes above 7e as \xNN, so a line is one line whatever
/// was sent. In the value of a header field an absent value is nothing, and bytes stay what they are but for
/// control bytes, which become spaces: none ends the field.
class LogFormat {
 public:
  enum class Use : std::uint8_t { kLine, kFieldValue };
  /// Errors name the operator that is not known or not closed, or that says more than is done.
  static Result<LogFormat> compile(std::string_view text, Use use = Use::kLine);

  void append_to(std::string& out, const RequestInfo& info) const;
  /// Whether the text has no operator at all; then literal() is the whole of it.
  bool is_literal() const;
  std::string_view literal() const;

 private:
  enum class Op : std::uint8_t {
    kLiteral,
    kStartTime,
    kStartTimeFormatted,
    kRequestHeader,
    kResponseHeader,
    kRequestPathWithoutQuery,
    kProtocol,
    kResponseCode,
    kGrpcStatus,
    kGrpcStatusSnake,
    kGrpcStatusNumber,
    kResponseCodeDetails,
    kResponseFlags,
    kTerminationDetails,
    kUpstreamFailure,
    kDownstreamFailure,
    kBytesReceived,
    kBytesSent,
    kDuration,
    kRequestDuration,
    kResponseDuration,
    kResponseTxDuration,
    kUpstreamHost,
    kUpstreamHostWithoutPort,
    kUpstreamCluster,
    kUpstreamClusterRaw,
    kUpstreamLocalAddress,
    kUpstreamLocalAddressWithoutPort,
    kDownstreamLocalAddress,
    kDownstreamLocalAddressWithoutPort,
    kDownstreamLocalPort,
    kDownstreamRemoteAddress,
    kDownstreamRemoteAddressWithoutPort,
    kDownstreamDirectRemoteAddress,
    kDownstreamDirectRemoteAddressWithoutPort,
    kRequestedServerName,
    kRouteName,
    kAttemptCount,
    kConnectionId,
    kHostname,
    kEnvironment,
    kNothing,
  };
  struct Part {
    Op op = Op::kLiteral;
    std::size_t limit = std::string::npos;
    std::string text;        ///< the literal before it
    FieldName field, other;  ///< `other` where the message has no `field`
    TimeFormat time;         ///< of kStartTimeFormatted
  };
  static std::optional<Op> header_operator(std::string_view name);
  static std::optional<Op> plain_operator(std::string_view name);
  static Result<Op> grpc_status_operator(std::string_view argument);
  static Result<Part> compile_operator(std::string_view body, Use use);
  static bool compile_header(Part& part, std::string_view argument);
  void append_part(LineWriter& out, const Part& part, const RequestInfo& info) const;
  void append_connection_part(LineWriter& out, const Part& part, const RequestInfo& info) const;

  std::vector<Part> parts_;
  Use use_ = Use::kLine;
};

}  // namespace weft::proxy
