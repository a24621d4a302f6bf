#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct fy_document;
struct fy_node;

namespace weft::xds {

/// One YAML or JSON document (JSON is read as the YAML it is) and the lines its parts stand on.
///
/// Owner: whoever reads a file, as long as it asks for lines. Thread: one.
class YamlDocument {
 public:
  /// Errors: not YAML, a duplicate key, more than one document, more than 64 MB. The text has "file:line: ".
  static Result<YamlDocument> parse(std::string text, std::string file_name);

  /// Null when the document is empty.
  fy_node* root() const;
  const std::string& file_name() const { return file_name_; }

  /// The line of what `path` ("a.b[0].c") names, or of the nearest thing around it that is there.
  int line_of_path(std::string_view path) const;
  /// `error` with "file:line: " in front; its text begins with the path it is about.
  Error locate(Error error) const;

 private:
  struct End {
    void operator()(fy_document* document) const;
  };
  std::unique_ptr<std::string> text_;  ///< the nodes point into it
  std::string file_name_;
  std::unique_ptr<fy_document, End> document_;
};

/// The line a node begins on, counted from 1; 0 for an empty collection.
int line_of(fy_node* node);
/// The node itself, or what it is an alias of; null when the anchor is not there.
fy_node* resolved(fy_node* node);
/// A scalar's text.
std::string scalar_text(fy_node* node);

}  // namespace weft::xds
