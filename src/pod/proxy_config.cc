#include "pod/proxy_config.h"

#include "api/duration.h"
#include "api/json.h"
#include "api/json_text.h"
#include "base/strings.h"

namespace weft::pod {
namespace {

using api::Json;

constexpr unsigned kMaxWorkers = 256;

std::unexpected<Error> rejected(std::string_view field, const Json& value, std::string_view right) {
  return fail(Error::config(Code::kInvalid, "PROXY_CONFIG: " + std::string(field) + ": " +
                                                std::string(cut(api::json_text(value), 100)) + ": " +
                                                std::string(right)));
}

Result<void> read_duration(std::string_view field, const Json& value, std::chrono::milliseconds& into) {
  if (!value.is_string()) return rejected(field, value, "has to be a duration such as \"5s\"");
  auto parsed = api::parse_duration(value.get<std::string>());
  if (!parsed) return rejected(field, value, parsed.error().text);
  into = *parsed;
  return {};
}

Result<void> read_metadata(const Json& value, ProxyConfig& into) {
  if (!value.is_object()) return rejected("proxyMetadata", value, "has to be a map of texts");
  for (const auto& [name, each] : value.items())
    into.metadata[name] = each.is_string() ? each.get<std::string>() : api::json_text(each);
  return {};
}

Result<void> read_field(const std::string& name, const Json& value, ProxyConfig& into) {
  if (name == "concurrency") {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMaxWorkers)
      return rejected(name, value, "has to be a number up to 256");
    into.concurrency = value.get<unsigned>();
  } else if (name == "drainDuration") {
    return read_duration(name, value, into.drain);
  } else if (name == "terminationDrainDuration") {
    return read_duration(name, value, into.termination_drain);
  } else if (name == "statusPort") {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > 65535)
      return rejected(name, value, "has to be a port, or 0 for none");
    into.status_port = value.get<std::uint16_t>();
  } else if (name == "proxyMetadata") {
    return read_metadata(value, into);
  } else if (name != "holdApplicationUntilProxyStarts") {  // which is the injection's to do
    into.ignored.push_back(name);
  }
  return {};
}

}  // namespace

Result<ProxyConfig> ProxyConfig::parse(std::string_view json) {
  ProxyConfig made;
  if (json.empty()) return made;
  const Json all = api::parse_json(json);
  if (!all.is_object())
    return fail(Error::config(Code::kInvalid, "PROXY_CONFIG: has to be a JSON object, not \"" +
                                                  std::string(cut(json, 100)) + "\""));
  for (const auto& [name, value] : all.items()) WEFT_CHECK(read_field(name, value, made));
  return made;
}

}  // namespace weft::pod
