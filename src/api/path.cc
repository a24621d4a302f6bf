#include "api/path.h"

#include <algorithm>

#include "base/strings.h"

namespace weft::api {
namespace {

bool plain(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

std::string Path::to_string() const {
  if (is_root()) return {};
  std::string text = parent->to_string();
  if (index != kNotAnIndex) return text + "[" + std::to_string(index) + "]";
  constexpr std::size_t kMaxLength = 100;
  if (!plain(key) || key.size() > kMaxLength) return text + "[\"" + std::string(cut(key, kMaxLength)) + "\"]";
  if (!text.empty()) text += '.';
  return text.append(key);
}

}  // namespace weft::api
