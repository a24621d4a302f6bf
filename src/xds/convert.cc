#include "xds/convert.h"

#include <google/protobuf/unknown_field_set.h>
#include <re2/re2.h>

namespace weft::xds {

namespace core = envoy::config::core::v3;
namespace matcher = envoy::type::matcher::v3;
namespace pb = google::protobuf;

proxy::Milliseconds to_milliseconds(const pb::Duration& duration) {
  const auto nanoseconds = std::chrono::seconds(duration.seconds()) + std::chrono::nanoseconds(duration.nanos());
  // Half a millisecond is not "none": what is not zero stays at least one.
  const auto rounded = std::chrono::duration_cast<proxy::Milliseconds>(nanoseconds);
  return rounded.count() == 0 && duration.nanos() > 0 ? proxy::Milliseconds(1) : rounded;
}

Result<net::Address> to_address(const core::Address& address, const Path& path) {
  if (address.has_pipe()) {
    auto made = net::Address::unix_path(address.pipe().path());
    if (!made) return invalid(path / "pipe.path", made.error().text);
    return made;
  }
  if (!address.has_socket_address()) return invalid(path, "there is neither socket_address nor pipe");
  const core::SocketAddress& socket = address.socket_address();
  if (socket.protocol() != core::SocketAddress::TCP) return unsupported(path / "socket_address.protocol", "UDP");
  if (socket.port_value() > 65535) return invalid(path / "socket_address.port_value", "a port is at most 65535, not " + std::to_string(socket.port_value()));
  auto made = net::Address::parse_ip(socket.address(), static_cast<std::uint16_t>(socket.port_value()));
  if (!made) return invalid(path / "socket_address.address", "'" + socket.address() + "' is not an IP address");
  return made;
}

Result<proxy::RegexPtr> to_regex(const std::string& pattern, const Path& path) {
  auto compiled = std::make_shared<RE2>(pattern, RE2::Quiet);
  if (!compiled->ok()) return invalid(path, "the regular expression '" + pattern + "' does not compile: " + compiled->error());
  return proxy::RegexPtr(std::move(compiled));
}

Result<proxy::StringMatch> to_string_match(const matcher::StringMatcher& from, const Path& path) {
  using Kind = proxy::StringMatch::Kind;
  proxy::StringMatch match;
  match.ignore_case = from.ignore_case();
  switch (from.match_pattern_case()) {
    case matcher::StringMatcher::kExact: match.kind = Kind::kExact; match.text = from.exact(); break;
    case matcher::StringMatcher::kPrefix: match.kind = Kind::kPrefix; match.text = from.prefix(); break;
    case matcher::StringMatcher::kSuffix: match.kind = Kind::kSuffix; match.text = from.suffix(); break;
    case matcher::StringMatcher::kContains: match.kind = Kind::kContains; match.text = from.contains(); break;
    case matcher::StringMatcher::kSafeRegex: {
      match.kind = Kind::kRegex;
      WEFT_TRY(match.regex, to_regex(from.safe_regex().regex(), path / "safe_regex.regex"));
      break;
    }
    default: return invalid(path, "nothing says what to match");
  }
  return match;
}

std::string type_of(const pb::Any& any) {
  const auto slash = any.type_url().rfind('/');
  return slash == std::string::npos ? any.type_url() : any.type_url().substr(slash + 1);
}

Result<void> unpack(const pb::Any& any, pb::Message& into, const Path& path) {
  const std::string wanted(into.GetDescriptor()->full_name());
  if (type_of(any) != wanted) return invalid(path, "the type is '" + type_of(any) + "', not '" + wanted + "'");
  if (!into.ParseFromString(any.value())) return invalid(path, "the bytes are not a " + wanted);
  return {};
}

namespace {

/// Calls `visit(message, path)` for `message` and every message inside it until one returns an error.
template <class Visit>
Result<void> walk(const pb::Message& message, const Path& path, const Visit& visit) {
  WEFT_CHECK(visit(message, path));
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      WEFT_CHECK(walk(reflection.GetMessage(message, field), path / field->name(), visit));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      WEFT_CHECK(walk(reflection.GetRepeatedMessage(message, field, i), (path / field->name())[i], visit));
  }
  return {};
}

}  // namespace

Result<void> refuse_unknown(const pb::Message& message, const Path& path) {
  return walk(message, path, [](const pb::Message& one, const Path& at) -> Result<void> {
    const pb::UnknownFieldSet& unknown = one.GetReflection()->GetUnknownFields(one);
    if (unknown.empty()) return {};
    return unsupported(at, "field number " + std::to_string(unknown.field(0).number()) + " of " + std::string(one.GetDescriptor()->full_name()));
  });
}

std::size_t count_unknown(const pb::Message& message) {
  std::size_t count = 0;
  static_cast<void>(walk(message, Path(""), [&](const pb::Message& one, const Path&) -> Result<void> {
    count += static_cast<std::size_t>(one.GetReflection()->GetUnknownFields(one).field_count());
    return {};
  }));
  return count;
}

}  // namespace weft::xds
