#include "control/remarks/remark_log.h"

#include "base/log.h"

namespace weft::control {
namespace {

constexpr std::size_t kMaxLines = 100;

}  // namespace

void RemarkLog::note(const std::map<api::Key, Remarks>& now) {
  std::set<std::string> still;
  std::size_t lines = 0;
  for (const auto& [key, remarks] : now) {
    for (const Remark& each : remarks) {
      std::string text = key.to_string() + " " + each.field + " " + each.text;
      const bool is_new = !known_.contains(text);
      still.insert(std::move(text));
      if (!is_new || ++lines > kMaxLines) continue;
      if (each.kind == Remark::Kind::kWaits)
        WEFT_LOG(kInfo, "control", "an object waits", {"object", key.to_string()}, {"field", each.field},
                 {"why", each.text});
      else
        WEFT_LOG(kWarn, "control", "an object is not wholly in effect", {"object", key.to_string()},
                 {"field", each.field}, {"why", each.text});
    }
  }
  if (lines > kMaxLines)
    WEFT_LOG(kWarn, "control", "more objects are not wholly in effect", {"lines", lines - kMaxLines});
  known_ = std::move(still);
}

}  // namespace weft::control
