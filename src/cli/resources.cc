#include "cli/resources.h"

#include <utility>

#include "base/strings.h"
#include "cli/other_tools.h"

namespace weft::cli {
namespace {

constexpr std::string_view kAll[] = {"pods", "services", "deployments", "replicasets"};

Result<const api::KindInfo*> find_type(std::string_view typed) {
  if (const api::KindInfo* kind = api::find_kind_by_name(typed)) return kind;
  std::vector<std::string_view> known;
  for (const api::KindInfo& kind : api::kinds()) {
    known.push_back(kind.plural);
    known.push_back(kind.singular);
  }
  const std::string lower = to_lower(typed);
  const std::string_view near = nearest(lower, known);
  std::string text = "there is no resource type \"" + std::string(typed) + "\"";
  if (const std::string_view instead = instead_of_type(lower); !instead.empty())
    return fail(Error::config(Code::kInvalid, text + ": " + std::string(instead)));
  if (!near.empty()) text += "; did you mean \"" + std::string(near) + "\"?";
  return fail(Error::config(Code::kInvalid, text));
}

Result<std::vector<ResourceName>> parse_types(std::string_view argument) {
  std::vector<ResourceName> names;
  for (std::string_view typed : split(argument, ',')) {
    if (typed == "all") {
      for (std::string_view each : kAll) names.push_back({api::find_kind_by_name(each), ""});
      continue;
    }
    WEFT_TRY(const api::KindInfo* kind, find_type(typed));
    names.push_back({kind, ""});
  }
  return names;
}

Result<std::vector<ResourceName>> parse_slashed(const std::vector<std::string>& arguments) {
  std::vector<ResourceName> names;
  for (const std::string& argument : arguments) {
    const auto slash = argument.find('/');
    if (slash == argument.npos || slash + 1 == argument.size() ||
        argument.find('/', slash + 1) != argument.npos)
      return fail(Error::config(Code::kInvalid, "\"" + argument +
                                                    "\" is not TYPE/NAME; when one resource is written so, "
                                                    "all are"));
    WEFT_TRY(const api::KindInfo* kind, find_type(std::string_view(argument).substr(0, slash)));
    names.push_back({kind, argument.substr(slash + 1)});
  }
  return names;
}

Group& group_of(std::vector<Group>& groups, const ResourceName& name) {
  const bool named = !name.name.empty();
  if (named && !groups.empty() && groups.back().kind == name.kind && groups.back().named)
    return groups.back();
  groups.push_back({name.kind, named, {}, 0});
  return groups.back();
}

}  // namespace

Result<std::vector<ResourceName>> parse_resources(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    return fail(Error::config(Code::kInvalid, "a resource type is missing, such as pods"));
  if (arguments.front().find('/') != std::string::npos) return parse_slashed(arguments);
  WEFT_TRY(std::vector<ResourceName> types, parse_types(arguments.front()));
  if (arguments.size() == 1) return types;
  std::vector<ResourceName> names;
  for (const ResourceName& type : types) {
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      if (arguments[i].find('/') != std::string::npos)
        return fail(Error::config(
            Code::kInvalid, "\"" + arguments[i] + "\" is TYPE/NAME after the type \"" + arguments[0] + "\""));
      names.push_back({type.kind, arguments[i]});
    }
  }
  return names;
}

net::Task<Result<Found>> find_resources(const Context& context, std::vector<ResourceName> names,
                                        Lookup lookup) {
  Found found;
  for (const ResourceName& name : names) {
    if (!name.name.empty() && (!lookup.selector.empty() || lookup.all_namespaces))
      co_return fail(
          Error::config(Code::kInvalid, "an object that is named cannot be selected by -l or -A too"));
    Group& group = group_of(found.groups, name);
    const std::string ns = name.kind->namespaced && !lookup.all_namespaces ? context.global.ns : "";
    if (name.name.empty()) {
      store::Query query{.kind = name.kind, .ns = ns, .label_selector = lookup.selector, .name = ""};
      WEFT_CO_TRY(store::List list, co_await context.store.list(std::move(query)));
      group.objects = std::move(list.items);
      group.resource_version = list.resource_version;
      continue;
    }
    api::Key key{name.kind, ns, name.name};
    auto object = co_await context.store.get(key);
    if (object) {
      group.objects.push_back(std::move(*object));
    } else if (object.error().code != Code::kNotFound) {
      co_return std::unexpected(std::move(object).error());
    } else if (!lookup.ignore_not_found) {
      found.missing.push_back(not_found(key));
    }
  }
  co_return found;
}

}  // namespace weft::cli
