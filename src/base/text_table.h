#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Rows of cells printed in columns, three spaces apart and the last cell as it is: the look of kubectl's
/// tables.
///
/// Column widths only grow, and a table may be taken in pieces (a watch prints the first rows, and later one
/// row at a time below them): each take() lines up with what was taken before as far as it can. Thread: one
/// owner.
class TextTable {
 public:
  /// The names above the columns; none: no heading line.
  explicit TextTable(std::vector<std::string> heading = {});

  void add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  /// The text of everything added since the last take; the heading comes once, before the first rows.
  std::string take();

 private:
  void grow(const std::vector<std::string>& row);
  void print(std::string& into, const std::vector<std::string>& row) const;

  std::vector<std::string> heading_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace weft
