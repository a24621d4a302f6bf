#include "yaml/event_reader.h"

#include <libfyaml.h>

#include <algorithm>

#include "base/strings.h"

namespace weft::yaml {
namespace {

// It is enough for the largest ConfigMap.
constexpr std::size_t kMaxAhead = (1 << 20) + (1 << 17);

struct ParserEnd {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagEnd {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct IteratorEnd {
  void operator()(fy_token_iter* iterator) const { fy_token_iter_destroy(iterator); }
};

/// libfyaml 0.7.12 counts some texts of several lines longer than it writes them, and its whole text ends in
/// bytes that were never set; piece by piece it is right.
std::string text_by_pieces(fy_token* token) {
  std::string text;
  std::unique_ptr<fy_token_iter, IteratorEnd> iterator(fy_token_iter_create(token));
  int error = 0;
  const fy_iter_chunk* chunk = nullptr;
  while ((chunk = fy_token_iter_chunk_next(iterator.get(), chunk, &error)) != nullptr)
    text.append(chunk->str, chunk->len);
  return text;
}

bool has_lines(fy_token* token) {
  const fy_mark* start = fy_token_start_mark(token);
  const fy_mark* end = fy_token_end_mark(token);
  return start && end && start->line != end->line;
}

/// What stands between single quotes, from its source: libfyaml 0.7.12 reads four quotes in a row, two
/// escaped ones, as three. YAML 1.2 §7.3.2: '' is a quote, and a line end is a space, or with empty lines
/// after it as many line ends.
std::string single_quoted(std::string_view source) {
  std::string text;
  std::size_t line_ends = 0;
  const std::vector<std::string_view> lines = split(source, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::string_view line = lines[i];
    if (i > 0) line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (i + 1 < lines.size()) line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (i > 0) ++line_ends;
    if (line.empty() && i > 0 && i + 1 < lines.size()) continue;
    if (line_ends == 1) text += ' ';
    if (line_ends > 1) text.append(line_ends - 1, '\n');
    line_ends = 0;
    for (std::size_t at = 0; at < line.size(); ++at) {
      text += line[at];
      if (line[at] == '\'') ++at;
    }
  }
  return text;
}

std::string_view text_of(fy_token* token) {
  std::size_t size = 0;
  const char* data = token ? fy_token_get_text(token, &size) : nullptr;
  return data ? std::string_view(data, size) : std::string_view();
}

std::unique_ptr<fy_diag, DiagEnd> quiet_diag() {
  fy_diag_cfg quiet;
  fy_diag_cfg_default(&quiet);
  quiet.fp = nullptr;
  quiet.output_fn = [](fy_diag*, void*, const char*, size_t) {};
  std::unique_ptr<fy_diag, DiagEnd> diag(fy_diag_create(&quiet));
  if (diag) fy_diag_set_collect_errors(diag.get(), true);
  return diag;
}

}  // namespace

/// A place in a text, counted as libfyaml counts: lines from 0, columns in code points.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  /// Moves on to that line and column; backwards it begins again.
  std::size_t move_to(int line, int column) {
    if (line < line_ || (line == line_ && column < column_)) *this = Cursor(text_);
    while (at_ < text_.size() && (line_ < line || (line_ == line && column_ < column))) step();
    return at_;
  }

