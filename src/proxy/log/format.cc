#include "proxy/log/format.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <utility>

#include "proxy/log/line_writer.h"
#include "proxy/request/grpc.h"

namespace weft::proxy {

const std::string_view kDefaultLogFormat =
    "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    "\"%UPSTREAM_TRANSPORT_FAILURE_REASON%\" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" \"%UPSTREAM_HOST%\" %UPSTREAM_CLUSTER_RAW% "
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% "
    "%ROUTE_NAME% grpc_status=%GRPC_STATUS_NUMBER%\n";

namespace {

using Use = LogFormat::Use;

void append_absent(LineWriter& out, Use use) {
  if (use == Use::kLine) out.add('-');
}

void append_milliseconds(LineWriter& out, TimePoint from, TimePoint to, Use use) {
  if (from == kNever || to == kNever || to < from) return append_absent(out, use);
  out.add_number(
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(to - from).count()));
}

void append_escaped(LineWriter& out, std::string_view value, Use use) {
  if (use == Use::kLine)
    out.add_escaped(value);
  else
    out.add_field_value(value);
}

void append_if_any(LineWriter& out, std::string_view value, Use use) {
  if (value.empty())
    append_absent(out, use);
  else
    out.add(value);
}

void append_escaped_if_any(LineWriter& out, std::string_view value, Use use) {
  if (value.empty())
    append_absent(out, use);
  else
    append_escaped(out, value, use);
}

/// "10.0.0.1:80" → "10.0.0.1", "[::1]:80" → "::1".
std::string_view without_port(std::string_view address) {
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return address;
  address = address.substr(0, colon);
  if (address.size() > 1 && address.front() == '[' && address.back() == ']')
    return address.substr(1, address.size() - 2);
  return address;
}

/// The first of the two that is there.
template <class Head>
std::optional<std::string_view> either(const Head& head, const FieldName& one, const FieldName& other) {
  const auto value = one.value_in(head);
  return value || other.empty() ? value : other.value_in(head);
}

std::string_view protocol_name(http::Version version) {
  switch (version) {
    case http::Version::k10: return "HTTP/1.0";
    case http::Version::k11: return "HTTP/1.1";
    case http::Version::k2: return "HTTP/2";
  }
  return "-";
}

const std::string& host_name() {
  static const std::string name = [] {
    char text[256] = "-";
    gethostname(text, sizeof text - 1);
    return std::string(text);
  }();
  return name;
}

std::string_view time_text(std::chrono::system_clock::time_point when) {
  constexpr std::size_t kToTheSecond = 20;
  thread_local std::time_t cached_second = -1;
  thread_local char text[32];
  const auto since_epoch =
      std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const auto second = static_cast<std::time_t>(since_epoch / 1000);
  if (second != cached_second) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &parts);
    cached_second = second;
  }
  const auto rest = static_cast<int>(since_epoch % 1000);
  char* const tail = text + kToTheSecond;
  tail[0] = static_cast<char>('0' + rest / 100);
  tail[1] = static_cast<char>('0' + rest / 10 % 10);
  tail[2] = static_cast<char>('0' + rest % 10);
  tail[3] = 'Z';
  return {text, kToTheSecond + 4};
}

/// What stands between two per cent signs: "NAME", "NAME(argument)" or "NAME(argument):length".
struct Operator {
  std::string_view name, argument;
  std::size_t limit = std::string::npos;  ///< npos: no length is given
};

Error wrong(std::string_view body, const char* what) {
  return Error::config(Code::kInvalid, "operator '%" + std::string(body) + "%' " + what);
}

Result<Operator> read_operator(std::string_view body) {
  Operator made{.name = body, .argument = {}};
  const auto open = body.find('(');
  if (open == std::string_view::npos) return made;
  const auto close = body.rfind(')');
  if (close == std::string_view::npos || close < open) return fail(wrong(body, "lacks its ')'"));
  made.name = body.substr(0, open);
  made.argument = body.substr(open + 1, close - open - 1);
  const std::string_view tail = body.substr(close + 1);
  if (tail.empty()) return made;
  const char* const end = tail.data() + tail.size();
  const auto [last, error] = std::from_chars(tail.data() + 1, end, made.limit);
  if (tail.front() != ':' || error != std::errc() || last != end)
    return fail(wrong(body, "ends in something that is not ':length'"));
  return made;
}

/// The variable's value as of now. One line stays one line, and a header's value one value.
std::string environment_text(const Operator& variable, Use use) {
  const char* const value = std::getenv(std::string(variable.argument).c_str());
  std::string text;
  LineWriter line(text);
  append_escaped(line, std::string_view(value ? value : "-").substr(0, variable.limit), use);
  line.flushed();
  return text;
}

}  // namespace

