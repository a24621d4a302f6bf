#include "inject/kind_of.h"

#include <cstddef>

#include "yaml/event_reader.h"

namespace weft::inject {
namespace {

using yaml::Event;

/// Follows the events; knows the members of the outermost map.
class Look {
 public:
  /// False: it cannot be told.
  bool take(const Event& event) {
    switch (event.kind) {
      case Event::Kind::kDocumentStart: return ++documents_ == 1;
      case Event::Kind::kMappingStart:
      case Event::Kind::kSequenceStart:
        if (depth_ == 0 && event.kind == Event::Kind::kSequenceStart) return false;
        ++depth_;
        return depth_ == 1 || depth_ > 2 || part({});
      case Event::Kind::kMappingEnd:
      case Event::Kind::kSequenceEnd: --depth_; return true;
      case Event::Kind::kScalar: return depth_ != 1 || part(event.text);
      case Event::Kind::kAlias: return depth_ != 1 || (!is_key_ && part({}));
      case Event::Kind::kEnd: return true;
    }
    return true;
  }

  std::optional<ObjectKind> found() const {
    if (versions_ != 1 || kinds_ != 1 || found_.api_version.empty() || found_.kind.empty()) return {};
    return found_;
  }

 private:
  /// A key or a value of the outermost map, in turns.
  bool part(std::string_view text) {
    if (is_key_) {
      key_ = text;
    } else if (key_ == "apiVersion") {
      ++versions_;
      found_.api_version = text;
    } else if (key_ == "kind") {
      ++kinds_;
      found_.kind = text;
    }
    is_key_ = !is_key_;
    return true;
  }

  int documents_ = 0, versions_ = 0, kinds_ = 0;
  std::size_t depth_ = 0;
  bool is_key_ = true;
  std::string key_;
  ObjectKind found_;
};

}  // namespace

std::optional<ObjectKind> kind_of(std::string_view document) {
  yaml::EventReader events(document, yaml::EventReader::Places::kUnknown);
  Look look;
  for (;;) {
    const auto event = events.next();
    if (!event || !look.take(*event)) return {};
    if (event->kind == Event::Kind::kEnd) return look.found();
  }
}

}  // namespace weft::inject
