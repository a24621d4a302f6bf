#include "proxy/routing/domain_index.h"

#include <algorithm>

namespace weft::proxy {
namespace {

bool has_upper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace

std::string_view without_authority_port(std::string_view authority) {
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos)
    return authority;
  return authority.substr(0, colon);
}

void DomainIndex::add_to(std::vector<ByLength>& groups, std::string_view text, std::uint32_t host) {
  auto group =
      std::find_if(groups.begin(), groups.end(), [&](const ByLength& g) { return g.length == text.size(); });
  if (group == groups.end()) group = groups.insert(groups.end(), ByLength{text.size(), {}});
  group->texts.emplace(text, host);
}

namespace {

/// "shop.example." is the name "shop.example", written as DNS writes it (RFC 3986 §3.2.2). Where the final
/// dot is, or npos.
std::size_t final_dot(std::string_view authority) {
  const std::string_view host = without_authority_port(authority);
  return host.size() > 1 && host.back() == '.' ? host.size() - 1 : std::string_view::npos;
}

}  // namespace

void DomainIndex::add(std::string_view domain, std::uint32_t host) {
  std::string text = lower(domain);
  if (const auto dot = final_dot(text); dot != std::string_view::npos) text.erase(dot, 1);
  if (text == "*") {
    if (!any_) any_ = host;
  } else if (text.starts_with('*')) {
    add_to(suffixes_, std::string_view(text).substr(1), host);
  } else if (text.ends_with('*')) {
    add_to(prefixes_, std::string_view(text).substr(0, text.size() - 1), host);
  } else {
    exact_.emplace(text, host);
  }
}

void DomainIndex::seal() {
  const auto longer = [](const ByLength& a, const ByLength& b) { return a.length > b.length; };
  std::sort(suffixes_.begin(), suffixes_.end(), longer);
  std::sort(prefixes_.begin(), prefixes_.end(), longer);
}

std::optional<std::uint32_t> DomainIndex::find(std::string_view authority, bool ignore_port) const {
  if (ignore_port) authority = without_authority_port(authority);
  std::string lowered;
  const auto dot = final_dot(authority);
  if (dot != std::string_view::npos || has_upper(authority)) {
    lowered = lower(authority);
    if (dot != std::string_view::npos) lowered.erase(dot, 1);
    authority = lowered;
  }
  if (!authority.empty()) {
    if (const auto found = exact_.find(authority); found != exact_.end()) return found->second;
    for (const ByLength& group : suffixes_) {
      if (authority.size() <= group.length) continue;
      const auto found = group.texts.find(authority.substr(authority.size() - group.length));
      if (found != group.texts.end()) return found->second;
    }
    for (const ByLength& group : prefixes_) {
      if (authority.size() <= group.length) continue;
      const auto found = group.texts.find(authority.substr(0, group.length));
      if (found != group.texts.end()) return found->second;
    }
  }
  return any_;
}

}  // namespace weft::proxy
