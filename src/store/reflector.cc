#include "store/reflector.h"

#include <algorithm>

#include "base/log.h"

namespace weft::store {

Reflector::Reflector(net::Loop& loop, Store& store, Sink& sink, Options options)
    : loop_(loop), store_(store), sink_(sink), options_(std::move(options)), backoff_(options_.backoff) {}

net::Task<void> Reflector::run() {
  co_await loop_.yield();
  bool failed_before = false;
  for (;;) {
    heard_ = false;
    watched_since_ = TimePoint::max();
    if (!listed_)
      if (const Result<void> listed = co_await list(); !listed) note("list", listed.error());
    if (listed_) {
      const Result<void> ended = co_await watch();
      if (lived()) {
        backoff_.reset();
        failed_before = false;
      }
      const Error& error = ended.error();
      // A watch ends now and then, and a version grows too old: only a row of it is worth a line.
      const bool ordinary = error.code == Code::kConflict || (error.code == Code::kUnavailable && lived());
      if (!ordinary || failed_before) note("watch", error);
      failed_before = failed_before || !lived();
      if (error.code == Code::kConflict || is_absent(error)) listed_ = false;
    }
    co_await loop_.sleep(backoff_.next(options_.random));
  }
}

net::Task<Result<void>> Reflector::list() {
  const Result<List> list = co_await store_.list(options_.query);
  if (!list && !is_absent(list.error())) co_return fail(list.error());
  last_error_.reset();
  if (!list) {
    version_ = 0;
    backoff_.set_to_max();
    sink_.on_list({});
    co_return Result<void>();
  }
  version_ = list->resource_version;
  listed_ = true;
  sink_.on_list(*list);
  co_return Result<void>();
}

net::Task<Result<void>> Reflector::watch() {
  // Version 0 means "everything first"; an empty store is at version 1 at least.
  WEFT_CO_TRY(const auto watching, co_await store_.watch(options_.query, version_));
  watched_since_ = loop_.now();
  last_error_.reset();
  for (;;) {
    WEFT_CO_TRY(const Event event, co_await watching->next());
    heard_ = true;
    version_ = std::max(version_, event.resource_version);
    if (event.object && event.type != EventType::kBookmark) sink_.on_event(event);
  }
}

void Reflector::note(std::string_view verb, const Error& error) {
  ++failures_;
  if (!last_error_ || last_error_->text != error.text)
    WEFT_LOG(kWarn, "store", "cannot follow a type of resource", {"verb", verb},
             {"resource", api::resource_name(*options_.query.kind)}, {"error", error.text});
  last_error_ = LastError{verb, error.code, error.text};
}

}  // namespace weft::store
