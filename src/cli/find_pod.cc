#include "cli/find_pod.h"

#include <utility>
#include <vector>

#include "api/selector.h"
#include "cli/json_path.h"
#include "cli/resources.h"

namespace weft::cli {
namespace {

/// As kubectl chooses among a Deployment's pods: one that works before one that does not, or is going.
int rank(const api::Object& pod) {
  if (!text_at(pod.body, "metadata.deletionTimestamp").empty()) return 2;
  for (const api::Json& condition : list_at(pod.body, "status.conditions"))
    if (text_at(condition, "type") == "Ready") return text_at(condition, "status") == "True" ? 0 : 1;
  return 1;
}

}  // namespace

net::Task<Result<api::ObjectPtr>> find_pod(const Context& context, std::string resource) {
  const bool typed = resource.find('/') != std::string::npos;
  const std::vector<std::string> arguments{typed ? resource : "pod/" + resource};
  WEFT_CO_TRY(std::vector<ResourceName> names, parse_resources(arguments));
  const ResourceName name = names.front();
  WEFT_CO_TRY(const Found found, co_await find_resources(context, std::move(names), {}));
  if (!found.missing.empty()) co_return fail(found.missing.front());
  const api::ObjectPtr& object = found.groups.front().objects.front();
  if (name.kind->plural == "pods") co_return object;
  const api::Json& wanted = at(object->body, "spec.selector");
  if (wanted.empty() || !wanted.is_object())
    co_return fail(Error::config(Code::kInvalid, "a " + std::string(name.kind->singular) +
                                                     " has no pods; name a pod or a deployment"));
  WEFT_CO_TRY(const api::LabelSelector selector, api::LabelSelector::from_json(wanted));
  store::Query query{
      .kind = api::find_kind_by_name("pods"), .ns = context.global.ns, .label_selector = "", .name = ""};
  WEFT_CO_TRY(const store::List pods, co_await context.store.list(std::move(query)));
  api::ObjectPtr first;
  std::size_t count = 0;
  for (const api::ObjectPtr& pod : pods.items) {
    if (!selector.matches(pod->labels())) continue;
    if (!first || rank(*pod) < rank(*first)) first = pod;
    ++count;
  }
  if (!first) co_return fail(Error::config(Code::kNotFound, resource + " has no pods"));
  if (count > 1)
    context.note("Found " + std::to_string(count) + " pods, using pod/" + std::string(first->name()) + "\n");
  co_return first;
}

}  // namespace weft::cli
