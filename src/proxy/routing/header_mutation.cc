#include "proxy/routing/header_mutation.h"

#include <utility>

namespace weft::proxy {

Result<HeaderMutation> HeaderMutation::compile(const HeaderChanges& changes) {
  HeaderMutation mutation;
  if (changes.empty()) return mutation;
  auto compiled = std::make_unique<Compiled>();
  compiled->remove = changes.remove.all();
  for (const HeaderChange& change : changes.add) {
    auto value = LogFormat::compile(change.value, LogFormat::Use::kFieldValue);
    if (!value) return fail(std::move(value).error().with_context("header '" + change.name + "'"));
    compiled->add.push_back({change.name, std::move(*value), change.action, change.keep_empty});
  }
  mutation.changes_ = std::move(compiled);
  return mutation;
}

void HeaderMutation::change(http::Headers& headers, const RequestInfo& info) const {
  for (const std::string& name : changes_->remove) headers.remove(name);
  std::vector<std::pair<const Addition*, std::string>> overwritten, added;
  for (const Addition& addition : changes_->add) {
    std::string value;
    if (addition.value.is_literal())
      value = addition.value.literal();
    else
      addition.value.append_to(value, info);
    if (value.empty() && !addition.keep_empty) continue;
    const bool present = headers.get(addition.name).has_value();
    switch (addition.action) {
      case HeaderChange::Action::kAppend: added.emplace_back(&addition, std::move(value)); break;
      case HeaderChange::Action::kAddIfAbsent:
        if (!present) added.emplace_back(&addition, std::move(value));
        break;
      case HeaderChange::Action::kOverwriteOrAdd:
        overwritten.emplace_back(&addition, std::move(value));
        break;
      case HeaderChange::Action::kOverwriteIfExists:
        if (present) overwritten.emplace_back(&addition, std::move(value));
        break;
    }
  }
  for (const auto& [addition, value] : overwritten) headers.set(addition->name, value);
  for (const auto& [addition, value] : added) headers.add(addition->name, value);
}

}  // namespace weft::proxy
