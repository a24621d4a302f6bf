#include "cli/apply_objects.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/json_text.h"
#include "api/merge.h"
#include "cli/apply_order.h"
#include "cli/json_path.h"

namespace weft::cli {
namespace {

/// Requests that one command has under way: enough to keep a server and its disk busy, and no crowd.
constexpr std::size_t kMaxUnderWay = 64;
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

std::vector<api::Key> keys_of(const std::vector<InputObject>& inputs) {
  std::vector<api::Key> keys;
  for (const InputObject& input : inputs) keys.push_back(input.object.key());
  return keys;
}

/// The objects of one command, some of them under way. What became of each is said in the order of the files.
///
/// Owner: apply_objects(). Thread: the command's.
class Applying {
 public:
  Applying(const Context& context, const std::vector<InputObject>& inputs, DryRun dry_run, bool quiet)
      : context_(context),
        inputs_(inputs),
        dry_run_(dry_run),
        quiet_(quiet),
        order_(keys_of(inputs)),
        outcomes_(inputs.size()) {}

  net::Task<Result<Applied>> run() {
    send_what_may_go();
    co_await tasks_.join();
    // Behind one that was not sent any more there may be some that were.
    for (; told_ < inputs_.size(); ++told_)
      if (outcomes_[told_]) tell(told_);
    if (no_response_) co_return fail(std::move(*no_response_));
    co_return std::move(done_);
  }

 private:
  void send_what_may_go() {
    // One that is done at once calls this again.
    if (std::exchange(sending_, true)) return;
    while (!stopped_ && under_way_ < kMaxUnderWay) {
      const auto next = order_.next();
      if (!next) break;
      ++under_way_;
      tasks_.spawn(send(*next));
    }
    sending_ = false;
  }

  net::Task<void> send(std::size_t index) {
    outcomes_[index] = co_await apply_one(context_, inputs_[index], dry_run_);
    // A server that does not respond for one object does not for the next.
    if (!*outcomes_[index] && outcomes_[index]->error().code == Code::kTimeout) stopped_ = true;
    --under_way_;
    order_.done(index);
    for (; told_ < inputs_.size() && outcomes_[told_]; ++told_) tell(told_);
    send_what_may_go();
  }

  void tell(std::size_t index) {
    const InputObject& input = inputs_[index];
    Result<Outcome>& outcome = *outcomes_[index];
    const std::string name = singular_with_group(*input.object.kind) + "/" + std::string(input.object.name());
    if (outcome) {
      if (!quiet_)
        context_.out(name + " " + std::string(outcome->verb) + std::string(note_of(dry_run_)) + "\n");
      if (dry_run_ == DryRun::kNone) count(*input.object.kind, *outcome);
    } else if (outcome.error().code != Code::kTimeout) {
      context_.note(name + ": " + outcome.error().text + "\n");
      done_.failed = true;
    } else if (!no_response_) {
      outcome.error().text = name + ": " + outcome.error().text;
      no_response_ = std::move(outcome).error();
    }
  }

  void count(const api::KindInfo& kind, const Outcome& outcome) {
    done_.version = std::max(done_.version, outcome.version);
    if (outcome.written())
      done_.since = std::min(done_.since == 0 ? outcome.version : done_.since, outcome.version);
    std::uint64_t& of_kind = done_.version_of_kind[&kind];
    of_kind = std::max(of_kind, outcome.version);
  }

  const Context& context_;
  const std::vector<InputObject>& inputs_;
  DryRun dry_run_;
  bool quiet_;
  ApplyOrder order_;
  std::vector<std::optional<Result<Outcome>>> outcomes_;
  std::size_t told_ = 0;  ///< so many, from the first on
  std::size_t under_way_ = 0;
  bool sending_ = false;
  bool stopped_ = false;              ///< no more are sent
  std::optional<Error> no_response_;  ///< for the first object of the files that had none
  Applied done_;
  net::TaskScope tasks_;
};

}  // namespace

net::Task<Result<Applied>> apply_objects(const Context& context, const std::vector<InputObject>& inputs,
                                         DryRun dry_run, bool quiet) {
  if (dry_run == DryRun::kServer && context.dry_run == nullptr)
    co_return fail(Error::config(Code::kUnsupported, "this API server cannot be asked for a dry run"));
  Applying applying(context, inputs, dry_run, quiet);
  co_return co_await applying.run();
}

}  // namespace weft::cli
