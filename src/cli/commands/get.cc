#include <algorithm>
#include <utility>

#include "cli/command.h"
#include "cli/object_table.h"
#include "cli/output.h"
#include "cli/resources.h"
#include "cli/standard_output.h"

namespace weft::cli {
namespace {

/// One `get`: what is found is printed, and with -w the changes that follow.
class Getter {
 public:
  Getter(const Context& context, const GetOptions& options) : context_(context), options_(options) {}

  net::Task<CommandResult> run() {
    auto names = parse_resources(options_.resources);
    if (!names) co_return misuse(context_.console, names.error());
    const bool one = names->size() == 1 && !names->front().name.empty();
    if (options_.watch && names->size() != 1)
      co_return misuse(context_.console,
                       Error::config(Code::kInvalid, "-w watches one type, or one object of it, at a time"));
    const ResourceName watched = names->front();
    const Lookup lookup{options_.selector, options_.all_namespaces, options_.ignore_not_found};
    WEFT_CO_TRY(Found found, co_await find_resources(context_, std::move(*names), lookup));
    if (options_.watch && found.missing.empty()) co_return co_await watch(std::move(found), watched);
    WEFT_CO_CHECK(print(found, one));
    for (const Error& missing : found.missing) context_.note(missing.text + "\n");
    co_return found.missing.empty() ? Exit::kDone : Exit::kFailed;
  }

 private:
  Result<void> print(const Found& found, bool one) {
    if (prints_values(options_.output)) return print_whole(found, one);
    if (options_.output.format == Format::kName) {
      for (const Group& group : found.groups)
        for (const api::ObjectPtr& object : group.objects) context_.out(name_line(*object));
      return {};
    }
    std::size_t printed = 0;
    for (const Group& group : found.groups) {
      if (group.objects.empty()) continue;
      ObjectTable table(*group.kind, style(found.groups.size() > 1));
      for (const api::ObjectPtr& object : group.objects) table.add(*object, context_.console.now());
      context_.out((printed++ > 0 ? "\n" : "") + table.take());
    }
    if (printed == 0 && found.missing.empty() && !options_.ignore_not_found) context_.note(nothing(found));
    return {};
  }

  Result<void> print_whole(const Found& found, bool one) {
    api::Json value = nullptr;
    if (one) {
      if (found.groups.front().objects.empty()) return {};
      value = found.groups.front().objects.front()->body;
    } else {
      value = {{"apiVersion", "v1"},
               {"items", api::Json::array()},
               {"kind", "List"},
               {"metadata", {{"resourceVersion", ""}}}};
      for (const Group& group : found.groups)
        for (const api::ObjectPtr& object : group.objects) value["items"].push_back(object->body);
    }
    WEFT_TRY(const std::string text, print_value(value, options_.output));
    context_.console.out_value(text);
    return {};
  }

  std::string nothing(const Found& found) const {
    bool namespaced = false;
    for (const Group& group : found.groups) namespaced = namespaced || group.kind->namespaced;
    if (!namespaced || options_.all_namespaces) return "No resources found\n";
    return "No resources found in " + context_.global.ns + " namespace.\n";
  }

  static std::string name_line(const api::Object& object) {
    return singular_with_group(*object.kind) + "/" + std::string(object.name()) + "\n";
  }

  TableStyle style(bool several) const {
    return {.wide = options_.output.format == Format::kWide,
            .with_namespace = options_.all_namespaces,
            .with_labels = options_.show_labels,
            .with_type = several,
            .headers = !options_.no_headers};
  }

  /// Ends when the watcher does, or the store.
  net::Task<CommandResult> watch(Found found, ResourceName watched) {
    Group& group = found.groups.front();
    ObjectTable table(*watched.kind, style(false));
    store::Query query{.kind = watched.kind,
                       .ns = watched.kind->namespaced && !options_.all_namespaces ? context_.global.ns : "",
                       .label_selector = options_.selector,
                       .name = watched.name};
    store::List list{group.resource_version, std::move(group.objects)};
    // The version of an object at rest is as old as its last change; only a list's is this moment's.
    if (group.named) {
      WEFT_CO_TRY(list, co_await context_.store.list(query));
    }
    for (;;) {
      WEFT_CO_CHECK(show(table, list.items));
      const Error ended = co_await follow(table, query, list.resource_version);
      if (ended.code != Code::kConflict) co_return fail(ended);
      // What changed meanwhile is not known any more: all of it is shown again.
      WEFT_CO_TRY(list, co_await context_.store.list(query));
    }
  }

  /// Shows the changes after `from`, over connections that break. How it ends: kConflict, when changes after
  /// the last one shown are not kept any more, or another error.
  net::Task<Error> follow(ObjectTable& table, store::Query query, std::uint64_t from) {
    for (;;) {
      const auto changes = co_await context_.store.watch(query, from);
      if (!changes) co_return changes.error();
      for (;;) {
        const auto event = co_await (*changes)->next();
        if (!event && event.error().code == Code::kUnavailable) break;
        if (!event) co_return event.error();
        // What a watch repeats is older than what was listed.
        from = std::max(from, event->resource_version);
        if (!event->object) continue;
        if (const auto shown = show(table, {event->object}); !shown) co_return shown.error();
      }
    }
  }

  /// Together, so that the columns of a table are as wide as its widest row from the first one on.
  Result<void> show(ObjectTable& table, const std::vector<api::ObjectPtr>& objects) {
    for (const api::ObjectPtr& object : objects) {
      if (options_.output.format == Format::kName) {
        context_.out(name_line(*object));
      } else if (prints_values(options_.output)) {
        WEFT_TRY(const std::string text, print_value(object->body, options_.output));
        context_.console.out_value((options_.output.format == Format::kYaml ? "---\n" : "") + text);
      } else {
        table.add(*object, context_.console.now());
      }
    }
    if (!objects.empty()) context_.out(table.take());
    return standard_output_written();
  }

  const Context& context_;
  const GetOptions& options_;
};

}  // namespace

net::Task<CommandResult> get(const Context& context, const GetOptions& options) {
  Getter getter(context, options);
  co_return co_await getter.run();
}

}  // namespace weft::cli
