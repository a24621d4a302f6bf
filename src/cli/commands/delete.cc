#include <algorithm>
#include <utility>

#include "cli/command.h"
#include "cli/input_files.h"
#include "cli/resources.h"
#include "cli/wait_applied.h"

namespace weft::cli {
namespace {

constexpr Duration kLookAgain = 25ms;

/// One `delete`: find, remove, wait until all are gone and the proxies know.
class Deleter {
 public:
  Deleter(const Context& context, const DeleteOptions& options) : context_(context), options_(options) {}

  net::Task<CommandResult> run() {
    if (auto wrong = check(); !wrong) co_return misuse(context_.console, wrong.error());
    std::vector<api::Key> keys;
    if (by_file()) {
      const InputOptions from{options_.files, options_.recursive, context_.global.ns, options_.kustomization};
      WEFT_CO_TRY(const std::vector<InputObject> inputs, read_input_objects(context_.console, from));
      // What a file has in a namespace of its own is there to be deleted before that.
      for (const bool last : {false, true})
        for (const InputObject& input : inputs)
          if ((input.object.kind->kind == "Namespace") == last) keys.push_back(input.object.key());
    } else {
      auto names = parse_resources(options_.resources);
      if (!names) co_return misuse(context_.console, names.error());
      if (names->front().name.empty() && !options_.all && options_.selector.empty())
        co_return misuse(
            context_.console,
            Error::config(Code::kInvalid, "name the objects to delete, or write -l LABELS or --all"));
      WEFT_CO_TRY(keys, co_await keys_of(std::move(*names)));
    }
    for (const api::Key& key : keys) WEFT_CO_CHECK(co_await remove_one(key));
    if (keys.empty() && !missing_) context_.note("No resources found\n");
    Exit confirmed = Exit::kDone;
    if (options_.wait && !removed_.empty()) {
      WEFT_CO_TRY(confirmed, co_await wait());
    }
    co_return missing_ ? Exit::kFailed : confirmed;
  }

 private:
  bool by_file() const { return !options_.files.empty() || !options_.kustomization.empty(); }
  Result<void> check() const {
    if (by_file() != options_.resources.empty())
      return fail(Error::config(Code::kInvalid, "either a type and names, or -f FILE or -k FOLDER"));
    if (options_.all && !options_.selector.empty())
      return fail(Error::config(Code::kInvalid, "--all and -l exclude each other"));
    return {};
  }

  net::Task<Result<std::vector<api::Key>>> keys_of(std::vector<ResourceName> names) {
    std::vector<api::Key> keys;
    Lookup lookup;
    lookup.selector = options_.selector;
    WEFT_CO_TRY(Found found, co_await find_resources(context_, std::move(names), lookup));
    for (const Group& group : found.groups)
      for (const api::ObjectPtr& object : group.objects) keys.push_back(object->key());
    for (const Error& missing : found.missing) say_missing(missing);
    co_return keys;
  }

  void say_missing(const Error& missing) {
    if (options_.ignore_not_found) return;
    context_.note(missing.text + "\n");
    missing_ = true;
  }

  net::Task<Result<void>> remove_one(api::Key key) {
    auto gone = co_await context_.store.remove(key);
    if (!gone && gone.error().code == Code::kNotFound) {
      // It was not asked for by name: what its owner took along is gone, as it is to be.
      if (!options_.all && options_.selector.empty()) say_missing(not_found(key));
      co_return Result<void>();
    }
    if (!gone) co_return std::unexpected(std::move(gone).error());
    context_.out(singular_with_group(*key.kind) + " \"" + key.name + "\" deleted\n");
    removed_.emplace_back(key, (*gone)->uid());
    co_return Result<void>();
  }

  net::Task<CommandResult> wait() {
    const TimePoint deadline = context_.loop.now() + options_.timeout;
    Progress progress(context_, "waiting until what was deleted is gone");
    for (const auto& [key, uid] : removed_) {
      for (;;) {
        auto left = co_await context_.store.get(key);
        if (!left && left.error().code == Code::kNotFound) break;
        if (!left) co_return std::unexpected(std::move(left).error());
        if ((*left)->uid() != uid) break;  // a new one of that name
        if (context_.loop.now() >= deadline)
          co_return fail(Error::upstream(
              Code::kTimeout, Retry::kNever,
              key.to_string() + " is still there after " + std::to_string(options_.timeout.count()) + " s"));
        co_await context_.loop.sleep(kLookAgain);
      }
      if (key.kind->kind == "Namespace") {
        WEFT_CO_CHECK(co_await wait_for_pods_of(key.name, deadline));
      }
    }
    // The version of a list taken now is not older than the deletions.
    store::Query query{.kind = removed_.back().first.kind,
                       .ns = removed_.back().first.ns,
                       .label_selector = "",
                       .name = removed_.back().first.name};
    WEFT_CO_TRY(const store::List list, co_await context_.store.list(std::move(query)));
    co_return co_await wait_until_applied(context_, list.resource_version, options_.timeout);
  }

  /// The pods of a namespace end after it: in one that is created again at once they would still be
  /// terminating.
  net::Task<Result<void>> wait_for_pods_of(std::string ns, TimePoint deadline) {
    for (;;) {
      store::Query query;
      query.kind = api::find_kind("v1", "Pod");
      query.ns = ns;
      WEFT_CO_TRY(const store::List pods, co_await context_.store.list(std::move(query)));
      if (std::ranges::none_of(pods.items, [](const api::ObjectPtr& pod) {
            return pod->body["metadata"].contains("deletionTimestamp");
          }))
        co_return Result<void>();
      if (context_.loop.now() >= deadline)
        co_return fail(Error::upstream(Code::kTimeout, Retry::kNever,
                                       "pods of namespace " + ns + " are still there after " +
                                           std::to_string(options_.timeout.count()) + " s"));
      co_await context_.loop.sleep(kLookAgain);
    }
  }

  const Context& context_;
  const DeleteOptions& options_;
  std::vector<std::pair<api::Key, std::string>> removed_;  ///< and the uid that it had
  bool missing_ = false;
};

}  // namespace

net::Task<CommandResult> remove(const Context& context, const DeleteOptions& options) {
  Deleter deleter(context, options);
  co_return co_await deleter.run();
}

}  // namespace weft::cli
