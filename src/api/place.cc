#include "api/place.h"

namespace weft::api {
namespace {

constexpr std::string_view kSpec = "spec";

std::string_view name_of(List list) {
  switch (list) {
    case List::kNone: break;
    case List::kHttp: return "http";
    case List::kTcp: return "tcp";
    case List::kMatch: return "match";
    case List::kRoute: return "route";
    case List::kSubsets: return "subsets";
    case List::kServers: return "servers";
    case List::kListeners: return "listeners";
    case List::kParentRefs: return "parentRefs";
    case List::kRules: return "rules";
    case List::kMatches: return "matches";
    case List::kPaths: return "http.paths";
  }
  return {};
}

}  // namespace

std::string Place::to_string() const {
  std::string text(kSpec);
  for (const std::uint32_t step : steps_) {
    if (step == 0) break;
    text.append(".").append(name_of(static_cast<List>(step >> 24U)));
    text.append("[").append(std::to_string(step & kMaxIndex)).append("]");
  }
  return text;
}

std::string Place::pointer() const {
  std::string text = "/" + std::string(kSpec);
  for (const std::uint32_t step : steps_) {
    if (step == 0) break;
    text += '/';
    for (const char c : name_of(static_cast<List>(step >> 24U))) text += c == '.' ? '/' : c;
    text.append("/").append(std::to_string(step & kMaxIndex));
  }
  return text;
}

bool Place::covers(std::string_view field) const {
  const std::string here = to_string();
  return field.starts_with(here) &&
         (field.size() == here.size() || field[here.size()] == '.' || field[here.size()] == '[');
}

}  // namespace weft::api
