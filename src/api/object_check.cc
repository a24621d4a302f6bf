#include "api/object_check.h"

#include <charconv>

namespace weft::api {

void with_place(std::string_view pointer, const Path& at, const std::function<void(const Path&)>& use) {
  if (!pointer.starts_with('/')) return use(at);
  pointer.remove_prefix(1);
  const std::string_view step = pointer.substr(0, pointer.find('/'));
  pointer.remove_prefix(step.size());
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
  if (error == std::errc() && end == step.data() + step.size()) return with_place(pointer, at.at(index), use);
  std::string key;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const std::string_view rest = step.substr(i);
    const bool escaped = rest.starts_with("~0") || rest.starts_with("~1");
    key += !escaped ? step[i] : step[++i] == '0' ? '~' : '/';
  }
  with_place(pointer, at.at(key), use);
}

std::string to_string(const Finding& finding) {
  std::string text;
  with_place(finding.at, Path{}, [&](const Path& place) { text = place.to_string() + ": " + finding.text; });
  return text;
}

}  // namespace weft::api
