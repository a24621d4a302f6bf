#include "yaml/document.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_set>
#include <vector>

#include "base/strings.h"
#include "yaml/event_reader.h"

namespace weft::yaml {
namespace {

constexpr std::size_t kMaxText = 64 * 1024 * 1024;
constexpr std::size_t kMaxDepth = 100;

/// "request_timeout" for "requestTimeout": a file may use either spelling.
std::string snake_case(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') out += '_';
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

const Node* find_key(const Node& map, std::string_view name) {
  for (const Node* key = map.first; key; key = key->next->next)
    if (key->text == name || snake_case(key->text) == name) return key;
  return nullptr;
}

/// Takes the next step off `path`: a field's name, or what stands in brackets.
std::string_view next_step(std::string_view& path) {
  const bool bracket = path.starts_with('[');
  const auto end = bracket ? path.find(']') : path.find_first_of(".[");
  const std::string_view step =
      path.substr(bracket ? 1 : 0, end == path.npos ? path.npos : end - (bracket ? 1 : 0));
  path = end == path.npos ? std::string_view() : path.substr(end + (bracket ? 1 : 0));
  if (path.starts_with('.')) path.remove_prefix(1);
  return step;
}

/// Makes the tree of one document from a parser's events.
class Builder {
 public:
  Builder(std::string_view text, std::pmr::memory_resource& memory) : events_(text), memory_(memory) {}

  /// Null: there is no document.
  std::expected<const Node*, Fault> build() {
    while (!done_) {
      const auto event = events_.next();
      if (!event) return std::unexpected(event.error());
      if (!take(*event)) return std::unexpected(fault_);
    }
    return root_;
  }

 private:
  struct Open {
    Node* node;
    Node* last = nullptr;
    bool key_expected = false;
    std::string anchor;
    std::size_t size = 0;
    std::unordered_set<std::string_view> keys{};  ///< filled only when the map is large
  };

  bool reject(int line, std::string text) {
    fault_ = {line, std::move(text)};
    return false;
  }

  bool take(const Event& event) {
    switch (event.kind) {
      case Event::Kind::kDocumentStart:
        anchors_.clear();
        return !began_++ || reject(event.line, "a second document begins here; one is read");
      case Event::Kind::kMappingStart: return open(event, Node::Kind::kMapping);
      case Event::Kind::kSequenceStart: return open(event, Node::Kind::kSequence);
      case Event::Kind::kMappingEnd:
      case Event::Kind::kSequenceEnd: return close(event);
      case Event::Kind::kScalar: return scalar(event);
      case Event::Kind::kAlias: return alias(event);
      case Event::Kind::kEnd: done_ = true;
    }
    return true;
  }

  Node* make(const Node& from) { return new (memory_.allocate(sizeof(Node), alignof(Node))) Node(from); }
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    auto* bytes = static_cast<char*>(memory_.allocate(text.size(), 1));
    std::ranges::copy(text, bytes);
    return {bytes, text.size()};
  }

  bool open(const Event& event, Node::Kind kind) {
    if (open_.size() >= kMaxDepth) return reject(event.line, "nested more than 100 levels deep");
    if (!open_.empty() && open_.back().key_expected)
      return reject(event.line, "a key must be a plain text, not a list or a map");
    Node* node = make({.kind = kind,
                       .flow = event.flow,
                       .line = event.line,
                       .begin = event.begin,
                       .end = event.begin,
                       .text = {}});
    open_.push_back({.node = node,
                     .last = nullptr,
                     .key_expected = kind == Node::Kind::kMapping,
                     .anchor = std::string(event.anchor)});
    return true;
  }

  bool close(const Event& event) {
    Open ended = std::move(open_.back());
    open_.pop_back();
    if (ended.node->flow)
      ended.node->end = event.end;
    else
      end_with_last(*ended.node);
    if (!ended.anchor.empty()) anchors_[std::move(ended.anchor)] = ended.node;
    return add(ended.node);
  }

  /// What has no brackets ends with the last of its parts that is written.
  static void end_with_last(Node& node) {
    for (const Node* each = node.first; each; each = each->next) node.end = std::max(node.end, each->end);
  }

  bool scalar(const Event& event) {
    Node* node = make({.kind = Node::Kind::kScalar,
                       .plain = event.plain,
                       .line = event.line,
                       .begin = event.begin,
                       .end = event.end,
                       .text = keep(event.text)});
    if (!event.anchor.empty()) anchors_[std::string(event.anchor)] = node;
    return add(node);
  }

  bool alias(const Event& event) {
    const std::string name(event.text);
    const auto found = anchors_.find(name);
    if (found == anchors_.end())
      return reject(event.line, "alias *" + name + " has no anchor &" + name + " before it");
    Node* node = make(*found->second);
    node->next = nullptr;
    node->line = event.line;
    node->alias = true;
    node->begin = event.begin;
    node->end = event.end;
    if (!open_.empty() && open_.back().key_expected && !node->is_scalar())
      return reject(event.line, "a key must be a plain text");
    return add(node);
  }

  bool add(Node* node) {
    if (open_.empty()) {
      root_ = node;
      return true;
    }
    Open& into = open_.back();
    if (into.node->is_mapping()) {
      if (into.key_expected && !new_key(into, *node))
        return reject(node->line,
                      "duplicate key \"" + std::string(cut(node->text, 100)) + "\"; write it once");
      into.key_expected = !into.key_expected;
    }
    (into.last ? into.last->next : into.node->first) = node;
    into.last = node;
    ++into.size;
    return true;
  }

  /// Small maps are searched; a set pays only for large ones.
  static bool new_key(Open& map, const Node& key) {
    constexpr std::size_t kSmall = 2 * 16;
    if (map.size == kSmall)
      for (const Node* each = map.node->first; each; each = each->next->next) map.keys.insert(each->text);
    if (map.size >= kSmall) return map.keys.insert(key.text).second;
    for (const Node* each = map.node->first; each; each = each->next->next)
      if (each->text == key.text) return false;
    return true;
  }

  EventReader events_;
  std::pmr::memory_resource& memory_;
  std::vector<Open> open_;
  std::map<std::string, Node*, std::less<>> anchors_;
  const Node* root_ = nullptr;
  Fault fault_;
  int began_ = 0;
  bool done_ = false;
};

}  // namespace

bool Node::is_null() const {
  return kind == Kind::kScalar && plain &&
         (text.empty() || text == "null" || text == "~" || text == "Null" || text == "NULL");
}

Result<Document> Document::parse(std::string_view text, std::string file_name) {
  if (text.size() > kMaxText) return fail(Error::config(Code::kTooLarge, file_name + ": larger than 64 MB"));
  if (const int line = first_bad_byte(text))
    return fail(Error::config(Code::kInvalid, file_name + ":" + std::to_string(line) +
                                                  ": not text: a byte that is not UTF-8, or a control byte"));
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  Document made;
  // One block is mostly enough: a node and its text are about as large as what is written.
  made.memory_ = std::make_unique<std::pmr::monotonic_buffer_resource>(4096 + 4 * text.size());
  made.file_name_ = std::move(file_name);
  const auto root = Builder(text, *made.memory_).build();
  if (!root) {
    const Fault& fault = root.error();
    const std::string where = fault.line > 0 ? ":" + std::to_string(fault.line) : "";
    return fail(Error::config(Code::kInvalid, made.file_name_ + where + ": " + fault.text));
  }
  made.root_ = *root;
  if (made.root_ && made.root_->is_null()) made.root_ = nullptr;
  return made;
}

int Document::line_of_path(std::string_view path) const {
  const Node* node = root_;
  int line = node ? node->line : 1;
  while (node && !path.empty()) {
    const std::string_view step = next_step(path);
    if (node->is_mapping()) {
      const Node* key = find_key(*node, step);
      if (!key) break;
      line = key->line;
      node = key->next;
    } else if (node->is_sequence()) {
      int index = 0;
      std::from_chars(step.data(), step.data() + step.size(), index);
      for (node = node->first; node && index > 0; --index) node = node->next;
      if (node) line = node->line;
    } else {
      break;
    }
  }
  return line;
}

Error Document::locate(Error error) const {
  const std::string_view text = error.text;
  const int line = line_of_path(text.substr(0, text.find(": ")));
  error.text.insert(0, file_name_ + ":" + std::to_string(line) + ": ");
  return error;
}

}  // namespace weft::yaml
