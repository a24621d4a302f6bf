#include "proxy/request/grpc.h"

#include <charconv>

#include "http/grpc/stream.h"

namespace weft::proxy {
namespace {

constexpr std::string_view kContentType = "application/grpc";

}  // namespace

bool is_grpc(const http::RequestHead& head) {
  const auto type = head.headers.get("content-type");
  if (!type || !http::equal_ignoring_case(type->substr(0, kContentType.size()), kContentType)) return false;
  const std::string_view rest = type->substr(kContentType.size());
  return rest.empty() || rest.front() == '+' || rest.front() == ';';
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

std::string_view grpc_status_name(int status) {
  static constexpr std::string_view kNames[] = {
      "OK",       "Canceled",       "Unknown",          "InvalidArgument",   "DeadlineExceeded",
      "NotFound", "AlreadyExists",  "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
      "Aborted",  "OutOfRange",     "Unimplemented",    "Internal",          "Unavailable",
      "DataLoss", "Unauthenticated"};
  const auto index = static_cast<std::size_t>(status);
  return status >= 0 && index < std::size(kNames) ? kNames[index] : std::string_view();
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

}  // namespace weft::proxy