/// Of "a" or "a?b"; false when one of them is no name that such a head may have.
bool LogFormat::compile_header(Part& part, std::string_view argument) {
  const auto may_be_there = [&part](const FieldName& name) {
    return part.op == Op::kResponseHeader ? name.may_be_in_response() : name.may_be_in_request();
  };
  const auto question = argument.find('?');
  part.field = FieldName(argument.substr(0, question));
  if (question == std::string_view::npos) return may_be_there(part.field);
  part.other = FieldName(argument.substr(question + 1));
  return may_be_there(part.field) && may_be_there(part.other);
}

std::optional<LogFormat::Op> LogFormat::header_operator(std::string_view name) {
  if (name == "REQ") return Op::kRequestHeader;
  if (name == "RESP") return Op::kResponseHeader;
  if (name == "REQ_WITHOUT_QUERY") return Op::kRequestPathWithoutQuery;
  return std::nullopt;
}

std::optional<LogFormat::Op> LogFormat::plain_operator(std::string_view name) {
  static constexpr std::pair<std::string_view, Op> kPlain[] = {
      {"PROTOCOL", Op::kProtocol},
      {"RESPONSE_CODE", Op::kResponseCode},
      {"RESPONSE_CODE_DETAILS", Op::kResponseCodeDetails},
      {"GRPC_STATUS", Op::kGrpcStatus},
      {"GRPC_STATUS_NUMBER", Op::kGrpcStatusNumber},
      {"RESPONSE_FLAGS", Op::kResponseFlags},
      {"CONNECTION_TERMINATION_DETAILS", Op::kTerminationDetails},
      {"UPSTREAM_TRANSPORT_FAILURE_REASON", Op::kUpstreamFailure},
      {"BYTES_RECEIVED", Op::kBytesReceived},
      {"BYTES_SENT", Op::kBytesSent},
      {"DURATION", Op::kDuration},
      {"REQUEST_DURATION", Op::kRequestDuration},
      {"RESPONSE_DURATION", Op::kResponseDuration},
      {"RESPONSE_TX_DURATION", Op::kResponseTxDuration},
      {"UPSTREAM_HOST", Op::kUpstreamHost},
      {"UPSTREAM_REMOTE_ADDRESS", Op::kUpstreamHost},
      {"UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Op::kUpstreamHostWithoutPort},
      {"UPSTREAM_CLUSTER", Op::kUpstreamCluster},
      {"UPSTREAM_CLUSTER_RAW", Op::kUpstreamClusterRaw},
      {"UPSTREAM_LOCAL_ADDRESS", Op::kUpstreamLocalAddress},
      {"UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Op::kUpstreamLocalAddressWithoutPort},
      {"DOWNSTREAM_LOCAL_ADDRESS", Op::kDownstreamLocalAddress},
      {"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Op::kDownstreamLocalAddressWithoutPort},
      {"DOWNSTREAM_LOCAL_PORT", Op::kDownstreamLocalPort},
      {"DOWNSTREAM_REMOTE_ADDRESS", Op::kDownstreamRemoteAddress},
      {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Op::kDownstreamRemoteAddressWithoutPort},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Op::kDownstreamDirectRemoteAddress},
      {"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Op::kDownstreamDirectRemoteAddressWithoutPort},
      {"REQUESTED_SERVER_NAME", Op::kRequestedServerName},
      {"ROUTE_NAME", Op::kRouteName},
      {"UPSTREAM_REQUEST_ATTEMPT_COUNT", Op::kAttemptCount},
      {"CONNECTION_ID", Op::kConnectionId},
      {"HOSTNAME", Op::kHostname},
      {"START_TIME", Op::kStartTime},
      // Of what this proxy never has: Envoy writes the same where it has none.
      {"VIRTUAL_CLUSTER_NAME", Op::kNothing},
      {"DOWNSTREAM_TRANSPORT_FAILURE_REASON", Op::kDownstreamFailure},
      {"DOWNSTREAM_TLS_VERSION", Op::kNothing},
      {"DOWNSTREAM_TLS_CIPHER", Op::kNothing},
      {"DOWNSTREAM_PEER_URI_SAN", Op::kNothing},
      {"DOWNSTREAM_PEER_SUBJECT", Op::kNothing},
      {"UPSTREAM_PEER_URI_SAN", Op::kNothing},
      {"TRACE_ID", Op::kNothing},
  };
  for (const auto& [known, op] : kPlain) {
    if (known == name) return op;
  }
  return std::nullopt;
}

Result<LogFormat::Op> LogFormat::grpc_status_operator(std::string_view argument) {
  if (argument == "NUMBER") return Op::kGrpcStatusNumber;
  if (argument == "CAMEL_STRING") return Op::kGrpcStatus;
  if (argument == "SNAKE_STRING") return Op::kGrpcStatusSnake;
  return fail(Error::config(Code::kInvalid, "operator '%GRPC_STATUS(" + std::string(argument) +
                                                ")%' must say CAMEL_STRING, SNAKE_STRING or NUMBER"));
}

Result<LogFormat::Part> LogFormat::compile_operator(std::string_view body, Use use) {
  WEFT_TRY(const Operator written, read_operator(body));
  Part part;
  part.limit = written.limit;
  if (const std::optional<Op> header = header_operator(written.name)) {
    part.op = *header;
    if (!compile_header(part, written.argument)) return fail(wrong(body, "names no header"));
    return part;
  }
  if (written.name == "ENVIRONMENT") {
    if (written.argument.empty()) return fail(wrong(body, "names no variable"));
    part.text = environment_text(written, use);
    return part;
  }
  const std::optional<Op> op = plain_operator(written.name);
  if (!op) return fail(Error::config(Code::kUnsupported, "unknown operator '%" + std::string(body) + "%'"));
  part.op = *op;
  if (written.limit != std::string::npos) return fail(wrong(body, "takes no length"));
  if (written.argument.empty()) return part;
  if (part.op == Op::kGrpcStatus) {
    WEFT_TRY(part.op, grpc_status_operator(written.argument));
    return part;
  }
  if (part.op != Op::kStartTime) return fail(wrong(body, "takes no argument"));
  part.op = Op::kStartTimeFormatted;
  WEFT_TRY(part.time, TimeFormat::compile(written.argument));
  return part;
}

Result<LogFormat> LogFormat::compile(std::string_view text, Use use) {
  LogFormat format;
  format.use_ = use;
  std::string literal;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '%') {
      literal += text[i++];
      continue;
    }
    if (i + 1 < text.size() && text[i + 1] == '%') {
      literal += '%';
      i += 2;
      continue;
    }
    // A time format has per cent signs of its own, so an argument is skipped to its parenthesis.
    std::size_t from = i + 1;
    const std::size_t name_end = text.find_first_of("(%", from);
    if (name_end != std::string_view::npos && text[name_end] == '(') from = text.find(')', name_end);
    const std::size_t close = from == std::string_view::npos ? from : text.find('%', from);
    if (close == std::string_view::npos)
      return fail(Error::config(
          Code::kInvalid, "operator at '" + std::string(text.substr(i, 40)) + "' lacks its closing '%'"));
    WEFT_TRY(Part part, compile_operator(text.substr(i + 1, close - i - 1), use));
    if (part.op == Op::kLiteral) {
      literal += part.text;
    } else {
      part.text = std::exchange(literal, {});
      format.parts_.push_back(std::move(part));
    }
    i = close + 1;
  }
  if (!literal.empty()) {
    Part end;
    end.text = std::move(literal);
    format.parts_.push_back(std::move(end));
  }
  return format;
}

bool LogFormat::is_literal() const {
  return parts_.empty() || (parts_.size() == 1 && parts_[0].op == Op::kLiteral);
}

std::string_view LogFormat::literal() const { return parts_.empty() ? std::string_view() : parts_[0].text; }

void LogFormat::append_to(std::string& out, const RequestInfo& info) const {
  LineWriter line(out);
  for (const Part& part : parts_) {
    line.add(part.text);
    append_part(line, part, info);
  }
}

void LogFormat::append_part(LineWriter& out, const Part& part, const RequestInfo& info) const {
  switch (part.op) {
    case Op::kLiteral: return;
    case Op::kStartTime: out.add(time_text(info.started_at)); return;
    case Op::kStartTimeFormatted: part.time.append_to(out.flushed(), info.started_at); return;
    case Op::kRequestHeader:
    case Op::kRequestPathWithoutQuery: {
      if (!info.request) break;
      auto value = either(*info.request, part.field, part.other);
      if (!value) break;
      if (part.op == Op::kRequestPathWithoutQuery) value = value->substr(0, value->find('?'));
      append_escaped(out, value->substr(0, part.limit), use_);
      return;
    }
    case Op::kResponseHeader: {
      if (!info.response) break;
      const auto value = either(*info.response, part.field, part.other);
      if (!value) break;
      append_escaped(out, value->substr(0, part.limit), use_);
      return;
    }
    case Op::kProtocol:
      if (!info.request) break;
      out.add(protocol_name(info.request->version));
      return;
    case Op::kResponseCode: out.add_number(static_cast<std::uint64_t>(info.status)); return;
    case Op::kResponseCodeDetails:
      append_if_any(out, info.details_text.empty() ? info.details : info.details_text, use_);
      return;
    case Op::kResponseFlags:
      if (info.flags.empty())
        out.add('-');
      else
        info.flags.append_to(out.flushed());
      return;
    case Op::kGrpcStatus:
    case Op::kGrpcStatusSnake: {
      if (!info.grpc_status) break;
      const bool snake = part.op == Op::kGrpcStatusSnake;
      const std::string_view name =
          snake ? grpc_status_snake_name(*info.grpc_status) : grpc_status_name(*info.grpc_status);
      out.add(name.empty() ? std::to_string(*info.grpc_status) : std::string(name));
      return;
    }
    case Op::kGrpcStatusNumber:
      if (!info.grpc_status) break;
      out.add_number(static_cast<std::uint64_t>(*info.grpc_status));
      return;
    case Op::kTerminationDetails: append_if_any(out, info.termination_details, use_); return;
    case Op::kUpstreamFailure: append_escaped_if_any(out, info.upstream_failure, use_); return;
    case Op::kDownstreamFailure: append_escaped_if_any(out, info.downstream_failure, use_); return;
    case Op::kBytesReceived: out.add_number(info.bytes_received); return;
    case Op::kBytesSent: out.add_number(info.bytes_sent); return;
    case Op::kDuration: append_milliseconds(out, info.started, info.ended, use_); return;
    case Op::kRequestDuration: append_milliseconds(out, info.started, info.request_done, use_); return;
    case Op::kResponseDuration: append_milliseconds(out, info.started, info.response_begun, use_); return;
    case Op::kResponseTxDuration: append_milliseconds(out, info.response_begun, info.ended, use_); return;
    case Op::kAttemptCount: out.add_number(info.attempts); return;
    case Op::kHostname: out.add(host_name()); return;
    default: append_connection_part(out, part, info); return;
  }
  append_absent(out, use_);
}

void LogFormat::append_connection_part(LineWriter& out, const Part& part, const RequestInfo& info) const {
  static const ConnectionInfo kUnknown;
  const ConnectionInfo& connection = info.connection ? *info.connection : kUnknown;
  const std::string& remote = info.remote_address.empty() ? connection.peer_text : info.remote_address;
  switch (part.op) {
    case Op::kUpstreamHost: append_if_any(out, info.upstream_host, use_); return;
    case Op::kUpstreamHostWithoutPort: append_if_any(out, without_port(info.upstream_host), use_); return;
    case Op::kUpstreamCluster: append_escaped_if_any(out, info.cluster_stat_name(), use_); return;
    case Op::kUpstreamClusterRaw: append_escaped_if_any(out, info.cluster_name(), use_); return;
    case Op::kUpstreamLocalAddress: append_if_any(out, info.upstream_local_address, use_); return;
    case Op::kUpstreamLocalAddressWithoutPort:
      append_if_any(out, without_port(info.upstream_local_address), use_);
      return;
    case Op::kDownstreamLocalAddress: append_if_any(out, connection.local_text, use_); return;
    case Op::kDownstreamLocalAddressWithoutPort:
      append_if_any(out, without_port(connection.local_text), use_);
      return;
    case Op::kDownstreamLocalPort: out.add_number(connection.local.port()); return;
    case Op::kDownstreamRemoteAddress: append_if_any(out, remote, use_); return;
    case Op::kDownstreamRemoteAddressWithoutPort: append_if_any(out, without_port(remote), use_); return;
    case Op::kDownstreamDirectRemoteAddress: append_if_any(out, connection.peer_text, use_); return;
    case Op::kDownstreamDirectRemoteAddressWithoutPort:
      append_if_any(out, without_port(connection.peer_text), use_);
      return;
    case Op::kConnectionId: out.add_number(connection.id); return;
    case Op::kRouteName:
      append_escaped_if_any(out, info.route_name ? std::string_view(*info.route_name) : std::string_view(),
                            use_);
      return;
    case Op::kRequestedServerName:
      if (connection.requested_server_name.empty()) break;
      append_escaped(out, connection.requested_server_name, use_);
      return;
    default: break;
  }
  append_absent(out, use_);
}

}  // namespace weft::proxy