 private:
  void step() {
    const char c = text_[at_++];
    if (c == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    if (c == '\n' || c == '\r') {
      ++line_;
      column_ = 0;
      return;
    }
    while (at_ < text_.size() && (text_[at_] & 0xc0) == 0x80) ++at_;
    ++column_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 0, column_ = 0;
};

struct EventReader::Parser {
  explicit Parser(std::string_view text, bool with_places)
      : source(text),
        places_known(with_places),
        bad_line(first_bad_byte(text)),
        diag(quiet_diag()),
        place(text) {
    fy_parse_cfg configuration{};
    configuration.flags =
        static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT |
                                        FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_AUTO);
    configuration.diag = diag.get();
    parser.reset(diag ? fy_parser_create(&configuration) : nullptr);
    if (parser && fy_parser_set_input_callback(parser.get(), this, &Parser::give) != 0) parser.reset();
  }
  ~Parser() { drop(); }

  std::expected<Event, Fault> next();
  std::expected<Event, Fault> translated();
  Event scalar();
  Event begun(Event::Kind kind, fy_token* start, fy_token* tag, fy_token* anchor);
  Event ended(Event::Kind kind, fy_token* end);
  Fault fault();
  int line_at(fy_token* token);
  void set_span(Event& made, fy_token* token);
  void drop();
  static ssize_t give(void* self, void* buffer, std::size_t room);

  std::string_view source;
  bool places_known;
  int bad_line;  ///< libfyaml 0.7.12 never ends a directive in which a byte is not UTF-8
  std::unique_ptr<fy_diag, DiagEnd> diag;
  std::unique_ptr<fy_parser, ParserEnd> parser;
  Cursor place;  ///< of the last part's start
  fy_event* event = nullptr;
  std::size_t given = 0;         ///< bytes of the source that the library has
  std::size_t given_before = 0;  ///< as many it had at its last event
  bool too_far_ahead = false;
  int line = 1;
  std::vector<int> open;  ///< the lines on which maps and lists that are not closed began
  std::string corrected;
};

ssize_t EventReader::Parser::give(void* self, void* buffer, std::size_t room) {
  auto& reader = *static_cast<Parser*>(self);
  if (reader.given - reader.given_before > kMaxAhead) {
    reader.too_far_ahead = true;
    return 0;
  }
  const std::string_view part = reader.source.substr(reader.given, room);
  std::ranges::copy(part, static_cast<char*>(buffer));
  reader.given += part.size();
  return static_cast<ssize_t>(part.size());
}

void EventReader::Parser::drop() {
  if (event) fy_parser_event_free(parser.get(), event);
  event = nullptr;
}

int EventReader::Parser::line_at(fy_token* token) {
  if (const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr) line = mark->line + 1;
  return line;
}

std::expected<Event, Fault> EventReader::Parser::next() {
  if (bad_line != 0)
    return std::unexpected(Fault{bad_line, "not text: a byte that is not UTF-8, or a control byte"});
  if (!parser) return std::unexpected(Fault{0, "the YAML parser could not be made"});
  drop();
  event = fy_parser_parse(parser.get());
  if (too_far_ahead)
    return std::unexpected(Fault{line, "more than 1 MB in one line or text; break it into lines"});
  if (!event) {
    if (fy_parser_get_stream_error(parser.get())) return std::unexpected(fault());
    return Event{.line = line};
  }
  given_before = given;
  return translated();
}

/// Kinds that tell nothing are passed over by asking for the next one.
std::expected<Event, Fault> EventReader::Parser::translated() {
  using enum Event::Kind;
  switch (event->type) {
    case FYET_STREAM_END: return Event{.line = line};
    case FYET_DOCUMENT_START:
      return Event{.kind = kDocumentStart, .line = line_at(event->document_start.document_start)};
    case FYET_MAPPING_START: {
      const auto& start = event->mapping_start;
      return begun(kMappingStart, start.mapping_start, start.tag, start.anchor);
    }
    case FYET_SEQUENCE_START: {
      const auto& start = event->sequence_start;
      return begun(kSequenceStart, start.sequence_start, start.tag, start.anchor);
    }
    case FYET_MAPPING_END: return ended(kMappingEnd, event->mapping_end.mapping_end);
    case FYET_SEQUENCE_END: return ended(kSequenceEnd, event->sequence_end.sequence_end);
    case FYET_SCALAR: return scalar();
    case FYET_ALIAS: {
      Event made{.kind = kAlias, .line = line_at(event->alias.anchor), .text = text_of(event->alias.anchor)};
      if (places_known) set_span(made, event->alias.anchor);
      return made;
    }
    default: return next();
  }
}

Event EventReader::Parser::begun(Event::Kind kind, fy_token* start, fy_token* tag, fy_token* anchor) {
  const int at = line_at(start);
  open.push_back(at);
  Event made{.kind = kind, .line = at, .text = {}, .tag = text_of(tag), .anchor = text_of(anchor)};
  const fy_token_type type = start ? fy_token_get_type(start) : FYTT_NONE;
  made.flow = type == FYTT_FLOW_MAPPING_START || type == FYTT_FLOW_SEQUENCE_START;
  if (places_known) set_span(made, start);
  return made;
}

Event EventReader::Parser::ended(Event::Kind kind, fy_token* end) {
  open.pop_back();
  Event made{.kind = kind, .line = line};
  const fy_token_type type = end ? fy_token_get_type(end) : FYTT_NONE;
  if (places_known && (type == FYTT_FLOW_MAPPING_END || type == FYTT_FLOW_SEQUENCE_END)) set_span(made, end);
  return made;
}

/// By line and column: libfyaml 0.7.12 begins to count bytes again with each piece of 64 KiB that it is
/// given.
void EventReader::Parser::set_span(Event& made, fy_token* token) {
  if (!token) return;
  if (const fy_mark* mark = fy_token_start_mark(token))
    made.begin = static_cast<std::uint32_t>(place.move_to(mark->line, mark->column));
  Cursor after = place;
  if (const fy_mark* mark = fy_token_end_mark(token))
    made.end = static_cast<std::uint32_t>(after.move_to(mark->line, mark->column));
}

Event EventReader::Parser::scalar() {
  fy_token* token = event->scalar.value;
  const fy_scalar_style style = token ? fy_scalar_token_get_style(token) : FYSS_PLAIN;
  Event made{.kind = Event::Kind::kScalar,
             .plain = style == FYSS_PLAIN,
             .line = line_at(token),
             .text = {},
             .tag = text_of(event->scalar.tag),
             .anchor = text_of(event->scalar.anchor)};
  if (places_known || style == FYSS_SINGLE_QUOTED) set_span(made, token);
  if (style == FYSS_LITERAL || style == FYSS_FOLDED || (style == FYSS_DOUBLE_QUOTED && has_lines(token))) {
    corrected = text_by_pieces(token);
    made.text = corrected;
  } else if (style == FYSS_SINGLE_QUOTED) {
    corrected = single_quoted(source.substr(made.begin, made.end - made.begin));
    made.text = corrected;
  } else {
    made.text = text_of(token);
  }
  if (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) --made.begin, ++made.end;
  return made;
}

Fault EventReader::Parser::fault() {
  void* iterator = nullptr;
  const fy_diag_error* error = fy_diag_errors_iterate(diag.get(), &iterator);
  if (!error) return {line, "not YAML"};
  const std::string text = error->msg ? error->msg : "syntax error";
  // What is never closed is found at the end of the file; the place to mend is where it begins.
  const bool unclosed = text.find("without a closing") != text.npos && !open.empty();
  return {unclosed ? open.back() : error->line > 0 ? error->line : line, "not YAML: " + text};
}

EventReader::EventReader(std::string_view text, Places places)
    : parser_(std::make_unique<Parser>(text, places == Places::kKnown)) {}
EventReader::~EventReader() = default;

std::expected<Event, Fault> EventReader::next() { return parser_->next(); }

int first_bad_byte(std::string_view text) {
  int line = 1;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') ++line;
    if (c < 0x80) {
      if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return line;
      ++i;
      continue;
    }
    const std::size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || i + length > text.size()) return line;
    std::uint32_t point = c & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return line;
      point = (point << 6) | (next & 0x3fu);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return line;
    i += length;
  }
  return 0;
}

}  // namespace weft::yaml
