#include "cli/remarks.h"

#include "cli/json_path.h"

namespace weft::cli {
namespace {

constexpr Duration kLimit = 5s;

}  // namespace

net::Task<api::Json> ask_remarks(const Context& context) {
  auto response = co_await context.mesh.get("remarks", kLimit);
  if (!response || response->status != 200) co_return api::Json(nullptr);
  co_return std::move(response->body);
}

std::vector<api::Json> remarks_of(const api::Json& all, const api::Object& object) {
  std::vector<api::Json> found;
  if (!all.is_object()) return found;
  for (const api::Json& each : list_at(all, "remarks"))
    if (text_at(each, "kind") == object.kind->kind && text_at(each, "group") == object.kind->group &&
        text_at(each, "name") == object.name() && text_at(each, "namespace") == object.ns())
      found.push_back(each);
  return found;
}

net::Task<void> warn_of_remarks(const Context& context, std::span<const InputObject> inputs) {
  const api::Json all = co_await ask_remarks(context);
  for (const InputObject& input : inputs)
    for (const api::Json& each : remarks_of(all, input.object)) {
      const std::string field = text_at(each, "field"), place = input.origin.place(field);
      context.note("warning: " + (place.empty() ? "" : place + ": ") + (field.empty() ? "" : field + ": ") +
                   text_at(each, "message") + "\n");
    }
}

}  // namespace weft::cli
