#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft::yaml {

/// One step through a YAML stream. The texts are valid until the next one is asked for.
struct Event {
  enum class Kind : std::uint8_t {
    kDocumentStart,
    kMappingStart,
    kMappingEnd,
    kSequenceStart,
    kSequenceEnd,
    kScalar,
    kAlias,  ///< `text` is the anchor's name
    kEnd,
  };
  Kind kind = Kind::kEnd;
  bool plain = false;  ///< a scalar without quotes, not a block
  bool flow = false;   ///< a map or list in brackets
  int line = 0;        ///< from 1; where nothing is written (an empty value): that of the part before
  /// The bytes it stands on in the text; of a map or list the start of its first part, or its bracket; an end
  /// has the end of the closing bracket, or 0 when there is none. Both 0 where nothing is written.
  std::uint32_t begin = 0, end = 0;
  std::string_view text{}, tag{}, anchor{};
};

/// What is wrong with a text, and where. `line` 0: nowhere in particular.
struct Fault {
  int line = 0;
  std::string text;
};

/// Reads a text event by event; duplicate keys and unknown anchors are for the caller to see.
///
/// Owner: the reader. Thread: one. The text must outlive it. Memory: an open bracket makes the parser look
/// ahead for the end of a possible key, at up to 350 bytes a byte, so no more than 1 MB is given to it
/// without an event.
class EventReader {
 public:
  /// Whether events have the bytes that they stand on; telling lines alone is quicker.
  enum class Places : std::uint8_t { kKnown, kUnknown };

  explicit EventReader(std::string_view text, Places places = Places::kKnown);
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  ~EventReader();

  /// After kEnd or a fault there is nothing more.
  std::expected<Event, Fault> next();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

/// The line of the first byte that no YAML text may hold (not UTF-8, or a control byte); 0 when there is
/// none.
int first_bad_byte(std::string_view text);

}  // namespace weft::yaml
