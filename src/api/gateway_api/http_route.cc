#include "api/gateway_api/http_route.h"

#include <algorithm>
#include <array>
#include <limits>

namespace weft::api::gateway_api {
namespace {

constexpr std::uint32_t kMaxWeight = 1'000'000;
constexpr std::uint16_t kMaxStatus = 599;

constexpr std::array<Word<PathMatch::Type>, 3> kPathTypes = {
    {{"PathPrefix", PathMatch::Type::kPrefix},
     {"Exact", PathMatch::Type::kExact},
     {"RegularExpression", PathMatch::Type::kPattern}}};
constexpr std::array<Word<bool>, 2> kTextTypes = {{{"Exact", false}, {"RegularExpression", true}}};

PathMatch read_path_match(const Json& from, bool& understood) {
  Fields fields(from);
  PathMatch made;
  made.type = fields.word("type", kPathTypes).value_or(made.type);
  if (std::string value = fields.text("value"); !value.empty()) made.value = std::move(value);
  understood = understood && fields.understood();
  return made;
}

std::vector<TextMatch> read_text_matches(Fields& owner, std::string_view name, bool& understood) {
  return owner.list(name, [&](const Json& from, std::size_t) {
    Fields fields(from);
    TextMatch made;
    made.name = fields.text("name");
    made.value = fields.text("value");
    made.is_pattern = fields.word("type", kTextTypes).value_or(false);
    understood = understood && fields.understood();
    return made;
  });
}

RouteMatch read_match(const Json& from, Place where) {
  Fields fields(from);
  RouteMatch made;
  made.where = where;
  bool parts = true;
  if (const Json* path = fields.map("path")) made.path = read_path_match(*path, parts);
  made.method = fields.optional_text("method");
  made.headers = read_text_matches(fields, "headers", parts);
  made.query_params = read_text_matches(fields, "queryParams", parts);
  made.understood = parts && fields.understood();
  return made;
}

void put(TextPairs& into, std::string name, std::string value) {
  const auto there = std::ranges::find(into, name, &TextPairs::value_type::first);
  if (there == into.end())
    into.emplace_back(std::move(name), std::move(value));
  else
    there->second = std::move(value);
}

HeaderModifier read_modifier(const Json* from) {
  HeaderModifier made;
  if (!from) return made;
  Fields fields(*from);
  for (const auto& [name, into] : {std::pair("set", &made.set), std::pair("add", &made.add)})
    fields.list(name, [&](const Json& each, std::size_t) {
      Fields header(each);
      put(*into, header.text("name"), header.text("value"));
      return 0;
    });
  made.remove = fields.texts("remove");
  return made;
}

/// By its type; another value beside it says nothing.
PathChange read_path_change(Fields& owner) {
  const Json* from = owner.map("path");
  if (!from) return {};
  Fields fields(*from);
  const std::string type = fields.text("type");
  if (type == "ReplaceFullPath") return ReplaceFullPath{fields.text("replaceFullPath")};
  if (type == "ReplacePrefixMatch") return ReplacePrefixMatch{fields.text("replacePrefixMatch")};
  return {};
}

RequestRedirect read_redirect(const Json* from) {
  RequestRedirect made;
  if (!from) return made;
  Fields fields(*from);
  made.scheme = fields.text("scheme");
  made.host = fields.text("hostname");
  made.port = fields.port("port");
  made.code = static_cast<std::uint16_t>(fields.integer("statusCode", 0, kMaxStatus).value_or(made.code));
  made.path = read_path_change(fields);
  return made;
}

UrlRewrite read_rewrite(const Json* from) {
  UrlRewrite made;
  if (!from) return made;
  Fields fields(*from);
  made.host = fields.text("hostname");
  made.path = read_path_change(fields);
  return made;
}

/// Filters of a rule. Of two redirects or rewrites the first holds, of two changes of headers the last.
void read_filter(RouteRule& rule, const Json& from) {
  Fields fields(from);
  const std::string type = fields.text("type");
  if (type == "RequestHeaderModifier")
    rule.headers.request = read_modifier(fields.map("requestHeaderModifier"));
  if (type == "ResponseHeaderModifier")
    rule.headers.response = read_modifier(fields.map("responseHeaderModifier"));
  if (type == "RequestRedirect" && !rule.redirect)
    rule.redirect = read_redirect(fields.map("requestRedirect"));
  if (type == "URLRewrite" && !rule.rewrite) rule.rewrite = read_rewrite(fields.map("urlRewrite"));
}

/// A backend's filters change headers and nothing else.
HeaderFilters read_backend_filters(Fields& backend) {
  RouteRule filters;
  backend.list("filters", [&](const Json& each, std::size_t) {
    read_filter(filters, each);
    return 0;
  });
  return std::move(filters.headers);
}

BackendRef read_backend(const Json& from) {
  Fields fields(from);
  BackendRef made;
  made.group = fields.text("group");
  made.kind = fields.text("kind");
  made.ns = fields.text("namespace");
  made.name = fields.text("name");
  made.port = fields.port("port");
  made.weight = static_cast<std::uint32_t>(fields.integer("weight", 0, kMaxWeight).value_or(made.weight));
  made.headers = read_backend_filters(fields);
  return made;
}

/// Something that is no list of matches is one match that is not understood, and not a rule without any.
std::vector<RouteMatch> read_matches(Fields& fields, Place rule) {
  const Json* from = fields.any("matches");
  if (from && !from->is_array()) return {read_match(Json(), rule.at(List::kMatches, 0))};
  std::vector<RouteMatch> made;
  if (!from) return made;
  made.reserve(from->size());
  for (std::size_t i = 0; i < from->size(); ++i)
    made.push_back(read_match((*from)[i], rule.at(List::kMatches, i)));
  return made;
}

RouteRule read_rule(const Json& from, std::size_t index) {
  Fields fields(from);
  RouteRule made;
  made.where = Place().at(List::kRules, index);
  made.matches = read_matches(fields, made.where);
  fields.list("filters", [&](const Json& each, std::size_t) {
    read_filter(made, each);
    return 0;
  });
  made.backends =
      fields.list("backendRefs", [](const Json& each, std::size_t) { return read_backend(each); });
  if (const Json* timeouts = fields.map("timeouts")) {
    Fields times(*timeouts);
    made.timeout = times.duration("request");
    made.backend_timeout = times.duration("backendRequest");
  }
  return made;
}

}  // namespace

std::string PathMatch::prefix() const {
  std::string text = value;
  while (text.ends_with('/')) text.pop_back();
  return text;
}

ParentRef read_parent(const Json& from, Place where) {
  Fields fields(from);
  ParentRef made;
  made.where = where;
  made.group = fields.optional_text("group");
  made.kind = fields.optional_text("kind");
  made.ns = fields.optional_text("namespace");
  made.name = fields.text("name");
  made.section = fields.optional_text("sectionName");
  if (const std::uint16_t port = fields.port("port"); port != 0) made.port = port;
  return made;
}

Json to_json(const ParentRef& parent) {
  Json made = Json::object();
  const auto put_text = [&](const char* name, const std::optional<std::string>& text) {
    if (text) made[name] = *text;
  };
  made["name"] = parent.name;
  put_text("namespace", parent.ns);
  put_text("sectionName", parent.section);
  if (parent.port) made["port"] = *parent.port;
  put_text("group", parent.group);
  put_text("kind", parent.kind);
  return made;
}

HttpRoute read_http_route(const Json& spec) {
  Fields fields(spec);
  HttpRoute made;
  made.parents = fields.list("parentRefs", [](const Json& each, std::size_t index) {
    return read_parent(each, Place().at(List::kParentRefs, index));
  });
  made.hosts = fields.texts("hostnames");
  made.rules = fields.list("rules", read_rule);
  return made;
}

}  // namespace weft::api::gateway_api
