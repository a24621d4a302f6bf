#include "store/kubernetes/kubernetes_store.h"

#include <algorithm>
#include <charconv>

#include "api/json_text.h"
#include "http/server.h"
#include "store/api_path.h"
#include "store/api_status.h"
#include "store/kubernetes/trim.h"
#include "store/watch_lines.h"
#include "store/wire.h"

namespace weft::store {
namespace {

constexpr int kMaxLists = 3;
constexpr int kMaxPages = 2000;
constexpr int kMaxWrites = 5;
constexpr Duration kBetweenWrites = 20ms;
constexpr std::string_view kStrict = "?fieldValidation=Strict";

std::string text_of(const api::Json& body) { return api::json_text(body); }

Error with_type(Error error, const api::KindInfo& kind) {
  if (error.code != Code::kUnsupported) return error;
  return std::move(error).with_context(std::string(kind.plural) + " (" + kind.api_version() + ")");
}

Error changed_meanwhile(const api::Object& object) {
  return Error::config(Code::kConflict, "Operation cannot be fulfilled on " +
                                            std::string(object.kind->plural) + " \"" +
                                            std::string(object.name()) +
                                            "\": the object has been modified; please apply your changes to "
                                            "the latest version and try again");
}

}  // namespace

KubernetesStore::KubernetesStore(net::Loop& loop, std::unique_ptr<ApiClient> client, WatchPatience periods)
    : loop_(loop), client_(std::move(client)), periods_(periods) {}

Result<std::unique_ptr<KubernetesStore>> KubernetesStore::open(net::Loop& loop, ClusterAccess access) {
  auto addresses = resolve_host(access.host, access.port);
  if (!addresses) return fail(std::move(addresses).error().with_context(access.origin));
  WEFT_TRY(auto client, ApiClient::make(loop, std::move(access), std::move(*addresses)));
  return std::make_unique<KubernetesStore>(loop, std::move(client));
}

net::Task<Result<api::Json>> KubernetesStore::call(RawRequest request) {
  http::Request sent;
  sent.method = std::move(request.method);
  sent.path = std::move(request.path);
  if (!request.body.is_null()) {
    sent.headers.add("content-type", request.content_type);
    sent.body = text_of(request.body);
  }
  WEFT_CO_TRY(const http::Response response, co_await client_->fetch(std::move(sent)));
  if (response.head.status >= 400) co_return fail(error_of_status(response.head.status, response.body));
  api::Json parsed = api::parse_json(response.body);
  if (!parsed.is_object())
    co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever,
                                   client_->access().authority() + ": the response is not a JSON object"));
  co_return parsed;
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::one(RawRequest request, const api::KindInfo* kind) {
  auto body = co_await call(std::move(request));
  if (!body) co_return fail(with_type(std::move(body).error(), *kind));
  if (body->contains("metadata") && (*body)["metadata"].is_object())
    (*body)["metadata"].erase("managedFields");
  co_return object_of_wire(std::move(*body), *kind);
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::get(api::Key key) {
  co_return co_await one({.path = api_path(*key.kind, key.ns, key.name)}, key.kind);
}

net::Task<Result<List>> KubernetesStore::list(Query query) {
  for (int tried = 0;; ++tried) {
    bool expired = false;
    auto found = co_await list_pages(query, expired);
    if (!found && expired && tried + 1 < kMaxLists) continue;
    if (!found) co_return fail(with_type(std::move(found).error(), *query.kind));
    co_return found;
  }
}

/// `expired`: the server has forgotten the state that the first pages show.
net::Task<Result<List>> KubernetesStore::list_pages(const Query& query, bool& expired) {
  const std::string path = api_path(*query.kind, query.ns) + "?" + selectors_of(query) + "limit=500";
  List list;
  std::string next;
  for (int page = 0; page < kMaxPages; ++page) {
    auto body =
        co_await call({.path = next.empty() ? path : path + "&continue=" + http::percent_encode(next)});
    if (!body) {
      expired = !next.empty() && body.error().code == Code::kConflict;
      co_return fail(std::move(body).error());
    }
    const api::Json& metadata = (*body)["metadata"];
    WEFT_CO_TRY(const std::uint64_t version, version_of(text_member(metadata, "resourceVersion")));
    if (page == 0) list.resource_version = version;
    for (api::Json& item : (*body)["items"]) {
      trim(item, *query.kind);
      WEFT_CO_TRY(api::ObjectPtr object, object_of_wire(std::move(item), *query.kind));
      list.items.push_back(std::move(object));
    }
    next = text_member(metadata, "continue");
    if (!next.empty()) continue;
    std::ranges::sort(list.items, {}, [](const api::ObjectPtr& each) { return each->key(); });
    co_return list;
  }
  co_return fail(Error::upstream(Code::kTooLarge, Retry::kNever, "a list of more than 2000 pages"));
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::create(api::Object object) {
  if (object.body.contains("metadata") && object.body["metadata"].is_object())
    object.body["metadata"].erase("managedFields");
  RawRequest request;
  request.method = "POST";
  request.path = api_path(*object.kind, object.ns()) + std::string(kStrict);
  request.body = std::move(object.body);
  co_return co_await one(std::move(request), object.kind);
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::update(api::Object object) {
  co_return co_await replace(std::move(object), false);
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::update_status(api::Object object) {
  co_return co_await replace(std::move(object), true);
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::replace(api::Object wanted, bool status) {
  for (int tried = 0;; ++tried) {
    auto done = co_await replace_once(wanted, status);
    const bool again = !done && done.error().code == Code::kConflict && wanted.resource_version() == 0 &&
                       tried + 1 < kMaxWrites;
    if (!again) co_return done;
    co_await loop_.sleep(kBetweenWrites * (tried + 1) + Duration(random_.below(static_cast<std::uint64_t>(
                                                            Duration(kBetweenWrites).count()))));
  }
}

/// Writes the object as it is now but for what is to change: a part that the writer never saw stays.
net::Task<Result<api::ObjectPtr>> KubernetesStore::replace_once(const api::Object& wanted, bool status) {
  WEFT_CO_TRY(const api::ObjectPtr present, co_await get(wanted.key()));
  const std::uint64_t version = wanted.resource_version();
  if (version != 0 && version != present->resource_version()) co_return fail(changed_meanwhile(wanted));
  const bool other = !wanted.uid().empty() && wanted.uid() != present->uid();
  if (other) co_return fail(changed_meanwhile(wanted));
  api::Json given = wanted.body;
  restore(given, present->body, *wanted.kind);
  api::Json next = status ? present->body : given;
  const api::Json& status_from = status ? given : present->body;
  if (status_from.contains("status"))
    next["status"] = status_from["status"];
  else
    next.erase("status");
  next["metadata"]["resourceVersion"] = std::to_string(present->resource_version());
  if (next == present->body) co_return present;
  RawRequest request;
  request.method = "PUT";
  request.path = api_path(*wanted.kind, wanted.ns(), wanted.name(), status ? "status" : "");
  if (!status) request.path += kStrict;
  request.body = std::move(next);
  co_return co_await one(std::move(request), wanted.kind);
}

net::Task<Result<api::ObjectPtr>> KubernetesStore::remove(api::Key key, int grace_period_seconds,
                                                          std::string uid) {
  // The object before it goes: the response may be a Status instead.
  WEFT_CO_TRY(const api::ObjectPtr present, co_await get(key));
  RawRequest request;
  request.method = "DELETE";
  request.path = api_path(*key.kind, key.ns, key.name);
  request.body = {{"kind", "DeleteOptions"}, {"apiVersion", "v1"}, {"propagationPolicy", "Background"}};
  if (grace_period_seconds >= 0) request.body["gracePeriodSeconds"] = grace_period_seconds;
  if (!uid.empty()) request.body["preconditions"] = {{"uid", std::move(uid)}};
  WEFT_CO_TRY(api::Json response, co_await call(std::move(request)));
  if (text_member(response, "kind") == "Status") co_return present;
  co_return object_of_wire(std::move(response), *key.kind);
}

net::Task<Result<std::unique_ptr<Watch>>> KubernetesStore::watch(Query query, std::uint64_t from) {
  const auto spread = static_cast<std::uint64_t>((periods_.longest - periods_.shortest).count());
  const Duration length = periods_.shortest + Duration(random_.below(spread + 1));
  // At least one: 0 would leave it to the server.
  const auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(length).count());
  http::Request request;
  request.path = api_path(*query.kind, query.ns) + "?" + selectors_of(query) +
                 "watch=true&allowWatchBookmarks=true&timeoutSeconds=" + std::to_string(seconds);
  if (from != 0) request.path += "&resourceVersion=" + std::to_string(from);
  WEFT_CO_TRY(auto call, co_await client_->open(std::move(request), length + periods_.grace));
  if (call->head().status < 400)
    co_return std::unique_ptr<Watch>(std::make_unique<WatchLines>(
        std::move(call), *query.kind, [kind = query.kind](api::Json& body) { trim(body, *kind); }));
  std::string body;
  for (;;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await call->read());
    if (body.size() < 65536) body.append(chunk.data);
    if (chunk.end) break;
  }
  co_return fail(with_type(error_of_status(call->head().status, body), *query.kind));
}

net::Task<Result<api::Json>> KubernetesStore::merge_patch(std::string path, api::Json patch) {
  co_return co_await call({.method = "PATCH",
                           .path = std::move(path),
                           .body = std::move(patch),
                           .content_type = "application/merge-patch+json"});
}

net::Task<Result<api::Json>> KubernetesStore::json_patch(std::string path, api::Json operations) {
  co_return co_await call({.method = "PATCH",
                           .path = std::move(path),
                           .body = std::move(operations),
                           .content_type = "application/json-patch+json"});
}

net::Task<Result<api::Json>> KubernetesStore::apply(std::string path, api::Json object,
                                                    std::string field_manager, bool force) {
  path += "?fieldManager=" + http::percent_encode(field_manager) + (force ? "&force=true" : "");
  // JSON is YAML.
  co_return co_await call({.method = "PATCH",
                           .path = std::move(path),
                           .body = std::move(object),
                           .content_type = "application/apply-patch+yaml"});
}

net::Task<Result<api::Json>> KubernetesStore::review_token(std::string token, std::string audience) {
  RawRequest request;
  request.method = "POST";
  request.path = "/apis/authentication.k8s.io/v1/tokenreviews";
  request.body = {{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenReview"}};
  request.body["spec"]["token"] = std::move(token);
  request.body["spec"]["audiences"] = api::Json::array({std::move(audience)});
  WEFT_CO_TRY(api::Json response, co_await call(std::move(request)));
  if (!response.contains("status") || !response["status"].is_object())
    co_return fail(Error::upstream(Code::kUnavailable, Retry::kNever, "a TokenReview without a status"));
  co_return std::move(response["status"]);
}

}  // namespace weft::store
