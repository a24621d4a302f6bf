#include "http/grpc/incoming.h"

#include <utility>

namespace weft::http::grpc {
namespace {

std::size_t message_size(std::string_view prefix) {
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefix; ++i) size = size << 8 | static_cast<unsigned char>(prefix[i]);
  return size;
}

}  // namespace

Result<std::optional<std::string>> Incoming::take() {
  if (bytes_.size() < kPrefix) return std::nullopt;
  if (bytes_[0] != 0)
    return fail(Error{Code::kUnsupported, blame_, Retry::kNever, "a compressed gRPC message"});
  const std::size_t size = message_size(bytes_);
  if (size > max_message_)
    return fail(Error{Code::kTooLarge, blame_, Retry::kNever,
                      "a gRPC message of " + std::to_string(size) + " bytes; the limit is " +
                          std::to_string(max_message_)});
  const std::size_t whole = kPrefix + size;
  if (bytes_.size() < whole) return std::nullopt;
  std::string message;
  // One that is all there is is not copied: it may be megabytes.
  if (whole == bytes_.size())
    message = std::exchange(bytes_, {});
  else
    message.assign(bytes_, 0, whole), bytes_.erase(0, whole);
  message.erase(0, kPrefix);
  return message;
}

}  // namespace weft::http::grpc
