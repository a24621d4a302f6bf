#include <utility>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/description.h"
#include "cli/json_path.h"
#include "cli/remarks.h"
#include "cli/resources.h"

namespace weft::cli {
namespace {

constexpr Duration kReceiptLimit = 5s;

/// What concerns `object` among the receipts of every object; null when nothing does.
api::Json receipt_of(const api::Json& receipts, const api::Object& object) {
  const api::Json& list = receipts.is_array() ? receipts : list_at(receipts, "receipts");
  for (const api::Json& receipt : list)
    if (to_lower(text_at(receipt, "kind")) == object.kind->singular &&
        text_at(receipt, "group") == object.kind->group && text_at(receipt, "name") == object.name() &&
        text_at(receipt, "namespace") == object.ns())
      return receipt;
  return nullptr;
}

net::Task<Result<std::vector<api::ObjectPtr>>> slices_of(const Context& context, const api::Object& service) {
  store::Query query{.kind = api::find_kind_by_name("endpointslices"),
                     .ns = std::string(service.ns()),
                     .label_selector = "kubernetes.io/service-name=" + std::string(service.name()),
                     .name = ""};
  WEFT_CO_TRY(store::List list, co_await context.store.list(std::move(query)));
  co_return std::move(list.items);
}

}  // namespace

net::Task<CommandResult> describe(const Context& context, const DescribeOptions& options) {
  auto names = parse_resources(options.resources);
  if (!names) co_return misuse(context.console, names.error());
  const Lookup lookup{options.selector, options.all_namespaces, false};
  WEFT_CO_TRY(const Found found, co_await find_resources(context, std::move(*names), lookup));
  auto receipts = co_await context.mesh.get("receipts", kReceiptLimit);
  const api::Json all = receipts && receipts->status == 200 ? std::move(receipts->body) : api::Json();
  const api::Json remarks = co_await ask_remarks(context);
  bool first = true;
  for (const Group& group : found.groups) {
    for (const api::ObjectPtr& object : group.objects) {
      Surroundings around;
      around.receipt = receipt_of(all, *object);
      around.knows_remarks = remarks.is_object();
      around.remarks = remarks_of(remarks, *object);
      if (group.kind->plural == "services") {
        WEFT_CO_TRY(around.endpoint_slices, co_await slices_of(context, *object));
      }
      context.out((std::exchange(first, false) ? "" : "\n\n") + describe_object(*object, around));
    }
  }
  for (const Error& missing : found.missing) context.note(missing.text + "\n");
  if (first && found.missing.empty())
    context.note("No resources found in " + context.global.ns + " namespace.\n");
  co_return found.missing.empty() ? Exit::kDone : Exit::kFailed;
}

}  // namespace weft::cli
