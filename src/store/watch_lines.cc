#include "store/watch_lines.h"

#include "api/json_text.h"
#include "base/strings.h"
#include "store/api_status.h"
#include "store/wire.h"

namespace weft::store {
namespace {

constexpr std::size_t kMaxLine = 16 * 1024 * 1024;

std::unexpected<Error> no_event(std::string_view line) {
  std::string shown(line.substr(0, 80));
  for (char& c : shown)
    if (c < ' ' || c > '~') c = '?';
  return fail(Error::internal(Code::kInvalid, "a line of the watch is not an event: \"" + shown + "\""));
}

}  // namespace

WatchLines::WatchLines(std::unique_ptr<http::Call> call, const api::KindInfo& kind,
                       std::function<void(api::Json&)> trim)
    : call_(std::move(call)), kind_(kind), trim_(std::move(trim)) {}

net::Task<Result<Event>> WatchLines::next() {
  for (;;) {
    const auto end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) {
      const std::string_view line = trim(std::string_view(buffer_).substr(begin_, end - begin_));
      begin_ = scanned_ = end + 1;
      if (line.empty()) continue;
      co_return parse(line);
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    scanned_ = buffer_.size();
    if (ended_) co_return fail(Error::internal(Code::kUnavailable, "the watch has ended"));
    if (buffer_.size() > kMaxLine)
      co_return fail(Error::internal(Code::kConflict, "an event is larger than 16 MB; list again"));
    const auto chunk = co_await call_->read();
    if (!chunk) co_return fail(Error::internal(Code::kUnavailable, "the watch broke: " + chunk.error().text));
    buffer_.append(chunk->data);
    ended_ = chunk->end;
  }
}

Result<Event> WatchLines::parse(std::string_view line) const {
  api::Json parsed = api::parse_json(line);
  const std::string type = text_member(parsed, "type");
  if (type.empty() || !parsed.contains("object") || !parsed["object"].is_object()) return no_event(line);
  api::Json& object = parsed["object"];
  if (type == "ERROR") {
    const auto code = object.find("code");
    const int status = code != object.end() && code->is_number_integer() ? code->get<int>() : 500;
    return fail(error_of_status(status, api::json_text(object)));
  }
  if (type == "BOOKMARK") {
    const auto metadata = object.find("metadata");
    if (metadata == object.end()) return no_event(line);
    WEFT_TRY(const std::uint64_t version, version_of(text_member(*metadata, "resourceVersion")));
    return Event{EventType::kBookmark, nullptr, version};
  }
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") return no_event(line);
  if (trim_) trim_(object);
  WEFT_TRY(api::ObjectPtr taken, object_of_wire(std::move(object), kind_));
  const std::uint64_t version = taken->resource_version();
  const EventType event = type == "ADDED"     ? EventType::kAdded
                          : type == "DELETED" ? EventType::kDeleted
                                              : EventType::kModified;
  return Event{event, std::move(taken), version};
}

}  // namespace weft::store
