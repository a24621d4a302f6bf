#include "proxy/routing/path_index.h"

#include <re2/re2.h>

#include <algorithm>

#include "proxy/routing/string_match.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kWorthIndexing = 9;  // below this, trying each is as fast

}  // namespace

bool matches(const PathMatch& match, std::string_view path) {
  switch (match.kind) {
    case PathMatch::Kind::kPrefix:
      return match.ignore_case ? starts_with_ignoring_case(path, match.text) : path.starts_with(match.text);
    case PathMatch::Kind::kExact:
      return match.ignore_case ? http::equal_ignoring_case(path, match.text) : path == match.text;
    case PathMatch::Kind::kRegex:
      return match.regex && RE2::FullMatch(re2::StringPiece(path.data(), path.size()), *match.regex);
    case PathMatch::Kind::kSeparatedPrefix: {
      const bool begins =
          match.ignore_case ? starts_with_ignoring_case(path, match.text) : path.starts_with(match.text);
      return begins && (path.size() == match.text.size() || path[match.text.size()] == '/');
    }
  }
  return false;
}

void PathIndex::build(const std::vector<Route>& routes) {
  count_ = static_cast<std::uint32_t>(routes.size());
  if (routes.size() < kWorthIndexing) return;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const PathMatch& path = routes[i].match.path;
    if (path.kind == PathMatch::Kind::kRegex || path.ignore_case || path.text.empty()) {
      always_.push_back(i);
    } else if (path.kind == PathMatch::Kind::kExact) {
      exact_[path.text].push_back(i);
    } else {
      const auto same = [&](const ByLength& g) { return g.length == path.text.size(); };
      auto group = std::find_if(prefixes_.begin(), prefixes_.end(), same);
      if (group == prefixes_.end()) group = prefixes_.insert(group, ByLength{path.text.size(), {}});
      group->texts[path.text].push_back(i);
    }
  }
  indexed_ = prefixes_.size() <= kMostLengths;
}

void PathIndex::collect(std::string_view path, Lists& lists) const {
  if (!always_.empty()) lists.add(always_);
  if (const auto found = exact_.find(path); found != exact_.end()) lists.add(found->second);
  for (const ByLength& group : prefixes_) {
    if (path.size() < group.length) continue;
    const auto found = group.texts.find(path.substr(0, group.length));
    if (found != group.texts.end()) lists.add(found->second);
  }
}

}  // namespace weft::proxy
