#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/parse.h"
#include "api/path.h"
#include "api/yaml_reader.h"

namespace weft::api {

/// The line of the nearest place on the way to `at` that the document has.
int line_of(const Json& source, const Lines& lines, const Path& at);

/// Collects what is wrong with one object and finds the line of each place. One owner; the source must
/// outlive it.
class Report {
 public:
  /// A person mends the first few; a file of nonsense must not cost memory for each of its lines.
  static constexpr std::size_t kEnough = 100;

  /// `source` and `lines` are the object as it was read; null for one that has no file. At most `enough`
  /// problems are kept.
  Report(std::string_view file, const Json* source, const Lines* lines, std::size_t enough = kEnough)
      : file_(file), source_(source), lines_(lines), enough_(enough) {}

  void problem(const Path& at, std::string text);
  /// A problem of a field that could be left out: an object that is stored with it is used as if it were.
  void no_effect(const Path& at, std::string text);
  /// Understood, and not done: by name, with what to do instead.
  void unsupported(const Path& at, std::string_view what, std::string_view advice);
  void note(const Path& at, std::string text);

  /// Enough was found; more is not kept.
  bool full() const { return problems_.size() >= enough_; }
  bool clean() const { return problems_.empty(); }
  bool only_unsupported() const { return unsupported_ == problems_.size(); }
  std::vector<Problem>& problems() { return problems_; }
  std::vector<std::string>& notes() { return notes_; }

 private:
  int line_of(const Path& at) const { return lines_ ? api::line_of(*source_, *lines_, at) : 0; }

  std::string_view file_;
  const Json* source_;
  const Lines* lines_;
  std::size_t enough_;
  std::size_t unsupported_ = 0;
  std::vector<Problem> problems_;
  std::vector<std::string> notes_;
};

}  // namespace weft::api
