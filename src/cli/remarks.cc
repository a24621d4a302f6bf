#include "cli/remarks.h"

#include <array>
#include <map>

#include "cli/json_path.h"
#include "store/api_path.h"

namespace weft::cli {
namespace {

constexpr Duration kLimit = 5s;
// Of more objects than this all are asked for.
constexpr std::size_t kMaxAsked = 40;

/// "?of=<REST path>,<another>"; empty for all there are.
std::string question_about(std::span<const api::Key> keys) {
  if (keys.empty() || keys.size() > kMaxAsked) return {};
  std::string text;
  for (const api::Key& key : keys)
    text += (text.empty() ? "?of=" : ",") + store::api_path(*key.kind, key.ns, key.name);
  return text;
}

/// Which object a remark is about.
std::array<std::string, 4> object_of(const api::Json& remark) {
  return {text_at(remark, "kind"), text_at(remark, "group"), text_at(remark, "namespace"),
          text_at(remark, "name")};
}

}  // namespace

net::Task<api::Json> ask_remarks(const Context& context, std::vector<api::Key> of) {
  auto response = co_await context.mesh.get("remarks" + question_about(of), kLimit);
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
  std::vector<api::Key> keys;
  for (const InputObject& input : inputs) keys.push_back(input.object.key());
  const api::Json all = co_await ask_remarks(context, std::move(keys));
  std::map<std::array<std::string, 4>, std::vector<const api::Json*>> by_object;
  if (all.is_object())
    for (const api::Json& each : list_at(all, "remarks")) by_object[object_of(each)].push_back(&each);
  for (const InputObject& input : inputs) {
    const api::Key key = input.object.key();
    const auto found =
        by_object.find({std::string(key.kind->kind), std::string(key.kind->group), key.ns, key.name});
    if (found == by_object.end()) continue;
    for (const api::Json* each : found->second) {
      const std::string field = text_at(*each, "field"), place = input.origin.place(field);
      context.note("warning: " + (place.empty() ? "" : place + ": ") + (field.empty() ? "" : field + ": ") +
                   text_at(*each, "message") + "\n");
    }
  }
}

}  // namespace weft::cli
