#include "cli/page.h"

#include <algorithm>

#include "base/strings.h"
#include "cli/json_path.h"

namespace weft::cli {
namespace {
/// Behind the longest name there is, "    PartiallyInvalid:".
constexpr std::size_t kValueColumn = 23;
}  // namespace

void Page::field(std::string_view name, std::string_view value) {
  std::string start(indent_, ' ');
  start += std::string(name) + ":";
  start.append(std::max<std::size_t>(2, kValueColumn > start.size() ? kValueColumn - start.size() : 0), ' ');
  const std::size_t column = start.size();
  for (std::string_view line : split(value.empty() ? "<none>" : value, '\n')) {
    text_ += start + std::string(line) + "\n";
    start.assign(column, ' ');
  }
}

void Page::map(std::string_view name, const api::Json& entries, std::string_view between) {
  std::string value;
  if (entries.is_object()) {
    for (const auto& [key, entry] : entries.items()) {
      if (!value.empty()) value += "\n";
      value += key + std::string(between) + std::string(trim(scalar_text(entry)));
    }
  }
  field(name, value);
}

void Page::enter(std::string_view name) {
  text_ += std::string(indent_, ' ') + std::string(name) + ":\n";
  indent_ += 2;
}

void Page::lines(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  for (std::string_view line : split(text, '\n'))
    text_ += std::string(indent_, ' ') + std::string(line) + "\n";
}

}  // namespace weft::cli
