#include <algorithm>
#include <utility>

#include "api/json_text.h"
#include "api/merge.h"
#include "cli/apply_objects.h"
#include "cli/command.h"
#include "cli/json_path.h"
#include "cli/remarks.h"
#include "cli/wait_applied.h"

namespace weft::cli {
namespace {

/// A write that lost against another writer is computed again from what that one left.
constexpr int kMaxConflicts = 8;

struct Outcome {
  std::string_view verb;  ///< "created", "configured", "unchanged"
  std::uint64_t version = 0;
  bool written() const { return verb != "unchanged"; }
};

/// `written` as one line, for the next apply to know what this one said.
std::string remembered(api::Json written) {
  if (written.contains("metadata") && written["metadata"].contains("annotations"))
    written["metadata"]["annotations"].erase(std::string(api::kLastApplied));
  written.erase("status");
  const nlohmann::json sorted = written;
  return sorted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

api::Json annotated(api::Json body, const std::string& last_applied) {
  body.erase("status");
  body["metadata"]["annotations"][std::string(api::kLastApplied)] = last_applied;
  return body;
}

api::Json last_applied_of(const api::Object& live) {
  api::Json value = api::parse_json(live.annotation(api::kLastApplied));
  if (value.is_discarded()) return nullptr;
  return value;
}

net::Task<Result<Outcome>> apply_one(const Context& context, const InputObject& input, DryRun dry_run) {
  const api::Key key = input.object.key();
  const std::string last_applied = remembered(input.written);
  store::Store& writes = dry_run == DryRun::kServer ? *context.dry_run : context.store;
  for (int attempt = 0;; ++attempt) {
    auto live = co_await context.store.get(key);
    if (!live && live.error().code != Code::kNotFound) co_return std::unexpected(std::move(live).error());
    if (!live) {
      if (dry_run == DryRun::kClient) co_return Outcome{"created", 0};
      api::Object made{key.kind, annotated(input.object.body, last_applied)};
      auto created = co_await writes.create(std::move(made));
      if (created) co_return Outcome{"created", (*created)->resource_version()};
      if (created.error().code != Code::kConflict || attempt >= kMaxConflicts)
        co_return std::unexpected(std::move(created).error());
      continue;
    }
    const api::Json desired = annotated(input.written, last_applied);
    api::Json merged = api::three_way_merge(last_applied_of(**live), (*live)->body, desired);
    if (merged == (*live)->body) co_return Outcome{"unchanged", (*live)->resource_version()};
    if (dry_run == DryRun::kClient) co_return Outcome{"configured", 0};
    api::Object changed{key.kind, std::move(merged)};
    auto updated = co_await writes.update(std::move(changed));
    if (updated) {
      const bool same = (*updated)->resource_version() == (*live)->resource_version();
      co_return Outcome{same ? "unchanged" : "configured", (*updated)->resource_version()};
    }
    if (updated.error().code != Code::kConflict || attempt >= kMaxConflicts)
      co_return std::unexpected(std::move(updated).error());
  }
}

/// As kubectl says it.
std::string_view note_of(DryRun dry_run) {
  switch (dry_run) {
    case DryRun::kClient: return " (dry run)";
    case DryRun::kServer: return " (server dry run)";
    case DryRun::kNone: break;
  }
  return "";
}

}  // namespace

net::Task<Result<Applied>> apply_objects(const Context& context, const std::vector<InputObject>& inputs,
                                         DryRun dry_run, bool quiet) {
  if (dry_run == DryRun::kServer && context.dry_run == nullptr)
    co_return fail(Error::config(Code::kUnsupported, "this API server cannot be asked for a dry run"));
  Applied done;
  for (const InputObject& input : inputs) {
    const std::string name = singular_with_group(*input.object.kind) + "/" + std::string(input.object.name());
    auto outcome = co_await apply_one(context, input, dry_run);
    // A server that does not respond for one object does not for the next.
    if (!outcome && outcome.error().code == Code::kTimeout) {
      outcome.error().text = name + ": " + outcome.error().text;
      co_return std::unexpected(std::move(outcome).error());
    }
    if (!outcome) {
      context.note(name + ": " + outcome.error().text + "\n");
      done.failed = true;
      continue;
    }
    if (!quiet) context.out(name + " " + std::string(outcome->verb) + std::string(note_of(dry_run)) + "\n");
    if (dry_run != DryRun::kNone) continue;
    done.version = std::max(done.version, outcome->version);
    if (outcome->written())
      done.since = std::min(done.since == 0 ? outcome->version : done.since, outcome->version);
    std::uint64_t& of_kind = done.version_of_kind[input.object.kind];
    of_kind = std::max(of_kind, outcome->version);
  }
  co_return done;
}

net::Task<CommandResult> apply(const Context& context, const ApplyOptions& options) {
  const InputOptions from{options.files, options.recursive, context.global.ns, options.kustomization};
  WEFT_CO_TRY(const std::vector<InputObject> inputs, read_input_objects(context.console, from));
  WEFT_CO_TRY(const Applied done, co_await apply_objects(context, inputs, options.dry_run, false));
  Exit confirmed = Exit::kDone;
  if (options.wait && done.version > 0) {
    WEFT_CO_TRY(confirmed, co_await wait_until_applied(context, done.version, options.timeout, done.since));
    co_await warn_of_remarks(context, inputs);
  }
  co_return done.failed ? Exit::kFailed : confirmed;
}

}  // namespace weft::cli
