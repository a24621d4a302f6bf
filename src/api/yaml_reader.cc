#include "api/yaml_reader.h"

#include <libfyaml.h>

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "api/path.h"
#include "base/strings.h"

namespace weft::api {
namespace {

constexpr std::size_t kMaxText = 10'000'000;
// An open bracket makes the parser look ahead for the end of a possible key, at up to 350 bytes of memory a
// byte. It is enough for the largest ConfigMap.
constexpr std::size_t kMaxAhead = (1 << 20) + (1 << 17);
constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxKeys = 10'000;
constexpr std::size_t kMaxBytes = 64'000'000;
constexpr std::size_t kBytesPerValue = 48;

struct ParserEnd {
  void operator()(fy_parser* parser) const { fy_parser_destroy(parser); }
};
struct DiagEnd {
  void operator()(fy_diag* diag) const { fy_diag_destroy(diag); }
};
struct EventEnd {
  fy_parser* parser;
  void operator()(fy_event* event) const { fy_parser_event_free(parser, event); }
};
using Event = std::unique_ptr<fy_event, EventEnd>;

struct IteratorEnd {
  void operator()(fy_token_iter* iterator) const { fy_token_iter_destroy(iterator); }
};

/// libfyaml 0.7.12 counts some block scalars longer than it writes them, and its whole text ends in bytes
/// nobody set; piece by piece it is right.
std::string block_text(fy_token* token) {
  std::string text;
  std::unique_ptr<fy_token_iter, IteratorEnd> iterator(fy_token_iter_create(token));
  int error = 0;
  const fy_iter_chunk* chunk = nullptr;
  while ((chunk = fy_token_iter_chunk_next(iterator.get(), chunk, &error)) != nullptr)
    text.append(chunk->str, chunk->len);
  return text;
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

std::string text_of(fy_token* token) {
  std::size_t size = 0;
  const char* data = token ? fy_token_get_text(token, &size) : nullptr;
  return data ? std::string(data, size) : std::string();
}

int line_of(fy_token* token) {
  const fy_mark* mark = token ? fy_token_start_mark(token) : nullptr;
  return mark ? mark->line + 1 : 0;
}

/// Turns the parser's events into documents; stops at the first thing that is wrong.
class Reader {
 public:
  explicit Reader(std::string_view text);
  YamlStream read() &&;

 private:
  struct Anchor {
    Document document;
    std::size_t bytes = 0;
  };
  /// A map or list that is being filled.
  struct Frame {
    Document document;
    std::string anchor;
    std::size_t bytes_before = 0;
    std::string key;
    int key_line = 0;
    bool has_key = false;
    std::unordered_set<std::string> keys;  ///< filled only when the map is large
  };

  static ssize_t give(void* self, void* buffer, std::size_t room);
  bool take(const fy_event& event);
  std::string scalar_text(fy_token* token, fy_scalar_style style) const;
  bool open(Json empty, fy_token* start, fy_token* tag, fy_token* anchor);
  bool close();
  bool scalar(const fy_event& event);
  bool alias(const fy_event& event);
  bool add(Document document, const std::string& anchor, std::size_t bytes);
  bool set_key(std::string key, int line, bool plain);
  bool insert(Frame& into, Document document);
  bool spend(std::size_t bytes);
  bool fault(int line, std::string text);
  void parser_fault();

  std::unique_ptr<fy_diag, DiagEnd> diag_;
  std::unique_ptr<fy_parser, ParserEnd> parser_;
  std::string_view source_;
  std::size_t given_ = 0;         ///< bytes of it the parser has
  std::size_t given_before_ = 0;  ///< as many it had at its last event
  bool too_far_ahead_ = false;
  YamlStream stream_;
  std::vector<Frame> open_;
  std::unordered_map<std::string, Anchor> anchors_;
  std::size_t bytes_ = 0;
  int line_ = 1;
};

Reader::Reader(std::string_view text) : source_(text) {
  fy_diag_cfg quiet;
  fy_diag_cfg_default(&quiet);
  quiet.fp = nullptr;
  quiet.output_fn = [](fy_diag*, void*, const char*, size_t) {};
  diag_.reset(fy_diag_create(&quiet));
  fy_diag_set_collect_errors(diag_.get(), true);
  fy_parse_cfg configuration{};
  configuration.flags =
      static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_DEPTH_LIMIT |
                                      FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_AUTO);
  configuration.diag = diag_.get();
  parser_.reset(fy_parser_create(&configuration));
  if (parser_ && fy_parser_set_input_callback(parser_.get(), this, &Reader::give) != 0) parser_.reset();
}

ssize_t Reader::give(void* self, void* buffer, std::size_t room) {
  auto& reader = *static_cast<Reader*>(self);
  if (reader.given_ - reader.given_before_ > kMaxAhead) {
    reader.too_far_ahead_ = true;
    return 0;
  }
  std::string_view part = reader.source_.substr(reader.given_, room);
  std::ranges::copy(part, static_cast<char*>(buffer));
  reader.given_ += part.size();
  return static_cast<ssize_t>(part.size());
}

YamlStream Reader::read() && {
  if (!parser_) {
    fault(0, "the YAML parser could not be made");
    return std::move(stream_);
  }
  for (;;) {
    Event event(fy_parser_parse(parser_.get()), EventEnd{parser_.get()});
    if (too_far_ahead_) {
      fault(line_, "more than 1 MB in one line or text; break it into lines");
      break;
    }
    if (!event) {
      if (fy_parser_get_stream_error(parser_.get())) parser_fault();
      break;
    }
    given_before_ = given_;
    if (!take(*event) || event->type == FYET_STREAM_END) break;
  }
  return std::move(stream_);
}

void Reader::parser_fault() {
  void* iterator = nullptr;
  if (fy_diag_error* error = fy_diag_errors_iterate(diag_.get(), &iterator)) {
    std::string text = error->msg ? error->msg : "syntax error";
    // What is never closed is found at the end of the file; the place to mend is where it begins.
    bool unclosed = text.find("without a closing") != text.npos && !open_.empty();
    int line = unclosed ? open_.back().document.lines.line : error->line > 0 ? error->line : line_;
    fault(line, "not YAML: " + text);
  } else {
    fault(line_, "not YAML");
  }
}

bool Reader::fault(int line, std::string text) {
  stream_.fault = {line, std::move(text)};
  return false;
}

bool Reader::spend(std::size_t bytes) {
  bytes_ += bytes;
  return bytes_ <= kMaxBytes ||
         fault(line_, "more than 64 MB of values, with aliases expanded; split the file");
}

bool Reader::take(const fy_event& event) {
  switch (event.type) {
    case FYET_DOCUMENT_START: anchors_.clear(); return true;
    case FYET_MAPPING_START:
      return open(Json::object(), event.mapping_start.mapping_start, event.mapping_start.tag,
                  event.mapping_start.anchor);
    case FYET_SEQUENCE_START:
      return open(Json::array(), event.sequence_start.sequence_start, event.sequence_start.tag,
                  event.sequence_start.anchor);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: return close();
    case FYET_SCALAR: return scalar(event);
    case FYET_ALIAS: return alias(event);
    default: return true;
  }
}

bool Reader::open(Json empty, fy_token* start, fy_token* tag, fy_token* anchor) {
  if (int line = line_of(start)) line_ = line;
  if (open_.size() >= kMaxDepth) return fault(line_, "nested more than 100 levels deep");
  if (!open_.empty() && open_.back().document.value.is_object() && !open_.back().has_key)
    return fault(line_, "a key must be a plain text, not a list or a map");
  std::string_view wanted = empty.is_object() ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
  if (tag && text_of(tag) != wanted) return fault(line_, "tag " + text_of(tag) + " is not known; remove it");
  Frame frame;
  frame.document = {std::move(empty), {line_, {}}};
  frame.anchor = text_of(anchor);
  frame.bytes_before = bytes_;
  open_.push_back(std::move(frame));
  return true;
}

bool Reader::close() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  if (!spend(kBytesPerValue)) return false;
  return add(std::move(frame.document), frame.anchor, bytes_ - frame.bytes_before);
}

/// The value of a scalar that carries a tag of the core schema; false in `known` for other tags.
Json tagged_scalar(std::string_view tag, std::string text, bool& known) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  known = true;
  if (tag == "!" || tag == "tag:yaml.org,2002:str") return text;
  Json value = plain_scalar(text);
  std::string_view name = tag.starts_with(kCore) ? tag.substr(kCore.size()) : std::string_view();
  known = (name == "int" && value.is_number_integer()) || (name == "float" && value.is_number()) ||
          (name == "bool" && value.is_boolean()) || (name == "null" && value.is_null());
  return value;
}

