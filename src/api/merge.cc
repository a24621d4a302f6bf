#include "api/merge.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>

#include "api/json_text.h"

namespace weft::api {
namespace {

struct MergeKey {
  std::string_view list;
  std::string_view key;
};
// Of Kubernetes' own kinds. A list may have several rows: the first key that all its items have is taken.
constexpr MergeKey kMergeKeys[] = {
    {"containers", "name"},       {"env", "name"},
    {"volumes", "name"},          {"volumeMounts", "mountPath"},
    {"ports", "containerPort"},   {"ports", "port"},
    {"imagePullSecrets", "name"}, {"ownerReferences", "uid"},
};

const Json kNothing = Json::object();

const Json* member(const Json& value, std::string_view name) {
  if (!value.is_object()) return nullptr;
  auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

using Index = std::unordered_map<std::string, const Json*>;

/// The items by the text of their key; nothing when one has no key or two have the same.
std::optional<Index> index_by(const Json& list, std::string_view key) {
  Index index;
  for (const Json& item : list) {
    const Json* value = member(item, key);
    if (!value || !value->is_primitive()) return std::nullopt;
    if (!index.emplace(value->dump(-1, ' ', false, Json::error_handler_t::replace), &item).second)
      return std::nullopt;
  }
  return index;
}

Json merge(const Json& last, const Json& live, const Json& desired, std::string_view field);

std::string key_text(const Json& item, std::string_view key) { return json_text(item[std::string(key)]); }

std::optional<Json> merge_lists(const Json& last, const Json& live, const Json& desired, std::string_view key,
                                std::string_view field) {
  auto old = index_by(live, key);
  auto wanted = index_by(desired, key);
  if (!old || !wanted) return std::nullopt;
  auto before = last.is_array() ? index_by(last, key) : Index{};
  if (!before) before = Index{};
  Json result = Json::array();
  for (const Json& item : desired) {
    std::string id = key_text(item, key);
    auto there = old->find(id);
    auto applied = before->find(id);
    result.push_back(merge(applied == before->end() ? kNothing : *applied->second,
                           there == old->end() ? kNothing : *there->second, item, field));
  }
  for (const Json& item : live) {
    std::string id = key_text(item, key);
    if (!wanted->contains(id) && !before->contains(id)) result.push_back(item);
  }
  return result;
}

/// What names one of several forms is replaced whole: what the server filled in for the other form must go.
bool is_one_of_forms(std::string_view field) { return field == "strategy" || field == "volumes"; }

Json merge_maps(const Json& last, const Json& live, const Json& desired, std::string_view field) {
  Json result = Json::object();
  for (const auto& [name, value] : live.items()) {
    const Json* wanted = member(desired, name);
    if (wanted) {
      if (!wanted->is_null()) {
        const Json* applied = member(last, name);
        result[name] = merge(applied ? *applied : kNothing, value, *wanted, name);
      }
    } else if (!member(last, name) && !is_one_of_forms(field)) {
      result[name] = value;
    }
  }
  for (const auto& [name, value] : desired.items())
    if (!value.is_null() && !member(live, name)) result[name] = merge(kNothing, kNothing, value, name);
  return result;
}

Json merge(const Json& last, const Json& live, const Json& desired, std::string_view field) {
  if (desired.is_object()) return merge_maps(last, live.is_object() ? live : kNothing, desired, field);
  if (!desired.is_array() || !live.is_array()) return desired;
  for (const MergeKey& row : kMergeKeys) {
    if (row.list != field) continue;
    if (auto merged = merge_lists(last, live, desired, row.key, field)) return *merged;
  }
  return desired;
}

}  // namespace

Json three_way_merge(const Json& last_applied, const Json& live, const Json& desired) {
  return merge(last_applied, live, desired, {});
}

}  // namespace weft::api
