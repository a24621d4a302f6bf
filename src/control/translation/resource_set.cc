#include "control/translation/resource_set.h"

#include <algorithm>

#include "control/translation/route_table.h"

namespace weft::control {
namespace {

constexpr auto kName = [](const ResourcePtr& resource) -> const std::string& { return resource->name; };

}  // namespace

ResourceTable::ResourceTable(std::vector<ResourcePtr> resources) : resources_(std::move(resources)) {
  if (std::ranges::adjacent_find(resources_, std::ranges::greater_equal(), kName) != resources_.end()) {
    std::map<std::string_view, ResourcePtr> sorted;
    for (ResourcePtr& each : resources_) sorted.insert_or_assign(each->name, each);
    resources_.clear();
    for (auto& [name, each] : sorted) resources_.push_back(std::move(each));
  }
  collect_needs();
}

void ResourceTable::collect_needs() {
  for (const ResourcePtr& each : resources_)
    needs_.insert(needs_.end(), each->needs.begin(), each->needs.end());
  if (!std::ranges::is_sorted(needs_)) std::ranges::sort(needs_);
  const auto rest = std::ranges::unique(needs_);
  needs_.erase(rest.begin(), rest.end());
}

const ResourcePtr& ResourceTable::find(std::string_view name) const {
  static const ResourcePtr kNone;
  const auto found = std::ranges::lower_bound(resources_, name, {}, kName);
  return found == resources_.end() || (*found)->name != name ? kNone : *found;
}

ResourceTablePtr ResourceTable::with(std::vector<ResourcePtr> changed, const Names& removed) const {
  auto made = std::make_shared<ResourceTable>();
  const ResourceTable news(std::move(changed));
  made->resources_.reserve(resources_.size() + news.size());
  auto rest = std::span(resources_);
  auto gone = removed.begin();
  const auto copy_before = [&](std::string_view name) {
    const auto at = std::ranges::lower_bound(rest, name, {}, kName);
    made->resources_.insert(made->resources_.end(), rest.begin(), at);
    rest = std::span(at, rest.end());
    if (!rest.empty() && rest.front()->name == name) rest = rest.subspan(1);
  };
  for (const ResourcePtr& each : news) {
    for (; gone != removed.end() && *gone < each->name; ++gone) copy_before(*gone);
    copy_before(each->name);
    made->resources_.push_back(each);
  }
  for (; gone != removed.end(); ++gone) copy_before(*gone);
  made->resources_.insert(made->resources_.end(), rest.begin(), rest.end());
  if (!needs_.empty() || !news.needs_.empty()) made->collect_needs();
  return made;
}

const ResourceTablePtr& empty_table() {
  static const ResourceTablePtr kEmpty = std::make_shared<const ResourceTable>();
  return kEmpty;
}

bool same(const ResourcePtr& a, const ResourcePtr& b) { return a == b || (a && b && same_message(*a, *b)); }

bool same_resources(const ResourceTable& a, const ResourceTable& b) {
  return &a == &b || std::ranges::equal(a, b, [](const ResourcePtr& x, const ResourcePtr& y) {
    return x == y || (x->name == y->name && same_message(*x, *y));
  });
}

ResourceTablePtr merged(const ResourceTablePtr& first, const ResourceTablePtr& second) {
  if (first == second || second->empty()) return first;
  std::vector<ResourcePtr> missing;
  auto at = first->begin();
  for (const ResourcePtr& each : *second) {
    while (at != first->end() && (*at)->name < each->name) ++at;
    if (at == first->end() || (*at)->name != each->name) missing.push_back(each);
  }
  return missing.empty() ? first : first->with(std::move(missing));
}

ResourceSet to_set(ResourceLists lists) {
  ResourceSet set;
  for (Type type : kAllTypes)
    set.set(type, std::make_shared<const ResourceTable>(std::move(lists[index_of(type)])));
  return set;
}

}  // namespace weft::control