std::string Reader::scalar_text(fy_token* token, fy_scalar_style style) const {
  if (style == FYSS_LITERAL || style == FYSS_FOLDED) return block_text(token);
  if (style != FYSS_SINGLE_QUOTED) return text_of(token);
  const std::size_t start = fy_token_start_mark(token)->input_pos;
  return single_quoted(source_.substr(start, fy_token_end_mark(token)->input_pos - start));
}

bool Reader::scalar(const fy_event& event) {
  fy_token* token = event.scalar.value;
  if (int line = line_of(token)) line_ = line;
  const fy_scalar_style style = token ? fy_scalar_token_get_style(token) : FYSS_PLAIN;
  const bool plain = style == FYSS_PLAIN;
  std::string text = scalar_text(token, style);
  if (!open_.empty() && open_.back().document.value.is_object() && !open_.back().has_key)
    return set_key(std::move(text), line_, plain);
  std::size_t bytes = kBytesPerValue + text.size();
  if (!spend(bytes)) return false;
  Document document{nullptr, {line_, {}}};
  if (event.scalar.tag) {
    bool known = false;
    document.value = tagged_scalar(text_of(event.scalar.tag), text, known);
    if (!known)
      return fault(line_, "tag " + text_of(event.scalar.tag) + " does not fit \"" +
                              std::string(cut(text, 100)) + "\"; remove it");
  } else if (!plain) {
    document.value = std::move(text);
  } else {
    if (text == ".inf" || text == "-.inf" || text == ".nan")
      return fault(line_, text + " is not a number JSON has");
    document.value = plain_scalar(text);
  }
  return add(std::move(document), text_of(event.scalar.anchor), bytes);
}

