#include "xds/conversion.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>

#include "base/log.h"
#include "xds/field_names.h"

namespace weft::xds {
namespace {

namespace pb = google::protobuf;

/// 100 years: any of them can be added to the present time, of 64 bits of nanoseconds.
constexpr std::int64_t kMaxSeconds = 3'155'760'000;

/// Unknown fields that must not be ignored: without them something would be let through, sent in the open or
/// done to a request that it was not meant for. Number 0: any unknown field of that message.
struct Guarded {
  std::string_view message;
  int number;
  std::string_view field;
};
constexpr Guarded kGuarded[] = {
    {"envoy.config.listener.v3.FilterChainMatch", 0, ""},
    {"envoy.config.listener.v3.FilterChain", 6, "transport_socket"},
    {"envoy.config.listener.v3.Listener", 18, "udp_listener_config"},
    {"envoy.config.listener.v3.Listener", 19, "api_listener"},
    {"envoy.config.listener.v3.Listener", 27, "internal_listener"},
    {"envoy.config.core.v3.HttpProtocolOptions", 5, "headers_with_underscores_action"},
    {"envoy.config.route.v3.RouteConfiguration", 3, "internal_only_headers"},
    {"envoy.config.route.v3.RouteMatch", 0, ""},
    {"envoy.config.route.v3.RedirectAction", 9, "regex_rewrite"},
    {"envoy.config.route.v3.RetryPolicy", 10, "retriable_request_headers"},
    {"envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter", 7, "disabled"},
    {"envoy.config.route.v3.HeaderMatcher", 0, ""},
    {"envoy.config.route.v3.QueryParameterMatcher", 0, ""},
    {"envoy.type.matcher.v3.StringMatcher", 0, ""},
    {"envoy.config.cluster.v3.Cluster", 24, "transport_socket"},
    {"envoy.config.cluster.v3.Cluster", 38, "cluster_type"},
    {"envoy.config.cluster.v3.Cluster", 43, "transport_socket_matches"},
    {"envoy.extensions.filters.http.fault.v3.HTTPFault", 0, ""},
    {"envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", 16, "tunneling_config"},
};

/// Converted, or closed, by itself: see Conversion::examine.
constexpr std::string_view kUnit = "envoy.config.route.v3.Route";

// The library writes to stderr by itself, of bytes that a peer sent too; what matters is in our errors.
void log_of_library(pb::LogLevel, const char*, int, const std::string& message) {
  WEFT_LOG(kDebug, "protobuf", "the library says", {"message", message});
}
[[maybe_unused]] pb::LogHandler* const kLibraryHandler = pb::SetLogHandler(&log_of_library);

const Guarded* guard_of(std::string_view message, int number) {
  const auto* found = std::ranges::find_if(kGuarded, [&](const Guarded& guarded) {
    return guarded.message == message && (guarded.number == 0 || guarded.number == number);
  });
  return found == std::end(kGuarded) ? nullptr : found;
}

}  // namespace

Result<void> Conversion::unsupported(const Path& path, std::string_view text) {
  Error error = path.unsupported(text);
  if (strict_) return fail(std::move(error));
  left_out_.push_back(std::move(error.text));
  return {};
}

Result<void> Conversion::examine(const pb::Message& message, const Path& path) {
  const auto& reflection = *message.GetReflection();
  const pb::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const int number = unknown.field(i).number();
    const Guarded* guarded = guard_of(message.GetDescriptor()->full_name(), number);
    std::string name = guarded && guarded->number
                           ? std::string(guarded->field)
                           : name_of_field(message.GetDescriptor()->full_name(), number);
    if (guarded) return fail(path.field(name).unsupported("is not supported, and cannot be left out safely"));
    WEFT_CHECK(unsupported(path.field(name), "is not supported"));
  }
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field->message_type()->file()->package() == "google.protobuf") continue;
    if (field->message_type()->full_name() == kUnit) continue;
    Path here = path.field(field->name());
    if (!field->is_repeated()) {
      WEFT_CHECK(examine(reflection.GetMessage(message, field), here));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      WEFT_CHECK(examine(reflection.GetRepeatedMessage(message, field, i), here.item(i)));
  }
  return {};
}

std::string_view message_name(const pb::Any& any) {
  std::string_view url = any.type_url();
  return url.substr(url.rfind('/') + 1);
}

std::string wrapped_name(const pb::Any& any) {
  if (!message_name(any).ends_with("type.v1.TypedStruct") &&
      !message_name(any).ends_with("type.v3.TypedStruct"))
    return {};
  pb::UnknownFieldSet fields;
  if (!fields.ParseFromString(any.value())) return {};
  for (int i = 0; i < fields.field_count(); ++i) {
    const pb::UnknownField& field = fields.field(i);
    if (field.number() != 1 || field.type() != pb::UnknownField::TYPE_LENGTH_DELIMITED) continue;
    const std::string& url = field.length_delimited();
    return url.substr(url.rfind('/') + 1);
  }
  return {};
}

Result<void> unpack(const pb::Any& any, pb::Message& into, const Path& path, Conversion& conversion) {
  if (!into.ParseFromString(any.value()))
    return fail(path.invalid("the bytes are no " + into.GetDescriptor()->full_name()));
  return conversion.examine(into, path);
}

Result<proxy::Milliseconds> to_milliseconds(const pb::Duration& duration, const Path& path) {
  if (duration.seconds() < 0 || duration.nanos() < 0)
    return fail(path.invalid("a duration cannot be negative"));
  if (duration.seconds() > kMaxSeconds || duration.nanos() > 999'999'999)
    return fail(
        path.invalid("a duration has to be at most 100 years (" + std::to_string(kMaxSeconds) + "s)"));
  return proxy::Milliseconds(duration.seconds() * 1000 + (duration.nanos() + 999'999) / 1'000'000);
}

}  // namespace weft::xds
