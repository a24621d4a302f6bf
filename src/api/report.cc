#include "api/report.h"

namespace weft::api {

int line_of(const Json& source, const Lines& source_lines, const Path& at) {
  std::vector<const Path*> steps;
  for (const Path* step = &at; !step->is_root(); step = step->parent) steps.push_back(step);
  const Json* value = &source;
  const Lines* lines = &source_lines;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    std::size_t position = (*step)->index;
    if (position == Path::kNotAnIndex) {
      if (!value->is_object()) break;
      position = 0;
      for (auto member = value->begin(); member != value->end() && member.key() != (*step)->key; ++member)
        ++position;
    } else if (!value->is_array()) {
      break;
    }
    if (position >= value->size()) break;
    value = &*std::next(value->begin(), static_cast<std::ptrdiff_t>(position));
    lines = &lines->children[position];
  }
  return lines->line;
}

void Report::problem(const Path& at, std::string text) {
  if (full()) return;
  problems_.push_back({std::string(file_), line_of(at), at.to_string(), std::move(text)});
}

void Report::no_effect(const Path& at, std::string text) {
  if (full()) return;
  problem(at, std::move(text));
  problems_.back().no_effect = true;
}

void Report::unsupported(const Path& at, std::string_view what, std::string_view advice) {
  std::string text = std::string(what) + " is not supported by weft yet";
  if (!advice.empty()) text.append("; ").append(advice);
  std::size_t before = problems_.size();
  problem(at, std::move(text));
  unsupported_ += problems_.size() - before;
}

void Report::note(const Path& at, std::string text) {
  notes_.push_back(Problem{std::string(file_), line_of(at), at.to_string(), std::move(text)}.to_string());
}

std::string Problem::to_string() const {
  std::string result = file;
  if (line > 0) result.append(file.empty() ? "line " : ":").append(std::to_string(line));
  if (!result.empty()) result += ": ";
  if (!field.empty()) result.append(field).append(": ");
  return result + text;
}

}  // namespace weft::api
