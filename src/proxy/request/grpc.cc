#include "proxy/request/grpc.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>

#include "http/grpc/stream.h"

namespace weft::proxy {
namespace {

constexpr std::string_view kContentType = "application/grpc";
constexpr std::size_t kMaxTimeoutDigits = 8;

/// How many microseconds a unit of grpc-timeout has; 0: it is none. Nanoseconds have a value of their own.
std::int64_t microseconds_in(char unit) {
  switch (unit) {
    case 'H': return 3'600'000'000;
    case 'M': return 60'000'000;
    case 'S': return 1'000'000;
    case 'm': return 1'000;
    case 'u': return 1;
    default: return 0;
  }
}

std::int64_t rounded_up(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

std::string_view name_at(std::span<const std::string_view> names, int status) {
  const auto index = static_cast<std::size_t>(status);
  return status >= 0 && index < names.size() ? names[index] : std::string_view();
}

}  // namespace

std::optional<std::string_view> type_suffix(std::string_view content_type, std::string_view of) {
  if (!http::equal_ignoring_case(content_type.substr(0, of.size()), of)) return std::nullopt;
  const std::string_view rest = content_type.substr(of.size());
  if (rest.empty() || rest.front() == '+' || rest.front() == ';') return rest;
  return std::nullopt;
}

bool is_grpc(const http::RequestHead& head) {
  if (head.method != "POST") return false;
  const auto type = head.headers.get("content-type");
  return type && type_suffix(*type, kContentType);
}

int grpc_status_of(int http_status) {
  switch (http_status) {
    case 400: return http::grpc::kInternal;
    case 401: return http::grpc::kUnauthenticated;
    case 403: return http::grpc::kPermissionDenied;
    case 404: return http::grpc::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504: return http::grpc::kUnavailable;
    default: return http::grpc::kUnknown;
  }
}

std::optional<int> grpc_status_of_reset(Code code) {
  switch (code) {
    case Code::kCancelled: return http::grpc::kCancelled;
    case Code::kExhausted: return http::grpc::kResourceExhausted;
    case Code::kDenied: return http::grpc::kPermissionDenied;
    case Code::kUnavailable: return http::grpc::kInternal;
    default: return std::nullopt;
  }
}

std::string_view grpc_status_name(int status) {
  static constexpr std::string_view kNames[] = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  return name_at(kNames, status);
}

std::string_view grpc_status_snake_name(int status) {
  static constexpr std::string_view kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  return name_at(kNames, status);
}

std::string grpc_message(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte <= 0x7e && c != '%') {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

std::optional<int> grpc_status_in(const http::Headers& headers) {
  const auto text = headers.get("grpc-status");
  if (!text) return std::nullopt;
  int status = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), status);
  if (error != std::errc() || end != text->data() + text->size() || status < 0) return std::nullopt;
  return status;
}

Result<std::optional<std::chrono::milliseconds>> grpc_timeout_in(const http::Headers& headers) {
  using std::chrono::milliseconds;
  const auto text = headers.get("grpc-timeout");
  if (!text) return std::nullopt;
  const std::size_t digits = std::min(text->find_first_not_of("0123456789"), text->size());
  if (digits == 0 || digits > kMaxTimeoutDigits || digits + 1 != text->size())
    return fail(Error::downstream(Code::kInvalid, "grpc-timeout is not one to eight digits and a unit"));
  std::int64_t value = 0;
  const std::string_view number = text->substr(0, digits);
  std::from_chars(number.data(), number.data() + number.size(), value);
  if (text->back() == 'n') return milliseconds(rounded_up(value, 1'000'000));
  const std::int64_t unit = microseconds_in(text->back());
  if (unit == 0) return fail(Error::downstream(Code::kInvalid, "the unit of grpc-timeout is none of HMSmun"));
  return std::min(milliseconds(rounded_up(value * unit, 1'000)), kMaxGrpcTimeout);
}

std::string grpc_timeout_text(std::chrono::milliseconds timeout) {
  constexpr std::int64_t kMaxValue = 99'999'999;
  const std::int64_t count = timeout.count();
  if (count <= kMaxValue) return std::to_string(count) + "m";
  return std::to_string(std::min(rounded_up(count, 1'000), kMaxValue)) + "S";
}

}  // namespace weft::proxy
