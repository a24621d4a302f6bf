#pragma once

#include <chrono>
#include <string>

#include <google/protobuf/any.pb.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include "net/address.h"
#include "proxy/config.h"
#include "xds/proto/core.pb.h"
#include "xds/proto/matcher.pb.h"

/// Small conversions that several resource files share. Heavy: .cc files only. Errors carry the field's path.
namespace weft::xds {

/// A path that grows as the conversion goes inward: "listeners[2].filter_chains[0]".
class Path {
 public:
  explicit Path(std::string text) : text_(std::move(text)) {}
  Path operator/(std::string_view field) const { return Path(text_.empty() ? std::string(field) : text_ + "." + std::string(field)); }
  Path operator[](int index) const { return Path(text_ + "[" + std::to_string(index) + "]"); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline std::unexpected<Error> invalid(const Path& path, std::string_view why) {
  return fail(Error::config(Code::kInvalid, path.text() + ": " + std::string(why)));
}
inline std::unexpected<Error> unsupported(const Path& path, std::string_view what) {
  return fail(Error::config(Code::kUnsupported, path.text() + ": " + std::string(what) + " is not supported"));
}

proxy::Milliseconds to_milliseconds(const google::protobuf::Duration& duration);
Result<net::Address> to_address(const envoy::config::core::v3::Address& address, const Path& path);
Result<proxy::RegexPtr> to_regex(const std::string& pattern, const Path& path);
Result<proxy::StringMatch> to_string_match(const envoy::type::matcher::v3::StringMatcher& matcher, const Path& path);
/// Unpacks an Any into `into`; refuses another type by its name.
Result<void> unpack(const google::protobuf::Any& any, google::protobuf::Message& into, const Path& path);
/// The part of a type URL behind its last '/'.
std::string type_of(const google::protobuf::Any& any);
/// Refuses what the wire had and our subset of messages has not, by path: for static bootstraps.
Result<void> refuse_unknown(const google::protobuf::Message& message, const Path& path);
/// Counts unknown fields, for dynamic resources: they are accepted and listed.
std::size_t count_unknown(const google::protobuf::Message& message);

}  // namespace weft::xds
