#include "control/remarks/foreign_objects.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "base/log.h"
#include "base/utc.h"
#include "control/controllers/plan.h"
#include "control/json.h"

namespace weft::control {
namespace {

constexpr Duration kAgain = 60s;
constexpr int kMaxWrites = 5;
constexpr std::string_view kSeries = "weft_control_objects_without_effect";
constexpr std::string_view kUnreadSeries = "weft_control_kinds_not_looked_at";
/// Ours among the conditions that another Istio may have written.
constexpr std::string_view kCondition = "weft.dev/Effective";

bool has_istio_status(const install::ForeignKind& kind) { return kind.group.ends_with(".istio.io"); }

std::string uid_of(const install::ForeignObject& object) {
  return std::string(json::text(json::map(object.body, "metadata"), "uid"));
}

bool is_said(const api::Json& object) {
  return std::ranges::any_of(json::list(json::map(object, "status"), "conditions"),
                             [](const api::Json& each) { return json::text(each, "type") == kCondition; });
}

}  // namespace

net::Task<void> ForeignObjects::run() {
  while (true) {
    co_await look();
    co_await loop_.sleep(kAgain);
  }
}

net::Task<void> ForeignObjects::look() {
  auto found = co_await install::find_foreign_objects(reader_);
  if (!found) {
    tell_unread({{"the list of API groups", found.error()}});
    co_return;
  }
  tell_unread(found->unread);
  std::map<std::string_view, std::uint64_t> counts;
  std::map<std::string, Known> still;
  for (const install::ForeignObject& object : found->objects) {
    ++counts[object.kind->kind];
    const std::string uid = uid_of(object);
    if (auto known = known_.find(uid); known != known_.end()) still.insert(*known);
  }
  known_ = std::move(still);
  for (const install::ForeignKind& kind : install::foreign_kinds())
    if (counts[kind.kind] > 0 || metrics_.value(kSeries, {{"kind", kind.kind}}) > 0)
      metrics_.set(kSeries, {{"kind", kind.kind}}, counts[kind.kind]);
  for (install::ForeignObject& object : found->objects) co_await say(std::move(object));
}

/// Each when it appears: of what cannot be read it is not known whether it holds a policy that is not
/// enforced.
void ForeignObjects::tell_unread(const std::map<std::string, Error>& unread) {
  std::map<std::string, std::string> now;
  for (const auto& [what, error] : unread) {
    now[what] = error.text;
    if (auto said = unread_.find(what); said == unread_.end() || said->second != error.text)
      WEFT_LOG(kWarn, "control", "cannot look for objects that are not done", {"what", what},
               {"error", error.text});
  }
  unread_ = std::move(now);
  metrics_.set(kUnreadSeries, {}, unread_.size());
}

net::Task<void> ForeignObjects::say(install::ForeignObject object) {
  Known& known = known_[uid_of(object)];
  if (!std::exchange(known.logged, true)) {
    const std::string kind(object.kind->kind);
    if (object.kind->guards)
      WEFT_LOG(kError, "control", "an object is not done", {"kind", kind}, {"object", object.name()},
               {"why", install::foreign_text(*object.kind)});
    else
      WEFT_LOG(kWarn, "control", "an object is not done", {"kind", kind}, {"object", object.name()},
               {"why", install::foreign_text(*object.kind)});
  }
  if (!has_istio_status(*object.kind)) co_return;
  if (is_said(object.body)) known.writes = 0;
  const bool over = is_said(object.body) || known.writes >= kMaxWrites;
  if (over || (leads_ && !leads_())) co_return;
  ++known.writes;
  co_await write_status(std::move(object));
}

net::Task<void> ForeignObjects::write_status(install::ForeignObject object) {
  const std::string name = object.name();
  api::Json conditions = json::list(json::map(object.body, "status"), "conditions");
  conditions.push_back(make_condition(
      {kCondition, "False", "UnsupportedKind", install::foreign_text(*object.kind)}, conditions, utc_now()));
  if (!json::at(object.body, "status").is_object()) object.body["status"] = api::Json::object();
  object.body["status"]["conditions"] = std::move(conditions);
  store::RawRequest request{"PUT", object.path + "/status", std::move(object.body)};
  auto answer = co_await api_.call(std::move(request));
  // Definitions without a status, or another writer's word at the same moment: the log has said it.
  if (!answer)
    WEFT_LOG(kDebug, "control", "cannot write a status", {"object", name}, {"error", answer.error().text});
}

}  // namespace weft::control
