#include "install/check.h"

#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/run.h"
#include "control/translation/object_check.h"

namespace weft::cli {
namespace {

using install::Finding;

std::string mark(const Console& console, Finding::State state) {
  switch (state) {
    case Finding::State::kOk: return paint(console, Colour::kGreen, "ok  ");
    case Finding::State::kWarning: return paint(console, Colour::kYellow, "warn");
    case Finding::State::kFailed: break;
  }
  return paint(console, Colour::kRed, "FAIL");
}

std::string lines_of(const Console& console, const install::Findings& findings) {
  std::string text;
  for (const Finding& each : findings)
    text += mark(console, each.state) + "  " + each.what +
            (each.remedy.empty() ? "" : "; what to do: " + each.remedy) + "\n";
  return text;
}

api::Json json_of(const install::Findings& findings) {
  api::Json list = api::Json::array();
  for (const Finding& each : findings) {
    api::Json entry = {{"state", install::to_string(each.state)}, {"what", each.what}};
    if (!each.remedy.empty()) entry["remedy"] = each.remedy;
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

net::Task<CommandResult> check_cluster(Console& console, store::RawApi& api, const CheckOptions& options) {
  Result<install::Plan> plan = install::Plan::read(options.profile, options.sets);
  if (!plan) co_return misuse(console, plan.error());
  install::Check check(api, control::check_object);
  using When = CheckOptions::When;
  bool after = options.when == When::kAfter;
  if (options.when == When::kByCluster) {
    // When no server responds, the first line of the check before says so.
    const Result<bool> installed = co_await check.installed();
    after = installed && *installed;
  }
  install::Findings findings;
  if (after)
    findings = co_await check.after();
  else
    findings = co_await check.before(std::move(*plan));
  if (prints_values(options.output)) {
    WEFT_CO_TRY(const std::string text, print_value(json_of(findings), options.output));
    console.out_value(text);
  } else {
    console.out(lines_of(console, findings));
  }
  co_return install::has_failure(findings) ? Exit::kFailed : Exit::kDone;
}

CommandResult check(Console& console, const CheckOptions& options) {
  net::Loop loop;
  WEFT_TRY(const auto cluster, open_cluster(loop, options.cluster));
  return run(loop, check_cluster(console, *cluster, options));
}

}  // namespace weft::cli
