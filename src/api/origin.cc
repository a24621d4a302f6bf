#include "api/origin.h"

#include <algorithm>
#include <charconv>
#include <deque>

#include "api/path.h"
#include "api/report.h"

namespace weft::api {
namespace {

/// Adds what stands in brackets after a field's name: "[0]" is an item, anything else a key.
void add_brackets(std::deque<Path>& steps, std::string_view brackets) {
  while (brackets.starts_with('[')) {
    const auto end = brackets.find(']');
    std::string_view inside = brackets.substr(1, end == brackets.npos ? end : end - 1);
    std::size_t index = 0;
    auto [last, error] = std::from_chars(inside.data(), inside.data() + inside.size(), index);
    const bool number = error == std::errc() && last == inside.data() + inside.size();
    steps.push_back(number ? steps.back().at(index) : steps.back().at(inside));
    brackets = end == brackets.npos ? std::string_view() : brackets.substr(end + 1);
  }
}

/// The chain of steps that a path's text stands for. A deque does not move what the steps point to.
void add_steps(std::deque<Path>& steps, std::string_view field) {
  while (!field.empty()) {
    const auto end = std::min(field.find('.'), field.size());
    std::string_view part = field.substr(0, end);
    const auto bracket = std::min(part.find('['), part.size());
    steps.push_back(steps.back().at(part.substr(0, bracket)));
    add_brackets(steps, part.substr(bracket));
    field.remove_prefix(std::min(end + 1, field.size()));
  }
}

}  // namespace

std::string Origin::place(std::string_view field) const {
  if (!document_) return file_;
  std::deque<Path> steps(1);
  if (item_ != kWhole) {
    steps.push_back(steps.back().at("items"));
    steps.push_back(steps.back().at(item_));
  }
  add_steps(steps, field);
  return file_ + ":" + std::to_string(line_of(document_->value, document_->lines, steps.back()));
}

}  // namespace weft::api
