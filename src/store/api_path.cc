#include "store/api_path.h"

#include <vector>

#include "base/strings.h"
#include "http/server.h"

namespace weft::store {

std::optional<ApiPath> parse_api_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string> parts;
  for (const std::string_view part : split(path.substr(1), '/')) parts.push_back(http::percent_decode(part));
  if (!parts.empty() && parts.back().empty()) parts.pop_back();
  std::size_t at = 0;
  std::string group;
  if (parts.size() > 2 && parts[0] == "api")
    at = 1;
  else if (parts.size() > 3 && parts[0] == "apis") {
    group = parts[1];
    at = 2;
  } else
    return std::nullopt;
  ApiPath result;
  result.version = parts[at++];
  // "namespaces/x/pods" is in a namespace; "namespaces/x" is one.
  if (parts[at] == "namespaces" && parts.size() > at + 2 && parts[at + 2] != "status") {
    result.ns = parts[at + 1];
    at += 2;
  }
  result.kind = api::find_kind_by_plural(group, parts[at]);
  if (!result.kind) return std::nullopt;
  if (++at < parts.size()) result.name = parts[at];
  if (++at < parts.size()) result.subresource = parts[at];
  if (parts.size() > at + 1) return std::nullopt;
  return result;
}

std::string api_path(const api::KindInfo& kind, std::string_view ns, std::string_view name,
                     std::string_view subresource) {
  std::string path = kind.group.empty() ? "/api/" : "/apis/" + std::string(kind.group) + "/";
  path += kind.version;
  if (kind.namespaced && !ns.empty()) path += "/namespaces/" + http::percent_encode(ns);
  path += "/" + std::string(kind.plural);
  if (!name.empty()) path += "/" + http::percent_encode(name);
  if (!subresource.empty()) path += "/" + std::string(subresource);
  return path;
}

}  // namespace weft::store
