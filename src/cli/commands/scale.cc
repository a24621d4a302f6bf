#include <algorithm>
#include <utility>

#include "api/selector.h"
#include "cli/command.h"
#include "cli/json_path.h"
#include "cli/resources.h"
#include "cli/wait_applied.h"

namespace weft::cli {
namespace {

constexpr Duration kLookAgain = 25ms;
constexpr int kMaxConflicts = 8;

/// How many of its pods are still ending; no status counts them.
net::Task<Result<std::size_t>> going(const Context& context, const api::Object& workload) {
  WEFT_CO_TRY(const api::LabelSelector selector,
              api::LabelSelector::from_json(at(workload.body, "spec.selector")));
  store::Query query{.kind = api::find_kind_by_name("pods"),
                     .ns = std::string(workload.ns()),
                     .label_selector = "",
                     .name = ""};
  WEFT_CO_TRY(const store::List pods, co_await context.store.list(std::move(query)));
  co_return static_cast<std::size_t>(std::ranges::count_if(pods.items, [&](const api::ObjectPtr& pod) {
    return selector.matches(pod->labels()) && !text_at(pod->body, "metadata.deletionTimestamp").empty();
  }));
}

/// Whether the controllers have seen the wish and as many pods are ready as wished.
bool done(const api::Object& workload, std::uint32_t replicas) {
  const api::Json& status = workload.status();
  const auto wanted = static_cast<std::int64_t>(replicas);
  const auto seen = static_cast<std::uint64_t>(number_at(status, "observedGeneration"));
  return seen >= workload.generation() && number_at(status, "replicas") == wanted &&
         number_at(status, "readyReplicas") == wanted;
}

net::Task<Result<void>> set_replicas(const Context& context, api::Key key, std::uint32_t replicas) {
  for (int attempt = 0;; ++attempt) {
    WEFT_CO_TRY(const api::ObjectPtr live, co_await context.store.get(key));
    api::Object changed = *live;
    changed.body["spec"]["replicas"] = replicas;
    auto updated = co_await context.store.update(std::move(changed));
    if (updated) co_return Result<void>();
    if (updated.error().code != Code::kConflict || attempt >= kMaxConflicts)
      co_return std::unexpected(std::move(updated).error());
  }
}

std::string state_of(const api::Object& workload, std::uint32_t replicas, std::size_t ending) {
  return workload.key().to_string() + ": " + std::to_string(number_at(workload.status(), "readyReplicas")) +
         " of " + std::to_string(replicas) + " ready, " +
         std::to_string(number_at(workload.status(), "replicas")) + " there" +
         (ending ? ", " + std::to_string(ending) + " ending" : "");
}

/// "; Deployment d, which owns it, sets it" where there is such an owner.
std::string who_sets_it(const api::Object& workload) {
  const api::Json& owners = at(workload.body, "metadata.ownerReferences");
  if (owners.is_array())
    for (const api::Json& owner : owners)
      if (const api::Json& controls = at(owner, "controller"); controls.is_boolean() && controls.get<bool>())
        return "; " + text_at(owner, "kind") + " " + text_at(owner, "name") + ", which owns it, sets it";
  return {};
}

/// Waiting for a number that is not wished any more would end with the time.
Result<void> check_still_wished(const api::Object& workload, std::uint32_t replicas) {
  const std::int64_t wished = number_at(workload.spec(), "replicas");
  if (wished == static_cast<std::int64_t>(replicas)) return {};
  return fail(Error::config(Code::kConflict, workload.key().to_string() + ": spec.replicas is " +
                                                 std::to_string(wished) + " now" + who_sets_it(workload)));
}

net::Task<Result<void>> wait_for(const Context& context, api::Key key, const ScaleOptions& options) {
  const TimePoint deadline = context.loop.now() + options.timeout;
  Progress progress(context, "waiting for " + key.to_string());
  for (;;) {
    WEFT_CO_TRY(const api::ObjectPtr now, co_await context.store.get(key));
    WEFT_CO_CHECK(check_still_wished(*now, options.replicas));
    WEFT_CO_TRY(const std::size_t ending, co_await going(context, *now));
    if (ending == 0 && done(*now, options.replicas)) co_return Result<void>();
    const std::string state = state_of(*now, options.replicas, ending);
    progress.say(state);
    if (context.loop.now() >= deadline)
      co_return fail(Error::upstream(Code::kTimeout, Retry::kNever,
                                     state + ", after " + std::to_string(options.timeout.count()) + " s"));
    co_await context.loop.sleep(kLookAgain);
  }
}

}  // namespace

net::Task<CommandResult> scale(const Context& context, const ScaleOptions& options) {
  auto names = parse_resources(options.resources);
  if (!names) co_return misuse(context.console, names.error());
  for (const ResourceName& name : *names) {
    if (name.kind->group != "apps")
      co_return misuse(context.console,
                       Error::config(Code::kInvalid, "a " + std::string(name.kind->singular) +
                                                         " cannot be scaled; a deployment can"));
    if (name.name.empty())
      co_return misuse(context.console,
                       Error::config(Code::kInvalid, "which one? The deployment's name is missing"));
  }
  WEFT_CO_TRY(const Found found, co_await find_resources(context, std::move(*names), {}));
  for (const Error& missing : found.missing) context.note(missing.text + "\n");
  if (!found.missing.empty()) co_return Exit::kFailed;
  for (const Group& group : found.groups) {
    for (const api::ObjectPtr& workload : group.objects) {
      WEFT_CO_CHECK(co_await set_replicas(context, workload->key(), options.replicas));
      context.out(singular_with_group(*group.kind) + "/" + std::string(workload->name()) + " scaled\n");
    }
  }
  if (!options.wait) co_return Exit::kDone;
  for (const Group& group : found.groups)
    for (const api::ObjectPtr& workload : group.objects)
      WEFT_CO_CHECK(co_await wait_for(context, workload->key(), options));
  const api::KindInfo* slices = api::find_kind_by_name("endpointslices");
  store::Query query{.kind = slices, .ns = context.global.ns, .label_selector = "", .name = ""};
  WEFT_CO_TRY(const store::List list, co_await context.store.list(std::move(query)));
  co_return co_await wait_until_applied(context, list.resource_version, options.timeout);
}

}  // namespace weft::cli
