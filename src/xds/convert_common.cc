#include <re2/re2.h>

#include <algorithm>

#include "base/regex_limit.h"
#include "base/strings.h"
#include "http/connection_fields.h"
#include "proxy/log/access_log.h"
#include "xds/convert.h"

namespace weft::xds {
namespace {

using proxy::HeaderChange;
using proxy::StringMatch;

Result<void> expect_changeable(std::string_view name, const Path& path) {
  if (name.starts_with(':') || to_lower(name) == "host")
    return fail(path.invalid("'" + std::string(name) +
                             "' may not be changed here; use host_rewrite_literal or a rewrite"));
  if (!is_token(name)) return fail(path.invalid("'" + std::string(name) + "' is no header name"));
  // A second length, like a second Transfer-Encoding, would be another reading of the same bytes.
  if (const http::HeaderId known = http::known_field(name);
      known == http::HeaderId::kContentLength || http::is_of_the_connection(known))
    return fail(path.invalid("'" + std::string(name) +
                             "' may not be changed: each proxy writes its own for the connection it is on"));
  return {};
}

HeaderChange::Action action_of(const core::HeaderValueOption& from) {
  if (from.has_append())
    return from.append().value() ? HeaderChange::Action::kAppend : HeaderChange::Action::kOverwriteOrAdd;
  switch (from.append_action()) {
    case core::HeaderValueOption::ADD_IF_ABSENT: return HeaderChange::Action::kAddIfAbsent;
    case core::HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD: return HeaderChange::Action::kOverwriteOrAdd;
    case core::HeaderValueOption::OVERWRITE_IF_EXISTS: return HeaderChange::Action::kOverwriteIfExists;
    default: return HeaderChange::Action::kAppend;
  }
}

/// The text of a log_format; our subset has text formats only.
Result<std::string> to_format(const core::SubstitutionFormatString& from, const Path& path,
                              Conversion& conversion) {
  if (from.omit_empty_values())
    WEFT_CHECK(conversion.unsupported(path.field("omit_empty_values"), "is not supported"));
  if (from.has_text_format_source()) {
    const auto& source = from.text_format_source();
    return source.has_inline_string() ? source.inline_string() : source.inline_bytes();
  }
  if (!from.has_text_format())
    return fail(path.unsupported("only text_format and text_format_source are supported"));
  return from.text_format();
}

Result<proxy::AccessLogConfig> to_file_log(const google::protobuf::Any& any, const Path& path,
                                           Conversion& conversion) {
  envoy::extensions::access_loggers::file::v3::FileAccessLog file;
  WEFT_CHECK(unpack(any, file, path, conversion));
  proxy::AccessLogConfig made;
  made.path = file.path();
  if (made.path.empty()) return fail(path.field("path").invalid("is missing"));
  if (file.has_format()) made.format = file.format();
  if (file.has_log_format()) {
    WEFT_TRY(made.format, to_format(file.log_format(), path.field("log_format"), conversion));
  }
  return made;
}

template <class Message>
Result<proxy::AccessLogConfig> to_stream_log(const google::protobuf::Any& any, std::string file,
                                             const Path& path, Conversion& conversion) {
  Message from;
  WEFT_CHECK(unpack(any, from, path, conversion));
  proxy::AccessLogConfig made;
  made.path = std::move(file);
  if (from.has_log_format()) {
    WEFT_TRY(made.format, to_format(from.log_format(), path.field("log_format"), conversion));
  }
  return made;
}

Result<proxy::AccessLogConfig> to_access_log(const accesslog::AccessLog& from, const Path& path,
                                             Conversion& conversion) {
  namespace streams = envoy::extensions::access_loggers::stream::v3;
  Path config = path.field("typed_config");
  const auto& any = from.typed_config();
  Result<proxy::AccessLogConfig> made;
  if (holds<envoy::extensions::access_loggers::file::v3::FileAccessLog>(any)) {
    made = to_file_log(any, config, conversion);
  } else if (holds<streams::StdoutAccessLog>(any)) {
    made = to_stream_log<streams::StdoutAccessLog>(any, "/dev/stdout", config, conversion);
  } else if (holds<streams::StderrAccessLog>(any)) {
    made = to_stream_log<streams::StderrAccessLog>(any, "/dev/stderr", config, conversion);
  } else {
    return fail(config.unsupported("access logger '" + any.type_url() + "' is not supported"));
  }
  if (made && from.has_filter()) {
    const auto& flags = from.filter().response_flag_filter().flags();
    made->only_with_flags.assign(flags.begin(), flags.end());
    made->filter_by_flags = from.filter().has_response_flag_filter();
  }
  if (!made) return made;
  const auto compiled = proxy::AccessLogs::compile({*made});
  if (!compiled) return fail(path.invalid(compiled.error().text));
  return made;
}

}  // namespace

Result<net::Address> to_address(const core::SocketAddress& from, const Path& path) {
  if (from.protocol() != core::SocketAddress::TCP)
    return fail(path.field("protocol").unsupported("only TCP is supported"));
  if (from.port_value() > 65535)
    return fail(path.field("port_value")
                    .invalid("has to be at most 65535, not " + std::to_string(from.port_value())));
  auto made = net::Address::parse_ip(from.address(), static_cast<std::uint16_t>(from.port_value()));
  if (!made)
    return fail(
        path.field("address").invalid("has to be a numeric IP address, not '" + from.address() + "'"));
  return made;
}

Result<net::Address> to_address(const core::Address& from, const Path& path) {
  if (from.has_socket_address()) return to_address(from.socket_address(), path.field("socket_address"));
  if (!from.has_pipe()) return fail(path.invalid("has to have socket_address or pipe"));
  auto made = net::Address::unix_path(from.pipe().path());
  Path pipe = path.field("pipe");
  if (from.pipe().mode() != 0) return fail(pipe.field("mode").unsupported("is not supported"));
  if (!made) return fail(pipe.field("path").invalid(made.error().text));
  return made;
}

Result<proxy::RegexPtr> to_regex(const matcher::RegexMatcher& from, const Path& path) {
  if (from.regex().size() > kMaxRegex)
    return fail(path.field("regex").invalid("is " + std::to_string(from.regex().size()) +
                                            " bytes long; at most " + std::to_string(kMaxRegex) +
                                            " are accepted"));
  auto made = std::make_shared<const re2::RE2>(from.regex(), re2::RE2::Quiet);
  if (!made->ok())
    return fail(
        path.field("regex").invalid("'" + from.regex() + "' is no regular expression: " + made->error()));
  return made;
}

Result<proxy::StringMatch> to_string_match(const matcher::StringMatcher& from, const Path& path) {
  StringMatch made;
  made.ignore_case = from.ignore_case();
  switch (from.match_pattern_case()) {
    case matcher::StringMatcher::kExact:
      made.kind = StringMatch::Kind::kExact, made.text = from.exact();
      break;
    case matcher::StringMatcher::kPrefix:
      made.kind = StringMatch::Kind::kPrefix, made.text = from.prefix();
      break;
    case matcher::StringMatcher::kSuffix:
      made.kind = StringMatch::Kind::kSuffix, made.text = from.suffix();
      break;
    case matcher::StringMatcher::kContains:
      made.kind = StringMatch::Kind::kContains, made.text = from.contains();
      break;
    case matcher::StringMatcher::kSafeRegex: {
      made.kind = StringMatch::Kind::kRegex;
      WEFT_TRY(made.regex, to_regex(from.safe_regex(), path.field("safe_regex")));
      break;
    }
    default: return fail(path.invalid("has to have one of exact, prefix, suffix, contains, safe_regex"));
  }
  return made;
}

Result<proxy::HeaderChanges> to_header_changes(const Added& added, const Removed& removed,
                                               std::string_view which, const Path& path) {
  proxy::HeaderChanges made;
  std::string add_name = std::string(which) + "_headers_to_add",
              remove_name = std::string(which) + "_headers_to_remove";
  Path add_path = path.field(add_name), remove_path = path.field(remove_name);
  for (int i = 0; i < added.size(); ++i) {
    Path key = add_path.item(i);
    WEFT_CHECK(expect_changeable(added[i].header().key(), key));
    const Path header = key.field("header"), value = header.field("value");
    WEFT_CHECK(expect_field_value(added[i].header().value(), value));
    WEFT_CHECK(expect_format(added[i].header().value(), value));
    made.add.push_back({to_lower(added[i].header().key()), added[i].header().value(), action_of(added[i]),
                        added[i].keep_empty_value()});
  }
  for (int i = 0; i < removed.size(); ++i) {
    WEFT_CHECK(expect_changeable(removed[i], remove_path.item(i)));
    made.remove.push_back(to_lower(removed[i]));
  }
  return made;
}

Result<std::vector<proxy::AccessLogConfig>> to_access_logs(
    const google::protobuf::RepeatedPtrField<accesslog::AccessLog>& from, const Path& path,
    Conversion& conversion) {
  std::vector<proxy::AccessLogConfig> made;
  for (int i = 0; i < from.size(); ++i) {
    auto log = to_access_log(from[i], path.item(i), conversion);
    if (!log && conversion.strict()) return fail(std::move(log).error());
    // A line that cannot be written as wished is no reason to reject traffic.
    if (log)
      made.push_back(std::move(*log));
    else
      WEFT_CHECK(conversion.unsupported(Path(), log.error().text));
  }
  return made;
}

Result<void> read_buffer_limit(std::uint32_t bytes, std::uint32_t& into, const Path& path,
                               Conversion& conversion) {
  constexpr std::uint32_t kBlock = 16 * 1024;
  if (bytes == 0) return fail(path.unsupported("has to be more than 0"));
  if (bytes >= kBlock) {
    into = bytes;
    return {};
  }
  return conversion.unsupported(path, "less than " + std::to_string(kBlock) + " bytes are not supported");
}

Result<void> expect_ads(const core::ConfigSource& source, const Path& path) {
  if (!source.has_ads())
    return fail(path.unsupported("the only source of configuration supported is ads: {}"));
  return {};
}

Result<proxy::Milliseconds> fetch_timeout(const core::ConfigSource& source, const Path& path) {
  if (!source.has_initial_fetch_timeout()) return Need{}.timeout;
  return to_milliseconds(source.initial_fetch_timeout(), path.field("initial_fetch_timeout"));
}

}  // namespace weft::xds
