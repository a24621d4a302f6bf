#include "store/api_server.h"

#include <algorithm>
#include <charconv>

#include "api/json_text.h"
#include "api/json_width.h"
#include "base/strings.h"
#include "http/server.h"
#include "http/while_wanted.h"
#include "store/api_status.h"

namespace weft::store {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::size_t kMaxBody = 3 * 1024 * 1024;
constexpr std::uint64_t kMaxGrace = 1'000'000;
constexpr int kMaxPatchTries = 10;
constexpr std::size_t kMaxMembers = 10'000;

net::Task<void> respond_json(http::ServerExchange& exchange, int status, const api::Json& body) {
  static_cast<void>(co_await http::respond(exchange, status, kJson, api::json_text(body) + "\n"));
}

net::Task<void> respond_error(http::ServerExchange& exchange, const Error& error) {
  co_await respond_json(exchange, status_form(error).http, status_object(error));
}

Error invalid(std::string text) { return Error::config(Code::kInvalid, std::move(text)); }

/// Of a query parameter; `otherwise` when it is absent or empty.
Result<std::uint64_t> number(std::string_view name, std::string_view text, std::uint64_t otherwise) {
  std::uint64_t value = 0;
  if (text.empty()) return otherwise;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return fail(
      invalid(std::string(name) + ": '" + std::string(cut(text, 80)) + "' is not a whole number from 0"));
}

/// A member that says what the path says already: absent, or the same text.
Result<void> agrees(const api::Json& from, const char* member, std::string_view shown,
                    const std::string& expected) {
  const api::Json& written = api::json_member(from, member);
  const bool absent =
      written.is_null() || (written.is_string() && written.get_ref<const std::string&>().empty());
  if (absent || written == expected) return {};
  return fail(invalid(std::string(shown) + ": " + std::string(cut(api::json_text(written), 200)) +
                      " is not that of the request, \"" + expected + "\""));
}

/// What cannot be read would hold for any object.
Result<void> check_preconditions(const api::Json& wanted) {
  if (!wanted.is_null() && !wanted.is_object()) return fail(invalid("preconditions: must be a map"));
  for (const char* field : {"uid", "resourceVersion"}) {
    const api::Json& value = api::json_member(wanted, field);
    if (!value.is_null() && !value.is_string())
      return fail(invalid(std::string("preconditions.") + field + ": must be a string"));
  }
  return {};
}

bool has_subresource(const ApiPath& path) {
  if (path.subresource.empty() || path.subresource == "status") return true;
  const bool scales = path.kind->kind == "Deployment" || path.kind->kind == "ReplicaSet";
  return path.subresource == "scale" && scales;
}

Result<Query> query_of(const ApiPath& path, std::string_view target) {
  Query query;
  query.kind = path.kind;
  query.ns = path.ns;
  query.label_selector = http::query_parameter(target, "labelSelector").value_or("");
  const std::string fields = http::query_parameter(target, "fieldSelector").value_or("");
  if (fields.empty()) return query;
  constexpr std::string_view kName = "metadata.name=", kNamespace = "metadata.namespace=";
  for (std::string_view field : split(fields, ',')) {
    const bool name = field.starts_with(kName);
    if (!name && !field.starts_with(kNamespace))
      return fail(
          Error::config(Code::kInvalid, "field selector '" + std::string(field) +
                                            "': only metadata.name and metadata.namespace are supported"));
    field.remove_prefix(name ? kName.size() : kNamespace.size());
    if (field.starts_with('=')) field.remove_prefix(1);
    if (!name && !path.ns.empty() && field != path.ns)
      return fail(Error::config(Code::kInvalid, "field selector 'metadata.namespace=" + std::string(field) +
                                                    "': the request is for namespace " + path.ns));
    (name ? query.name : query.ns) = std::string(field);
  }
  return query;
}

api::Json scale_of(const api::Object& object) {
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata",
           {{"name", object.name()},
            {"namespace", object.ns()},
            {"resourceVersion", std::to_string(object.resource_version())}}},
          {"spec", {{"replicas", api::json_integer(object.spec(), "replicas", 1)}}},
          {"status", {{"replicas", api::json_integer(object.status(), "replicas", 0)}}}};
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

/// What a request's body is, when it belongs to the request's path.
Result<api::Object> object_of(const ApiPath& path, api::Json body) {
  if (!body.contains("apiVersion")) body["apiVersion"] = path.kind->api_version();
  if (!body.contains("kind")) body["kind"] = path.kind->kind;
  if (!body.contains("metadata")) body["metadata"] = api::Json::object();
  api::Json& metadata = body["metadata"];
  if (!metadata.is_object()) return fail(invalid("metadata: must be a map"));
  if (path.kind->namespaced) {
    const std::string ns = path.ns.empty() ? "default" : path.ns;
    WEFT_CHECK(agrees(metadata, "namespace", "metadata.namespace", ns));
    metadata["namespace"] = ns;
  }
  if (!path.name.empty()) {
    WEFT_CHECK(agrees(metadata, "name", "metadata.name", path.name));
    metadata["name"] = path.name;
  }
  const api::KindInfo* kind =
      api::find_kind(api::json_string(body, "apiVersion"), api::json_string(body, "kind"));
  if (kind != path.kind)
    return fail(invalid("apiVersion and kind: " + std::string(cut(api::json_text(body["apiVersion"]), 100)) +
                        ", " + std::string(cut(api::json_text(body["kind"]), 100)) +
                        " do not belong to this path"));
  return api::Object{kind, std::move(body)};
}

