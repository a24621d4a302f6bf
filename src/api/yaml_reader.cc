#include "api/yaml_reader.h"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "api/json_room.h"
#include "api/path.h"
#include "base/strings.h"
#include "yaml/event_reader.h"
#include "yaml/joined_files.h"

namespace weft::api {
namespace {

constexpr std::size_t kMaxText = 10'000'000;
constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxKeys = 10'000;
constexpr std::size_t kMaxBytes = 64'000'000;
constexpr std::size_t kBytesPerValue = 48;

using yaml::Event;

/// Turns a parser's events into documents; stops at the first thing that is wrong.
class Reader {
 public:
  /// Reads one more text; `lines_before` are those of the file before it. False when something was wrong.
  bool read(std::string_view text, int lines_before);
  YamlStream take_stream() { return std::move(stream_); }

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

  bool take(const Event& event);
  bool open(Json empty, const Event& event);
  bool close();
  bool scalar(const Event& event);
  bool alias(const Event& event);
  bool add(Document document, std::string_view anchor, std::size_t bytes);
  bool expects_key() const {
    return !open_.empty() && open_.back().document.value.is_object() && !open_.back().has_key;
  }
  bool set_key(std::string key, int line, bool plain);
  bool insert(Frame& into, Document document);
  bool spend(std::size_t bytes);
  bool fault(int line, std::string text);
  bool no_json(int line, std::string text);

  YamlStream stream_;
  std::vector<Frame> open_;
  std::unordered_map<std::string, Anchor> anchors_;
  std::size_t bytes_ = 0;
  int line_ = 1;
};

bool Reader::read(std::string_view text, int lines_before) {
  yaml::EventReader events(text, yaml::EventReader::Places::kUnknown);
  for (;;) {
    auto event = events.next();
    if (!event) return fault(event.error().line + lines_before, event.error().text);
    event->line += lines_before;
    if (!take(*event)) return false;
    if (event->kind == Event::Kind::kEnd) return true;
  }
}

bool Reader::fault(int line, std::string text) {
  stream_.fault = {line, std::move(text), false};
  return false;
}

bool Reader::no_json(int line, std::string text) {
  stream_.fault = {line, std::move(text), true};
  return false;
}

bool Reader::spend(std::size_t bytes) {
  bytes_ += bytes;
  return bytes_ <= kMaxBytes ||
         fault(line_, "more than 64 MB of values, with aliases expanded; split the file");
}

bool Reader::take(const Event& event) {
  line_ = event.line;
  switch (event.kind) {
    case Event::Kind::kDocumentStart: anchors_.clear(); return true;
    case Event::Kind::kMappingStart: return open(Json::object(), event);
    case Event::Kind::kSequenceStart: return open(Json::array(), event);
    case Event::Kind::kMappingEnd:
    case Event::Kind::kSequenceEnd: return close();
    case Event::Kind::kScalar: return scalar(event);
    case Event::Kind::kAlias: return alias(event);
    case Event::Kind::kEnd: return true;
  }
  return true;
}

bool Reader::open(Json empty, const Event& event) {
  if (open_.size() >= kMaxDepth) return fault(line_, "nested more than 100 levels deep");
  if (expects_key()) return no_json(line_, "a key must be a plain text, not a list or a map");
  const std::string_view wanted = empty.is_object() ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
  if (!event.tag.empty() && event.tag != wanted)
    return no_json(line_, "tag " + std::string(event.tag) + " is not known; remove it");
  Frame frame;
  frame.document = {std::move(empty), {line_, {}}};
  frame.anchor = event.anchor;
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

bool Reader::scalar(const Event& event) {
  std::string text(event.text);
  if (expects_key()) return set_key(std::move(text), line_, event.plain);
  const std::size_t bytes = kBytesPerValue + text.size();
  if (!spend(bytes)) return false;
  Document document{nullptr, {line_, {}}};
  if (!event.tag.empty()) {
    bool known = false;
    document.value = tagged_scalar(event.tag, text, known);
    if (!known)
      return no_json(line_, "tag " + std::string(event.tag) + " does not fit \"" +
                                std::string(cut(text, 100)) + "\"; remove it");
  } else if (!event.plain) {
    document.value = std::move(text);
  } else {
    if (text == ".inf" || text == "-.inf" || text == ".nan")
      return no_json(line_, text + " is not a number JSON has");
    document.value = plain_scalar(text);
  }
  return add(std::move(document), event.anchor, bytes);
}

bool Reader::alias(const Event& event) {
  const std::string name(event.text);
  auto found = anchors_.find(name);
  if (found == anchors_.end())
    return fault(line_, "alias *" + name + " has no anchor &" + name + " before it");
  if (expects_key()) {
    const Json& value = found->second.document.value;
    if (!value.is_string()) return no_json(line_, "a key must be a plain text");
    return set_key(value.get<std::string>(), line_, false);
  }
  const std::size_t bytes = found->second.bytes;
  if (!spend(bytes)) return false;
  return add(found->second.document, {}, bytes);
}

bool Reader::set_key(std::string key, int line, bool plain) {
  Frame& frame = open_.back();
  if (plain && key == "<<") return no_json(line, "merge keys (<<) are not supported; write the fields out");
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
  if (taken) return no_json(line, "duplicate key \"" + std::string(cut(key, 100)) + "\"; write it once");
  frame.key = std::move(key);
  frame.key_line = line;
  frame.has_key = true;
  return true;
}

bool Reader::insert(Frame& into, Document document) {
  if (into.document.value.is_object()) {
    using Members = std::vector<std::pair<const std::string, Json>>;
    auto& members = static_cast<Members&>(into.document.value.get_ref<Json::object_t&>());
    constexpr std::size_t kFew = 4;
    if (members.size() == members.capacity())
      reserve_members(into.document.value, std::max(kFew, members.size()));
    // set_key has proved the key to be new: the ordered map's own search would make large maps quadratic.
    members.emplace_back(std::move(into.key), std::move(document.value));
    document.lines.line = into.key_line;
    into.has_key = false;
    into.key.clear();
  } else {
    into.document.value.push_back(std::move(document.value));
  }
  into.document.lines.children.push_back(std::move(document.lines));
  return true;
}

bool Reader::add(Document document, std::string_view anchor, std::size_t bytes) {
  if (!anchor.empty()) {
    if (!spend(bytes)) return false;
    anchors_.insert_or_assign(std::string(anchor), Anchor{document, bytes});
  }
  if (!open_.empty()) return insert(open_.back(), std::move(document));
  if (!document.value.is_null()) stream_.documents.push_back(std::move(document));
  return true;
}

}  // namespace

YamlStream read_yaml(std::string_view text) {
  YamlStream rejected;
  if (text.size() > kMaxText) {
    rejected.fault = {0, std::to_string(text.size()) + " bytes; at most 10 MB are read at once", false};
    return rejected;
  }
  if (const int line = yaml::first_bad_byte(text)) {
    rejected.fault = {line, "not text: a byte that is not UTF-8, or a control byte", false};
    return rejected;
  }
  std::string without_marks;
  if (yaml::has_byte_order_mark(text)) {
    without_marks = yaml::without_byte_order_marks(text);
    text = without_marks;
  }
  Reader reader;
  int lines_before = 0;
  while (const std::size_t end = yaml::end_of_first_json(text)) {
    if (!reader.read(text.substr(0, end), lines_before)) return reader.take_stream();
    lines_before += static_cast<int>(std::ranges::count(text.substr(0, end), '\n'));
    text.remove_prefix(end);
  }
  reader.read(text, lines_before);
  return reader.take_stream();
}

}  // namespace weft::api
