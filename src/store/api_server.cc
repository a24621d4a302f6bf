#include "store/api_server.h"

#include <charconv>

#include "http/server.h"
#include "store/api_status.h"

namespace weft::store {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kMostBody = 3 * 1024 * 1024;

net::Task<void> answer(http::ServerExchange& exchange, int status, const api::Json& body) {
  static_cast<void>(co_await http::respond(exchange, status, kJson, body.dump() + "\n"));
}

net::Task<void> answer_error(http::ServerExchange& exchange, const Error& error) {
  co_await answer(exchange, status_form(error).http, status_object(error));
}

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

Result<Query> query_of(const ApiPath& path, std::string_view target) {
  Query query;
  query.kind = path.kind;
  query.ns = path.ns;
  query.label_selector = http::query_parameter(target, "labelSelector").value_or("");
  const std::string fields = http::query_parameter(target, "fieldSelector").value_or("");
  if (fields.empty()) return query;
  constexpr std::string_view kName = "metadata.name=", kNamespace = "metadata.namespace=";
  if (fields.starts_with(kName))
    query.name = fields.substr(fields[kName.size()] == '=' ? kName.size() + 1 : kName.size());
  else if (fields.starts_with(kNamespace))
    query.ns = fields.substr(kNamespace.size());
  else
    return fail(Error::config(
        Code::kInvalid,
        "field selector '" + fields + "': only metadata.name and metadata.namespace are supported"));
  return query;
}

api::Json scale_of(const api::Object& object) {
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata",
           {{"name", object.name()},
            {"namespace", object.ns()},
            {"resourceVersion", std::to_string(object.resource_version())}}},
          {"spec", {{"replicas", object.spec().value("replicas", 1)}}},
          {"status", {{"replicas", object.status().value("replicas", 0)}}}};
}

/// RFC 7396.
void merge(api::Json& into, const api::Json& patch) {
  if (!patch.is_object()) {
    into = patch;
    return;
  }
  if (!into.is_object()) into = api::Json::object();
  for (const auto& [name, value] : patch.items()) {
    if (value.is_null())
      into.erase(name);
    else
      merge(into[name], value);
  }
}

std::string_view event_name(EventType type) {
  switch (type) {
    case EventType::kAdded: return "ADDED";
    case EventType::kModified: return "MODIFIED";
    case EventType::kDeleted: return "DELETED";
    case EventType::kBookmark: return "BOOKMARK";
  }
  return "ERROR";
}

api::Json resource_list(std::string_view group, std::string_view version) {
  api::Json resources = api::Json::array();
  for (const api::KindInfo& kind : api::kinds()) {
    if (kind.group != group || kind.version != version) continue;
    resources.push_back(
        {{"name", kind.plural},
         {"singularName", kind.singular},
         {"namespaced", kind.namespaced},
         {"kind", kind.kind},
         {"verbs", {"create", "delete", "get", "list", "patch", "update", "watch"}},
         {"shortNames", kind.short_name.empty() ? api::Json::array() : api::Json::array({kind.short_name})}});
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion",
           group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version)},
          {"resources", std::move(resources)}};
}

