#include "proxy/routing/path_index.h"

#include <re2/re2.h>

#include <algorithm>

#include "proxy/routing/string_match.h"

namespace weft::proxy {
namespace {

constexpr std::size_t kWorthIndexing = 9;  // below this, trying each is as fast

}  // namespace

bool matches(const PathMatch& match, std::string_view path) {
  if (path.empty()) return match.kind == PathMatch::Kind::kConnect;
  switch (match.kind) {
    case PathMatch::Kind::kConnect: return false;
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
  ByPath lists;
  for (std::uint32_t i = 0; i < count_; ++i) {
    const PathMatch& path = routes[i].match.path;
    if (path.kind == PathMatch::Kind::kRegex || path.kind == PathMatch::Kind::kConnect || path.ignore_case ||
        path.text.empty()) {
      lists.always.push_back(i);
    } else if (path.kind == PathMatch::Kind::kExact) {
      lists.exact[path.text].push_back(i);
    } else {
      const auto same = [&](const ByLength& g) { return g.length == path.text.size(); };
      auto group = std::ranges::find_if(lists.prefixes, same);
      if (group == lists.prefixes.end()) group = lists.prefixes.insert(group, ByLength{path.text.size(), {}});
      group->texts[path.text].push_back(i);
    }
  }
  if (lists.prefixes.size() <= kMaxLengths) by_path_ = std::make_unique<const ByPath>(std::move(lists));
}

void PathIndex::collect(std::string_view path, Lists& lists) const {
  if (!by_path_->always.empty()) lists.add(by_path_->always);
  if (const auto found = by_path_->exact.find(path); found != by_path_->exact.end()) lists.add(found->second);
  for (const ByLength& group : by_path_->prefixes) {
    if (path.size() < group.length) continue;
    const auto found = group.texts.find(path.substr(0, group.length));
    if (found != group.texts.end()) lists.add(found->second);
  }
}

}  // namespace weft::proxy
