#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "net/loop.h"
#include "store/kubernetes/trim.h"
#include "store/watch_lines.h"

namespace {

using namespace weft;

/// A response's body that comes in pieces of one length.
class Pieces final : public http::Call {
 public:
  Pieces(std::string_view bytes, std::size_t step) : bytes_(bytes), step_(step) {}
  const http::ResponseHead& head() const override { return head_; }
  net::Task<Result<http::BodyChunk>> read() override {
    const std::string_view piece = bytes_.substr(0, step_);
    bytes_.remove_prefix(piece.size());
    co_return http::BodyChunk{piece, bytes_.empty()};
  }
  void set_deadline(TimePoint) override {}

 private:
  http::ResponseHead head_;
  std::string_view bytes_;
  std::size_t step_;
};

/// To the watch's end: the events in short, and the error.
net::Task<void> follow(store::Watch& watch, std::string& seen) {
  for (;;) {
    const auto event = co_await watch.next();
    if (!event) {
      seen += event.error().text;
      co_return;
    }
    seen +=
        std::to_string(static_cast<int>(event->type)) + " " + std::to_string(event->resource_version) + "\n";
    if (event->object) WEFT_ASSERT(!event->object->name().empty());
  }
}

std::string read(std::string_view bytes, std::size_t step) {
  const auto loop = net::Loop::simulated();
  const api::KindInfo& kind = *api::find_kind("v1", "Pod");
  const auto cut_down = [&kind](api::Json& body) {
    const api::Json whole = body;
    store::trim(body, kind);
    api::Json written = body;
    store::restore(written, whole, kind);
  };
  store::WatchLines watch(std::make_unique<Pieces>(bytes, step), kind, cut_down);
  std::string seen;
  net::TaskScope tasks;
  tasks.spawn(follow(watch, seen));
  loop->settle();
  WEFT_ASSERT(tasks.active() == 0);
  return seen;
}

}  // namespace

/// Bytes as an API server sends them to a watch, cut where the first byte says: the same events as in one
/// piece.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  WEFT_ASSERT(read(bytes, bytes.size()) == read(bytes, data[0] + 1u));
  return 0;
}
