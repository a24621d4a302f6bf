#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/config.h"
#include "proxy/routing/string_map.h"

namespace weft::proxy {

/// Whether a path, without its query, satisfies the match. Any thread.
bool matches(const PathMatch& match, std::string_view path);

/// Says which routes of a list may match a path, in their order, without trying each: exact paths and
/// prefixes are hashed, by length. What it leaves out cannot match; what it gives must still be tried.
/// Immutable; any thread.
class PathIndex {
 public:
  void build(const std::vector<Route>& routes);

  /// Calls `visit(index)` for each candidate, lowest first, until it returns true; returns whether one did.
  template <class Visit>
  bool each_candidate(std::string_view path, Visit visit) const {
    if (!by_path_) {
      for (std::uint32_t i = 0; i < count_; ++i) {
        if (visit(i)) return true;
      }
      return false;
    }
    Lists lists;
    collect(path, lists);
    for (;;) {
      Cursor* lowest = nullptr;
      for (std::size_t i = 0; i < lists.size; ++i) {
        Cursor& cursor = lists.cursors[i];
        if (cursor.at != cursor.end && (!lowest || *cursor.at < *lowest->at)) lowest = &cursor;
      }
      if (!lowest) return false;
      if (visit(*lowest->at++)) return true;
    }
  }

 private:
  using Indexes = std::vector<std::uint32_t>;
  struct Cursor {
    const std::uint32_t* at;
    const std::uint32_t* end;
  };
  static constexpr std::size_t kMaxLengths = 30;
  struct Lists {
    Cursor cursors[kMaxLengths + 2];
    std::size_t size = 0;
    void add(const Indexes& indexes) { cursors[size++] = {indexes.data(), indexes.data() + indexes.size()}; }
  };
  struct ByLength {
    std::size_t length;
    StringMap<Indexes> texts;
  };
  void collect(std::string_view path, Lists& lists) const;

  struct ByPath {
    StringMap<Indexes> exact;
    std::vector<ByLength> prefixes;
    Indexes always;  ///< regular expressions, and what ignores letter case
  };
  std::uint32_t count_ = 0;
  std::unique_ptr<const ByPath> by_path_;  ///< null: each is tried
};

}  // namespace weft::proxy
