#include "base/text_table.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"

namespace weft {
namespace {

constexpr std::size_t kGap = 3;
constexpr std::size_t kSmallestColumn = 6;  // kubectl's, gap included

}  // namespace

TextTable::TextTable(std::vector<std::string> heading) : heading_(std::move(heading)) { grow(heading_); }

void TextTable::add(std::vector<std::string> row) {
  grow(row);
  rows_.push_back(std::move(row));
}

void TextTable::grow(const std::vector<std::string>& row) {
  if (widths_.size() < row.size()) widths_.resize(row.size(), kSmallestColumn);
  for (std::size_t i = 0; i < row.size(); ++i)
    widths_[i] = std::max(widths_[i], display_width(row[i]) + kGap);
}

void TextTable::print(std::string& into, const std::vector<std::string>& row) const {
  for (std::size_t i = 0; i < row.size(); ++i) {
    into += row[i];
    if (i + 1 < row.size()) into.append(widths_[i] - display_width(row[i]), ' ');
  }
  into += '\n';
}

std::string TextTable::take() {
  std::string text;
  if (!heading_.empty()) print(text, heading_);
  heading_.clear();
  for (const auto& row : rows_) print(text, row);
  rows_.clear();
  return text;
}

}  // namespace weft
