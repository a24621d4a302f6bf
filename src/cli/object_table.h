#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "api/object.h"
#include "base/text_table.h"

namespace weft::cli {

/// How a kind's table looks this time.
struct TableStyle {
  bool wide = false;
  bool with_namespace = false;
  bool with_labels = false;
  bool with_type = false;  ///< NAME is "pod/x": several types are printed
  bool headers = true;
};

/// The columns of one kind as kubectl prints them. Owner: the printing command. Thread: one.
class ObjectTable {
 public:
  ObjectTable(const api::KindInfo& kind, TableStyle style);
  void add(const api::Object& object, std::chrono::sys_seconds now);
  bool empty() const { return table_.empty(); }
  /// The rows added since the last take; the column names come once, before the first.
  std::string take() { return table_.take(); }

 private:
  const api::KindInfo& kind_;
  TableStyle style_;
  TextTable table_;
};

}  // namespace weft::cli
