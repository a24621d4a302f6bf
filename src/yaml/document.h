#pragma once

#include <memory>
#include <memory_resource>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weft::yaml {

/// A part of a document. Lives as long as the document; an alias is a second node with the same children.
struct Node {
  enum class Kind : std::uint8_t { kScalar, kMapping, kSequence };
  Kind kind = Kind::kScalar;
  bool plain = false;  ///< a scalar without quotes, not a block
  bool flow = false;   ///< a map or list in brackets
  bool alias = false;  ///< it stands in the place of *NAME
  int line = 0;        ///< from 1
  /// The bytes of the text that it stands on, from its first part to the end of its last, anchors and tags
  /// not counted. Both 0 where nothing is written.
  std::uint32_t begin = 0, end = 0;
  std::string_view text;  ///< of a scalar
  Node* first = nullptr;  ///< of a list its items; of a map key, value, key, value, …
  Node* next = nullptr;   ///< what comes after this one in the same list or map

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_mapping() const { return kind == Kind::kMapping; }
  bool is_sequence() const { return kind == Kind::kSequence; }
  /// Written as nothing, `null` or `~`.
  bool is_null() const;
};

/// One YAML or JSON document as a tree, all of it in a few blocks of memory that are let go together.
///
/// Owner: the reader of a file, as long as it asks for lines. Thread: one.
class Document {
 public:
  /// Errors: not YAML, a duplicate key, a key that is not a scalar, an alias without an anchor, nested more
  /// than 100 deep, more than one document, more than 64 MB. The text has "file:line: ".
  static Result<Document> parse(std::string_view text, std::string file_name);

  /// Null when the document is empty.
  const Node* root() const { return root_; }
  const std::string& file_name() const { return file_name_; }

  /// The line of what `path` ("a.b[0].c") names, or of the nearest thing around it that is there. A step may
  /// be in snake_case where the file has lowerCamelCase.
  int line_of_path(std::string_view path) const;
  /// `error` with "file:line: " in front; its text begins with the path it is about.
  Error locate(Error error) const;

 private:
  std::unique_ptr<std::pmr::monotonic_buffer_resource> memory_;
  std::string file_name_;
  const Node* root_ = nullptr;
};

}  // namespace weft::yaml