net::Task<Result<void>> send_events(http::ServerExchange& exchange, Watch& watch) {
  for (;;) {
    const auto event = co_await watch.next();
    api::Json line;
    if (event)
      line = {{"type", event_name(event->type)},
              {"object", event->object ? event->object->body : api::Json::object()}};
    else
      line = {{"type", "ERROR"}, {"object", status_object(event.error())}};
    WEFT_CO_CHECK(co_await exchange.send_body(api::json_text(line) + "\n", !event));
    if (!event) co_return Result<void>{};
  }
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
  if (!api::is_utf8(http::percent_decode(target))) {
    co_await respond_json(exchange, 400,
                          status_object(400, "BadRequest", "the path or the query is not UTF-8"));
    co_return;
  }
  for (const auto& [prefix, route] : routes_) {
    if (!path.starts_with(prefix)) continue;
    co_await route(exchange);
    co_return;
  }
  if (co_await serve_fixed(exchange, path)) co_return;
  std::optional<ApiPath> parsed = parse_api_path(path);
  if (!parsed || !has_subresource(*parsed)) {
    co_await respond_json(exchange, 404,
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
  co_await respond_json(exchange, 200, body);
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
      co_await respond_error(exchange, found.error());
    else
      co_await respond_json(exchange, 200, path.subresource == "scale" ? scale_of(**found) : (*found)->body);
    co_return;
  }
  const bool known = method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
  const bool part = !path.subresource.empty() && (method == "POST" || method == "DELETE");
  if (!known || part || (method == "POST") != path.name.empty()) {
    co_await respond_json(exchange, 405,
                          status_object(405, "MethodNotAllowed", method + " is not possible here"));
    co_return;
  }
  const auto changed = co_await change(exchange, path);
  if (!changed) {
    co_await respond_error(exchange, changed.error());
    co_return;
  }
  co_await respond_json(exchange, method == "POST" ? 201 : 200,
                        path.subresource == "scale" ? scale_of(**changed) : (*changed)->body);
}

net::Task<void> ApiServer::list(http::ServerExchange& exchange, const ApiPath& path) {
  const std::string target = exchange.request().path;
  auto query = query_of(path, target);
  if (!query) {
    co_await respond_error(exchange, query.error());
    co_return;
  }
  const std::string watching = http::query_parameter(target, "watch").value_or("");
  if (watching == "1" || watching == "true") {
    co_await watch(exchange, std::move(*query),
                   http::query_parameter(target, "resourceVersion").value_or(""));
    co_return;
  }
  const auto found = co_await store_.list(std::move(*query));
  if (!found) {
    co_await respond_error(exchange, found.error());
    co_return;
  }
  // Text at once: all objects as one value would be there twice.
  std::string text = R"({"kind":")" + std::string(path.kind->kind) + R"(List","apiVersion":")" +
                     path.kind->api_version() + R"(","metadata":{"resourceVersion":")" +
                     std::to_string(found->resource_version) + R"("},"items":[)";
  const std::size_t empty = text.size();
  for (const api::ObjectPtr& object : found->items)
    text.append(text.size() == empty ? "" : ",").append(api::json_text(object->body));
  static_cast<void>(co_await http::respond(exchange, 200, kJson, text + "]}\n"));
}

net::Task<void> ApiServer::watch(http::ServerExchange& exchange, Query query, std::string from) {
  const auto version = number("resourceVersion", from, 0);
  auto watching = version ? co_await store_.watch(std::move(query), *version)
                          : Result<std::unique_ptr<Watch>>(fail(version.error()));
  if (!watching) {
    co_await respond_error(exchange, watching.error());
    co_return;
  }
  http::ResponseHead head;
  head.status = 200;
  head.headers.add("content-type", kJson);
  Result<void> sent = co_await exchange.send_head(head, false);
  if (sent) sent = co_await exchange.flush();
  if (sent)
    static_cast<void>(co_await http::while_wanted(exchange, loop_, send_events(exchange, **watching)));
}

