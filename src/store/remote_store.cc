#include "store/remote_store.h"

#include "api/json_text.h"
#include "http/client.h"
#include "http/server.h"
#include "store/api_path.h"
#include "store/api_status.h"
#include "store/watch_lines.h"
#include "store/wire.h"

namespace weft::store {
namespace {

/// The store is on this machine and responds in milliseconds; a stopped or hung control plane is to be told
/// of.
Error explain(Error error) {
  if (error.code == Code::kTimeout) error.text = std::string(kNoResponse) + ": " + error.text;
  return error;
}

}  // namespace

net::Task<Result<api::Json>> RemoteStore::call(std::string method, std::string path, std::string body) {
  http::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  if (!body.empty()) request.headers.add("content-type", "application/json");
  request.body = std::move(body);
  http::FetchOptions options;
  options.deadline = loop_.now() + timeout_;
  auto fetched = co_await http::fetch(loop_, api_, std::move(request), options);
  if (!fetched) co_return fail(explain(std::move(fetched).error()));
  const http::Response response = std::move(*fetched);
  if (response.head.status >= 400) co_return fail(error_of_status(response.head.status, response.body));
  api::Json parsed = api::parse_json(response.body);
  if (!parsed.is_object()) co_return fail(Error::internal(Code::kInvalid, "the API's response is not JSON"));
  co_return parsed;
}

net::Task<Result<api::ObjectPtr>> RemoteStore::one(const api::KindInfo& kind, std::string method,
                                                   std::string path, std::string body) {
  if (dry_run_ && method != "GET")
    path += (path.find('?') == path.npos ? "?" : "&") + std::string("dryRun=All");
  WEFT_CO_TRY(api::Json parsed, co_await call(std::move(method), std::move(path), std::move(body)));
  co_return object_of_wire(std::move(parsed), kind);
}

net::Task<Result<api::ObjectPtr>> RemoteStore::get(api::Key key) {
  return one(*key.kind, "GET", api_path(*key.kind, key.ns, key.name), {});
}

net::Task<Result<List>> RemoteStore::list(Query query) {
  WEFT_CO_TRY(api::Json parsed,
              co_await call("GET", api_path(*query.kind, query.ns) + "?" + selectors_of(query), {}));
  List list;
  WEFT_CO_TRY(list.resource_version, version_of(text_member(parsed["metadata"], "resourceVersion")));
  for (api::Json& item : parsed["items"]) {
    WEFT_CO_TRY(api::ObjectPtr object, object_of_wire(std::move(item), *query.kind));
    list.items.push_back(std::move(object));
  }
  co_return list;
}

net::Task<Result<api::ObjectPtr>> RemoteStore::create(api::Object object) {
  return one(*object.kind, "POST", api_path(*object.kind, object.ns()), api::json_text(object.body));
}

net::Task<Result<api::ObjectPtr>> RemoteStore::update(api::Object object) {
  return one(*object.kind, "PUT", api_path(*object.kind, object.ns(), object.name()),
             api::json_text(object.body));
}

net::Task<Result<api::ObjectPtr>> RemoteStore::update_status(api::Object object) {
  return one(*object.kind, "PUT", api_path(*object.kind, object.ns(), object.name(), "status"),
             api::json_text(object.body));
}

net::Task<Result<api::ObjectPtr>> RemoteStore::remove(api::Key key, int grace_period_seconds,
                                                      std::string uid) {
  std::string path = api_path(*key.kind, key.ns, key.name);
  if (grace_period_seconds >= 0) path += "?gracePeriodSeconds=" + std::to_string(grace_period_seconds);
  std::string body;
  if (!uid.empty()) body = api::json_text(api::Json{{"preconditions", {{"uid", std::move(uid)}}}});
  return one(*key.kind, "DELETE", std::move(path), std::move(body));
}

net::Task<Result<std::unique_ptr<Watch>>> RemoteStore::watch(Query query, std::uint64_t from) {
  http::Request request;
  request.path = api_path(*query.kind, query.ns) + "?" + selectors_of(query) +
                 "watch=1&resourceVersion=" + std::to_string(from);
  http::FetchOptions options;
  options.deadline = loop_.now() + timeout_;
  auto opened = co_await http::Call::open(loop_, api_, std::move(request), options);
  if (!opened) co_return fail(explain(std::move(opened).error()));
  auto call = std::move(*opened);
  if (call->head().status < 400) {
    call->set_deadline(kNever);
    co_return std::unique_ptr<Watch>(std::make_unique<WatchLines>(std::move(call), *query.kind));
  }
  std::string body;
  for (;;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await call->read());
    body.append(chunk.data);
    if (chunk.end) break;
  }
  co_return fail(error_of_status(call->head().status, body));
}

}  // namespace weft::store