bool Reader::alias(const fy_event& event) {
  if (int line = line_of(event.alias.anchor)) line_ = line;
  std::string name = text_of(event.alias.anchor);
  auto found = anchors_.find(name);
  if (found == anchors_.end())
    return fault(line_, "alias *" + name + " has no anchor &" + name + " before it");
  if (!open_.empty() && open_.back().document.value.is_object() && !open_.back().has_key) {
    const Json& value = found->second.document.value;
    if (!value.is_string()) return fault(line_, "a key must be a plain text");
    return set_key(value.get<std::string>(), line_, false);
  }
  std::size_t bytes = found->second.bytes;
  if (!spend(bytes)) return false;
  return add(found->second.document, {}, bytes);
}

bool Reader::set_key(std::string key, int line, bool plain) {
  Frame& frame = open_.back();
  if (plain && key == "<<") return fault(line, "merge keys (<<) are not supported; write the fields out");
  if (!spend(kBytesPerValue + key.size())) return false;
  const auto& members = frame.document.value.get_ref<const Json::object_t&>();
  if (members.size() >= kMaxKeys) return fault(line, "more than 10,000 keys in one map");
  // Small maps are searched; a set pays only for large ones.
  constexpr std::size_t kSmall = 16;
  bool taken = false;
  if (members.size() < kSmall) {
    for (const auto& member : members) taken = taken || member.first == key;
  } else {
    if (members.size() == kSmall)
      for (const auto& member : members) frame.keys.insert(member.first);
    taken = !frame.keys.insert(key).second;
  }
  if (taken) return fault(line, "duplicate key \"" + std::string(cut(key, 100)) + "\"; write it once");
  frame.key = std::move(key);
  frame.key_line = line;
  frame.has_key = true;
  return true;
}

bool Reader::insert(Frame& into, Document document) {
  if (into.document.value.is_object()) {
    using Members = std::vector<std::pair<const std::string, Json>>;
    // set_key has proved the key to be new: the ordered map's own search would make large maps quadratic.
    static_cast<Members&>(into.document.value.get_ref<Json::object_t&>())
        .emplace_back(std::move(into.key), std::move(document.value));
    document.lines.line = into.key_line;
    into.has_key = false;
    into.key.clear();
  } else {
    into.document.value.push_back(std::move(document.value));
  }
  into.document.lines.children.push_back(std::move(document.lines));
  return true;
}

bool Reader::add(Document document, const std::string& anchor, std::size_t bytes) {
  if (!anchor.empty()) {
    if (!spend(bytes)) return false;
    anchors_.insert_or_assign(anchor, Anchor{document, bytes});
  }
  if (!open_.empty()) return insert(open_.back(), std::move(document));
  if (!document.value.is_null()) stream_.documents.push_back(std::move(document));
  return true;
}

/// The line of the first byte that is not UTF-8 or is a control byte no YAML text may hold; 0 when there is
/// none.
int first_bad_byte(std::string_view text) {
  int line = 1;
  for (std::size_t i = 0; i < text.size();) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') ++line;
    if (c < 0x80) {
      if (c < 0x20 && c != '\n' && c != '\r' && c != '\t') return line;
      ++i;
      continue;
    }
    std::size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || i + length > text.size()) return line;
    std::uint32_t point = c & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return line;
      point = (point << 6) | (next & 0x3fu);
    }
    constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < kSmallest[length] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return line;
    i += length;
  }
  return 0;
}

}  // namespace

YamlStream read_yaml(std::string_view text) {
  YamlStream refused;
  if (text.size() > kMaxText) {
    refused.fault = {0, std::to_string(text.size()) + " bytes; at most 10 MB are read at once"};
    return refused;
  }
  if (int line = first_bad_byte(text)) {
    refused.fault = {line, "not text: a byte that is not UTF-8, or a control byte"};
    return refused;
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return Reader(text).read();
}

}  // namespace weft::api