net::Task<Result<api::ObjectPtr>> ApiServer::change(http::ServerExchange& exchange, const ApiPath& path) {
  const std::string method = exchange.request().method, target = exchange.request().path;
  std::string type(exchange.request().headers.get("content-type").value_or(""));
  WEFT_CO_TRY(const std::string text, co_await http::read_all(exchange, kMaxBody));
  api::Json body = api::parse_json(text);
  const bool may_be_empty = method == "DELETE" && text.empty();
  if (!body.is_object() && !may_be_empty) co_return fail(invalid("the body is not a JSON object"));
  if (api::wider_than(body, kMaxMembers)) co_return fail(invalid("a map of more than 10,000 fields"));
  WEFT_CO_TRY(Store* const store, writes_to(target, body));
  if (method == "DELETE") co_return co_await remove(*store, target, path, std::move(body));
  if (path.subresource == "scale") co_return co_await scale(*store, path, body);
  if (method == "PATCH") co_return co_await patch(*store, std::move(type), path, std::move(body));
  WEFT_CO_TRY(api::Object object, object_of(path, std::move(body)));
  if (method == "POST") co_return co_await store->create(std::move(object));
  if (path.subresource == "status") co_return co_await store->update_status(std::move(object));
  co_return co_await store->update(std::move(object));
}

/// dryRun stands in the query, and for DELETE also in the body.
Result<Store*> ApiServer::writes_to(std::string_view target, const api::Json& body) const {
  std::string asked = http::query_parameter(target, "dryRun").value_or("");
  const api::Json& listed = api::json_member(body, "dryRun");
  if (asked.empty() && listed.is_array() && !listed.empty())
    asked = listed[0].is_string() ? listed[0].get<std::string>() : api::json_text(listed[0]);
  if (asked.empty()) return &store_;
  if (asked == "All" && dry_run_) return dry_run_;
  return fail(invalid("dryRun: '" + std::string(cut(asked, 80)) + "': only All is supported"));
}

net::Task<Result<api::ObjectPtr>> ApiServer::patch(Store& store, std::string type, const ApiPath& path,
                                                   api::Json body) {
  if (!type.starts_with("application/merge-patch+json"))
    co_return fail(Error::config(
        Code::kUnsupported, "content type '" + type + "': only application/merge-patch+json is supported"));
  const api::Key key{path.kind, path.ns, path.name};
  const bool of_one_version =
      !api::json_member(api::json_member(body, "metadata"), "resourceVersion").is_null();
  for (int tries = 1;; ++tries) {
    WEFT_CO_TRY(const api::ObjectPtr present, co_await store.get(key));
    api::Object next = *present;
    merge(next.body, body);
    const bool same = next.key() == key && next.body["kind"] == present->body["kind"] &&
                      next.body["apiVersion"] == present->body["apiVersion"];
    if (!same)
      co_return fail(invalid("a patch cannot change apiVersion, kind, metadata.namespace or metadata.name"));
    auto done = path.subresource == "status" ? co_await store.update_status(std::move(next))
                                             : co_await store.update(std::move(next));
    const bool again =
        !done && done.error().code == Code::kConflict && !of_one_version && tries < kMaxPatchTries;
    if (!again) co_return done;
  }
}

net::Task<Result<api::ObjectPtr>> ApiServer::scale(Store& store, const ApiPath& path, const api::Json& body) {
  const std::int64_t replicas =
      api::json_integer(api::json_member(body, "spec"), "replicas", -1, 0, INT32_MAX);
  if (replicas < 0) co_return fail(invalid("spec.replicas: a number from 0 is needed"));
  WEFT_CO_TRY(const api::ObjectPtr present, co_await store.get({path.kind, path.ns, path.name}));
  api::Object next = *present;
  next.body["spec"]["replicas"] = replicas;
  if (const auto version = api::json_string(api::json_member(body, "metadata"), "resourceVersion");
      !version.empty())
    next.body["metadata"]["resourceVersion"] = version;
  co_return co_await store.update(std::move(next));
}

net::Task<Result<api::ObjectPtr>> ApiServer::remove(Store& store, std::string target, const ApiPath& path,
                                                    api::Json body) {
  constexpr const char* kGrace = "gracePeriodSeconds";
  const api::Json& written = api::json_member(body, kGrace);
  const std::string asked = http::query_parameter(target, kGrace)
                                .value_or(written.is_null() ? std::string() : api::json_text(written));
  std::int64_t grace = -1;
  if (!asked.empty()) {
    WEFT_CO_TRY(const std::uint64_t seconds, number(kGrace, asked, 0));
    grace = static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, kMaxGrace));
  }
  const api::Key key{path.kind, path.ns, path.name};
  const api::Json& wanted = api::json_member(body, "preconditions");
  WEFT_CO_CHECK(check_preconditions(wanted));
  if (wanted.is_object()) {
    WEFT_CO_TRY(const api::ObjectPtr stored, co_await store.get(key));
    for (const char* field : {"uid", "resourceVersion"}) {
      const std::string value = api::json_string(wanted, field);
      const std::string is = api::json_string(api::json_member(stored->body, "metadata"), field);
      if (!value.empty() && value != is)
        co_return fail(Error::config(Code::kConflict, std::string("Precondition failed: ") + field +
                                                          " in precondition: " + value +
                                                          ", in object meta: " + is));
    }
  }
  // Writes of the same turn come before: the object of that name may be another by then.
  co_return co_await store.remove(key, static_cast<int>(grace), api::json_string(wanted, "uid"));
}

}  // namespace weft::store
