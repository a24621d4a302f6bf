#include "store/remote_store.h"

#include "http/client.h"
#include "http/server.h"
#include "store/api_path.h"
#include "store/api_status.h"

namespace weft::store {
namespace {

constexpr Duration kPatience = 30s;
constexpr std::size_t kLongestLine = 16 * 1024 * 1024;

std::string query_text(const Query& query) {
  std::string text = "?limit=0";
  if (!query.label_selector.empty()) text += "&labelSelector=" + http::percent_encode(query.label_selector);
  if (!query.name.empty()) text += "&fieldSelector=metadata.name%3D" + http::percent_encode(query.name);
  return text;
}

Result<api::ObjectPtr> to_object(api::Json body) {
  auto object = std::make_shared<api::Object>();
  object->kind = api::find_kind(body.value("apiVersion", ""), body.value("kind", ""));
  if (!object->kind)
    return fail(Error::internal(Code::kInvalid, "the API answered with an object of an unknown kind"));
  object->body = std::move(body);
  return api::ObjectPtr(std::move(object));
}

/// Lines of a chunked answer as events.
class RemoteWatch final : public Watch {
 public:
  explicit RemoteWatch(std::unique_ptr<http::Call> call) : call_(std::move(call)) {
    call_->set_deadline(kNever);
  }

  net::Task<Result<Event>> next() override {
    for (;;) {
      const auto end = buffer_.find('\n');
      if (end != std::string::npos) {
        const std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        co_return parse(line);
      }
      if (ended_ || buffer_.size() > kLongestLine)
        co_return fail(Error::internal(Code::kUnavailable, "the watch has ended"));
      const auto chunk = co_await call_->read();
      if (!chunk)
        co_return fail(Error::internal(Code::kUnavailable, "the watch broke: " + chunk.error().text));
      buffer_.append(chunk->data);
      ended_ = chunk->end;
    }
  }

 private:
  static Result<Event> parse(const std::string& line) {
    api::Json parsed = api::Json::parse(line, nullptr, false);
    if (!parsed.is_object() || !parsed.contains("object"))
      return fail(Error::internal(Code::kInvalid, "a line of the watch is no event"));
    const std::string type = parsed.value("type", "");
    if (type == "ERROR")
      return fail(error_of_status(parsed["object"].value("code", 500), parsed["object"].dump()));
    if (type == "BOOKMARK") return Event{EventType::kBookmark, nullptr, 0};
    WEFT_TRY(api::ObjectPtr object, to_object(std::move(parsed["object"])));
    const std::uint64_t version = object->resource_version();
    const EventType kind = type == "ADDED"     ? EventType::kAdded
                           : type == "DELETED" ? EventType::kDeleted
                                               : EventType::kModified;
    return Event{kind, std::move(object), version};
  }

  std::unique_ptr<http::Call> call_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace

net::Task<Result<api::Json>> RemoteStore::call(std::string method, std::string path, std::string body) {
  http::Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  if (!body.empty()) request.headers.add("content-type", "application/json");
  request.body = std::move(body);
  http::FetchOptions options;
  options.deadline = loop_.now() + kPatience;
  WEFT_CO_TRY(http::Response response, co_await http::fetch(loop_, api_, std::move(request), options));
  if (response.head.status >= 400) co_return fail(error_of_status(response.head.status, response.body));
  api::Json parsed = api::Json::parse(response.body, nullptr, false);
  if (!parsed.is_object()) co_return fail(Error::internal(Code::kInvalid, "the API's answer is not JSON"));
  co_return parsed;
}

net::Task<Result<api::ObjectPtr>> RemoteStore::one(std::string method, std::string path, std::string body) {
  WEFT_CO_TRY(api::Json parsed, co_await call(std::move(method), std::move(path), std::move(body)));
  co_return to_object(std::move(parsed));
}

net::Task<Result<api::ObjectPtr>> RemoteStore::get(api::Key key) {
  return one("GET", api_path(*key.kind, key.ns, key.name), {});
}

net::Task<Result<List>> RemoteStore::list(Query query) {
  WEFT_CO_TRY(api::Json parsed,
              co_await call("GET", api_path(*query.kind, query.ns) + query_text(query), {}));
  List list;
  list.resource_version = std::stoull("0" + parsed["metadata"].value("resourceVersion", ""));
  for (api::Json& item : parsed["items"]) {
    if (!item.contains("kind")) {
      item["kind"] = query.kind->kind;
      item["apiVersion"] = query.kind->api_version();
    }
    WEFT_CO_TRY(api::ObjectPtr object, to_object(std::move(item)));
    list.items.push_back(std::move(object));
  }
  co_return list;
}

net::Task<Result<api::ObjectPtr>> RemoteStore::create(api::Object object) {
  return one("POST", api_path(*object.kind, object.ns()), object.body.dump());
}

net::Task<Result<api::ObjectPtr>> RemoteStore::update(api::Object object) {
  return one("PUT", api_path(*object.kind, object.ns(), object.name()), object.body.dump());
}

net::Task<Result<api::ObjectPtr>> RemoteStore::update_status(api::Object object) {
  return one("PUT", api_path(*object.kind, object.ns(), object.name(), "status"), object.body.dump());
}

net::Task<Result<api::ObjectPtr>> RemoteStore::remove(api::Key key, int grace_period_seconds) {
  std::string path = api_path(*key.kind, key.ns, key.name);
  if (grace_period_seconds >= 0) path += "?gracePeriodSeconds=" + std::to_string(grace_period_seconds);
  return one("DELETE", std::move(path), {});
}

net::Task<Result<std::unique_ptr<Watch>>> RemoteStore::watch(Query query, std::uint64_t from) {
  http::Request request;
  request.path = api_path(*query.kind, query.ns) + query_text(query) +
                 "&watch=1&resourceVersion=" + std::to_string(from);
  http::FetchOptions options;
  options.deadline = loop_.now() + kPatience;
  WEFT_CO_TRY(auto call, co_await http::Call::open(loop_, api_, std::move(request), options));
  if (call->head().status < 400)
    co_return std::unique_ptr<Watch>(std::make_unique<RemoteWatch>(std::move(call)));
  std::string body;
  for (;;) {
    WEFT_CO_TRY(const http::BodyChunk chunk, co_await call->read());
    body.append(chunk.data);
    if (chunk.end) break;
  }
  co_return fail(error_of_status(call->head().status, body));
}

}  // namespace weft::store