api::Json group_list() {
  api::Json groups = api::Json::array();
  std::vector<std::string_view> seen;
  for (const api::KindInfo& kind : api::kinds()) {
    if (kind.group.empty() || std::find(seen.begin(), seen.end(), kind.group) != seen.end()) continue;
    seen.push_back(kind.group);
    const api::Json version = {{"groupVersion", kind.api_version()}, {"version", kind.version}};
    groups.push_back({{"name", kind.group}, {"versions", {version}}, {"preferredVersion", version}});
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

}  // namespace

net::Task<void> ApiServer::handle(http::ServerExchange& exchange) {
  const std::string target = exchange.request().path;
  const std::string path(http::path_of(target));
  for (const auto& [prefix, route] : routes_) {
    if (!path.starts_with(prefix)) continue;
    co_await route(exchange);
    co_return;
  }
  if (co_await serve_fixed(exchange, path)) co_return;
  std::optional<ApiPath> parsed = parse_api_path(path);
  if (!parsed) {
    co_await answer(exchange, 404,
                    status_object(404, "NotFound", "the server could not find the requested resource"));
    co_return;
  }
  co_await serve(exchange, std::move(*parsed));
}

net::Task<bool> ApiServer::serve_fixed(http::ServerExchange& exchange, std::string_view path) {
  api::Json body;
  if (path == "/healthz" || path == "/readyz" || path == "/livez") {
    static_cast<void>(co_await http::respond(exchange, 200, "text/plain", "ok"));
    co_return true;
  }
  if (path == "/version")
    body = {{"major", "1"}, {"minor", "34"}, {"gitVersion", "v1.34.0-weft"}, {"platform", "linux/amd64"}};
  else if (path == "/api")
    body = {{"kind", "APIVersions"}, {"versions", {"v1"}}};
  else if (path == "/apis")
    body = group_list();
  else if (path == "/api/v1")
    body = resource_list("", "v1");
  else {
    bool found = false;
    for (const api::KindInfo& kind : api::kinds()) found = found || path == "/apis/" + kind.api_version();
    if (!found) co_return false;
    const auto slash = path.rfind('/');
    body = resource_list(path.substr(6, slash - 6), path.substr(slash + 1));
  }
  co_await answer(exchange, 200, body);
  co_return true;
}

net::Task<void> ApiServer::serve(http::ServerExchange& exchange, ApiPath path) {
  const std::string& method = exchange.request().method;
  if (method == "GET" && path.name.empty()) {
    co_await list(exchange, path);
    co_return;
  }
  if (method == "GET") {
    const auto found = co_await store_.get({path.kind, path.ns, path.name});
    if (!found)
      co_await answer_error(exchange, found.error());
    else
      co_await answer(exchange, 200, path.subresource == "scale" ? scale_of(**found) : (*found)->body);
    co_return;
  }
  const bool known = method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
  if (!known || (method == "POST") != path.name.empty()) {
    co_await answer(exchange, 405, status_object(405, "MethodNotAllowed", method + " is not possible here"));
    co_return;
  }
  const auto changed = method == "DELETE" ? co_await remove(exchange, path) : co_await change(exchange, path);
  if (!changed) {
    co_await answer_error(exchange, changed.error());
    co_return;
  }
  co_await answer(exchange, method == "POST" ? 201 : 200,
                  path.subresource == "scale" ? scale_of(**changed) : (*changed)->body);
}

net::Task<void> ApiServer::list(http::ServerExchange& exchange, const ApiPath& path) {
  const std::string target = exchange.request().path;
  auto query = query_of(path, target);
  if (!query) {
    co_await answer_error(exchange, query.error());
    co_return;
  }
  const std::string watching = http::query_parameter(target, "watch").value_or("");
  if (watching == "1" || watching == "true") {
    co_await watch(exchange, std::move(*query));
    co_return;
  }
  const auto found = co_await store_.list(std::move(*query));
  if (!found) {
    co_await answer_error(exchange, found.error());
    co_return;
  }
  api::Json items = api::Json::array();
  for (const api::ObjectPtr& object : found->items) items.push_back(object->body);
  co_await answer(exchange, 200,
                  {{"kind", std::string(path.kind->kind) + "List"},
                   {"apiVersion", path.kind->api_version()},
                   {"metadata", {{"resourceVersion", std::to_string(found->resource_version)}}},
                   {"items", std::move(items)}});
}

net::Task<void> ApiServer::watch(http::ServerExchange& exchange, Query query) {
  const std::uint64_t from = number(http::query_parameter(exchange.request().path, "resourceVersion"));
  auto watching = co_await store_.watch(std::move(query), from);
  if (!watching) {
    co_await answer_error(exchange, watching.error());
    co_return;
  }
  http::ResponseHead head;
  head.status = 200;
  head.headers.add("content-type", kJson);
  Result<void> sent = co_await exchange.send_head(head, false);
  if (sent) sent = co_await exchange.flush();
  while (sent) {
    const auto event = co_await (*watching)->next();
    api::Json line;
    if (event)
      line = {{"type", event_name(event->type)},
              {"object", event->object ? event->object->body : api::Json::object()}};
    else
      line = {{"type", "ERROR"}, {"object", status_object(event.error())}};
    sent = co_await exchange.send_body(line.dump() + "\n", !event);
    if (!event) break;
  }
}

net::Task<Result<api::ObjectPtr>> ApiServer::change(http::ServerExchange& exchange, const ApiPath& path) {
  const std::string method = exchange.request().method;
  WEFT_CO_TRY(const std::string text, co_await http::read_all(exchange, kMostBody));
  api::Json body = api::Json::parse(text, nullptr, false);
  if (!body.is_object()) co_return fail(Error::config(Code::kInvalid, "the body is not a JSON object"));
  if (path.subresource == "scale") co_return co_await scale(path, body);
  if (method == "PATCH") co_return co_await patch(exchange, path, std::move(body));
  if (!body.contains("apiVersion")) body["apiVersion"] = path.kind->api_version();
  if (!body.contains("kind")) body["kind"] = path.kind->kind;
  api::Json& metadata = body["metadata"];
  if (!metadata.is_object()) metadata = api::Json::object();
  if (path.kind->namespaced) {
    const std::string written = metadata.value("namespace", "");
    const std::string ns = path.ns.empty() ? "default" : path.ns;
    if (!written.empty() && written != ns)
      co_return fail(Error::config(
          Code::kInvalid,
          "metadata.namespace: '" + written + "' is not the namespace of the request, '" + ns + "'"));
    metadata["namespace"] = ns;
  }
  if (!path.name.empty()) {
    if (metadata.value("name", path.name) != path.name)
      co_return fail(Error::config(Code::kInvalid, "metadata.name: '" + metadata.value("name", "") +
                                                       "' is not the name of the request, '" + path.name +
                                                       "'"));
    metadata["name"] = path.name;
  }
  const api::KindInfo* kind = api::find_kind(body.value("apiVersion", ""), body.value("kind", ""));
  if (kind != path.kind)
    co_return fail(
        Error::config(Code::kInvalid, "kind: '" + body.value("kind", "") + "' does not belong to this path"));
  api::Object object{kind, std::move(body)};
  if (method == "POST") co_return co_await store_.create(std::move(object));
  if (path.subresource == "status") co_return co_await store_.update_status(std::move(object));
  co_return co_await store_.update(std::move(object));
}

net::Task<Result<api::ObjectPtr>> ApiServer::patch(http::ServerExchange& exchange, const ApiPath& path,
                                                   api::Json body) {
  const std::string type(exchange.request().headers.get("content-type").value_or(""));
  if (!type.starts_with("application/merge-patch+json"))
    co_return fail(Error::config(
        Code::kUnsupported, "content type '" + type + "': only application/merge-patch+json is supported"));
  for (;;) {
    WEFT_CO_TRY(const api::ObjectPtr present, co_await store_.get({path.kind, path.ns, path.name}));
    api::Object next = *present;
    merge(next.body, body);
    auto done = path.subresource == "status" ? co_await store_.update_status(std::move(next))
                                             : co_await store_.update(std::move(next));
    const bool again = !done && done.error().code == Code::kConflict && !body.contains("resourceVersion");
    if (!again) co_return done;
  }
}

net::Task<Result<api::ObjectPtr>> ApiServer::scale(const ApiPath& path, const api::Json& body) {
  const api::Json* replicas =
      body.contains("spec") && body["spec"].contains("replicas") ? &body["spec"]["replicas"] : nullptr;
  if (!replicas || !replicas->is_number_unsigned())
    co_return fail(Error::config(Code::kInvalid, "spec.replicas: a number from 0 is needed"));
  WEFT_CO_TRY(const api::ObjectPtr present, co_await store_.get({path.kind, path.ns, path.name}));
  api::Object next = *present;
  next.body["spec"]["replicas"] = *replicas;
  co_return co_await store_.update(std::move(next));
}

net::Task<Result<api::ObjectPtr>> ApiServer::remove(http::ServerExchange& exchange, const ApiPath& path) {
  const std::string target = exchange.request().path;
  WEFT_CO_TRY(const std::string text, co_await http::read_all(exchange, kMostBody));
  int grace = -1;
  const api::Json body = api::Json::parse(text, nullptr, false);
  if (body.is_object() && body.contains("gracePeriodSeconds") &&
      body["gracePeriodSeconds"].is_number_integer())
    grace = body["gracePeriodSeconds"].get<int>();
  if (const auto asked = http::query_parameter(target, "gracePeriodSeconds"))
    grace = static_cast<int>(number(asked));
  co_return co_await store_.remove({path.kind, path.ns, path.name}, grace);
}

}  // namespace weft::store
