#include "api/yaml_edit.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "api/block_match.h"
#include "api/json_text.h"
#include "api/yaml.h"
#include "api/yaml_reader.h"
#include "base/error.h"
#include "base/strings.h"
#include "yaml/document.h"
#include "yaml/event_reader.h"

namespace weft::api {
namespace {

using yaml::Node;

/// Lists are compared item by item up to this many pairs; beyond it items belong together by their places.
constexpr std::size_t kMaxPairs = 1'000'000;

struct Edit {
  std::size_t begin, end;
  std::string text;
  std::size_t order;  ///< of its making: decides between edits at one place
};

/// Whatever the order of members.
bool same_value(const Json& a, const Json& b) {
  if (a.is_object() && b.is_object())
    return a.size() == b.size() &&
           std::ranges::all_of(a.get_ref<const Json::object_t&>(), [&](const auto& member) {
             const auto found = b.find(member.first);
             return found != b.end() && same_value(member.second, *found);
           });
  if (a.is_array() && b.is_array()) return std::ranges::equal(a, b, same_value);
  return a == b;
}

using Pairs = std::vector<std::optional<std::size_t>>;

/// Where as many items went as came between two that stay, each became one of the others.
void pair_gaps(Pairs& pairs, std::size_t after_size) {
  std::size_t next = 0;
  for (std::size_t begin = 0; begin < pairs.size();) {
    if (pairs[begin]) {
      next = *pairs[begin++] + 1;
      continue;
    }
    std::size_t end = begin;
    while (end < pairs.size() && !pairs[end]) ++end;
    const std::size_t limit = end < pairs.size() ? *pairs[end] : after_size;
    if (limit - next == end - begin)
      for (std::size_t i = begin; i < end; ++i) pairs[i] = next++;
    begin = end;
  }
}

/// Whether a text says what was wanted, told event by event: no tree is made of it.
class Comparison {
 public:
  explicit Comparison(std::string_view text) : events_(text, yaml::EventReader::Places::kUnknown) {}

  bool says(const Json& wanted) {
    auto event = events_.next();
    if (!event || event->kind != Event::Kind::kDocumentStart) return false;
    event = events_.next();
    if (!event || !is(*event, wanted)) return false;
    event = events_.next();
    return event && event->kind == Event::Kind::kEnd;
  }

 private:
  using Event = yaml::Event;

  bool is(const Event& event, const Json& wanted) {
    if (!event.anchor.empty()) anchors_[std::string(event.anchor)] = &wanted;
    switch (event.kind) {
      case Event::Kind::kMappingStart: return wanted.is_object() && is_map(wanted);
      case Event::Kind::kSequenceStart: return wanted.is_array() && is_list(wanted);
      case Event::Kind::kScalar: return is_scalar(event, wanted);
      case Event::Kind::kAlias: {
        const auto anchor = anchors_.find(event.text);
        return anchor != anchors_.end() && same_value(*anchor->second, wanted);
      }
      default: return false;
    }
  }

  static bool is_scalar(const Event& event, const Json& wanted) {
    const bool text = !event.plain || event.tag == "!" || event.tag == "tag:yaml.org,2002:str";
    if (text) return wanted.is_string() && wanted.get_ref<const std::string&>() == event.text;
    return plain_scalar(event.text) == wanted;
  }

  bool is_map(const Json& wanted) {
    std::vector<bool> seen(wanted.size());
    for (std::size_t members = 0;; ++members) {
      auto event = events_.next();
      if (!event) return false;
      if (event->kind == Event::Kind::kMappingEnd) return members == wanted.size();
      if (event->kind != Event::Kind::kScalar) return false;
      const auto found = wanted.find(event->text);
      if (found == wanted.end()) return false;
      const auto index = static_cast<std::size_t>(std::distance(wanted.begin(), found));
      if (seen[index]) return false;
      seen[index] = true;
      event = events_.next();
      if (!event || !is(*event, *found)) return false;
    }
  }

  bool is_list(const Json& wanted) {
    for (std::size_t items = 0;; ++items) {
      const auto event = events_.next();
      if (!event) return false;
      if (event->kind == Event::Kind::kSequenceEnd) return items == wanted.size();
      if (items == wanted.size() || !is(*event, wanted[items])) return false;
    }
  }

  yaml::EventReader events_;
  std::map<std::string, const Json*, std::less<>> anchors_;
};

using Names = std::span<const std::string_view>;

/// Which item of `before` becomes which of `after`; nothing for those that go.
Pairs align(const Json& before, const Json& after, Names movable) {
  const auto same = [](const Json& a, const Json& b) {
    if (same_value(a, b)) return true;
    if (!a.is_object() || !b.is_object()) return false;
    const auto x = a.find("name"), y = b.find("name");
    return x != a.end() && y != b.end() && *x == *y;
  };
  const auto worth = [&](const Json& item) -> std::size_t {
    const auto name = item.find("name");
    const bool moves = name != item.end() && name->is_string() &&
                       std::ranges::find(movable, name->get_ref<const std::string&>()) != movable.end();
    return moves ? 1 : 2;
  };
  const std::size_t n = before.size(), m = after.size();
  Pairs pairs(n);
  if (n * m > kMaxPairs) {
    pair_gaps(pairs, m);
    return pairs;
  }
  std::vector<std::vector<std::size_t>> longest(n + 1, std::vector<std::size_t>(m + 1, 0));
  for (std::size_t i = n; i-- > 0;)
    for (std::size_t k = m; k-- > 0;)
      longest[i][k] = same(before[i], after[k]) ? longest[i + 1][k + 1] + worth(before[i])
                                                : std::max(longest[i + 1][k], longest[i][k + 1]);
  for (std::size_t i = 0, k = 0; i < n && k < m;) {
    if (same(before[i], after[k]) && longest[i][k] == longest[i + 1][k + 1] + worth(before[i]))
      pairs[i++] = k++;
    else if (longest[i + 1][k] >= longest[i][k + 1])
      ++i;
    else
      ++k;
  }
  pair_gaps(pairs, m);
  return pairs;
}

/// Collects the changes between two values at the places of a document's nodes.
class Editor {
 public:
  /// `write_out`: every alias gets its value, so that its anchor's place may change.
  Editor(std::string_view text, Names movable, bool write_out)
      : text_(text),
        new_line_(text.find("\r\n") == text.npos ? "\n" : "\r\n"),
        movable_(movable),
        write_out_(write_out) {}

  void change(const Node& node, const Json& before, const Json& after, std::size_t parent_column);
  std::string apply();

 private:
  void write_out_aliases(const Node& node, const Json& value);
  void change_map(const Node& node, const Json& before, const Json& after);
  void change_list(const Node& node, const Json& before, const Json& after);
  void replace(const Node& node, const Json& after, std::size_t parent_column);
  void fill(const Node& key, const Json& after, std::size_t column);
  void remove_member(const Node& node, const Node& key, const Node* before_it);
  void remove_item(const Node& list, const Node& item, const Node* before_it);
  std::string moved_lines(std::string_view lines, std::string_view before) const;
  void insert_block(std::size_t after, std::size_t column, const std::string& lines);
  void add(std::size_t begin, std::size_t end, std::string text) {
    edits_.push_back({begin, end, std::move(text), edits_.size()});
  }

  std::size_t column(std::size_t at) const {
    const auto start = at == 0 ? text_.npos : text_.rfind('\n', at - 1);
    return start == text_.npos ? at : at - start - 1;
  }
  std::size_t line_start(std::size_t at) const { return at - column(at); }
  /// Of the line end, or of the text.
  std::size_t line_end(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }
  std::string_view new_line() const { return new_line_; }
  std::string indented(const std::string& lines, std::size_t column) const;

  std::string_view text_;
  std::string_view new_line_;
  Names movable_;
  bool write_out_;
  bool in_flow_ = false;  ///< what is being changed stands in brackets
  std::vector<Edit> edits_;
};

/// Each line behind `column` spaces, the last without its end.
std::string Editor::indented(const std::string& lines, std::size_t column) const {
  std::string out;
  out.reserve(lines.size() + lines.size() / 2);
  std::string_view rest = lines;
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  for (std::size_t at = 0; at <= rest.size();) {
    const std::size_t end = std::min(rest.find('\n', at), rest.size());
    if (at > 0) out += new_line();
    if (end > at) out.append(column, ' ').append(rest.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

void Editor::change(const Node& node, const Json& before, const Json& after, std::size_t parent_column) {
  if (same_value(before, after)) return write_out_ ? write_out_aliases(node, after) : void();
  // What an alias names may be named elsewhere too: its place gets a value of its own.
  if (node.alias) return add(node.begin - 1, node.end, json_text(after));
  if (node.is_mapping() && node.first && before.is_object() && after.is_object() &&
      std::ranges::any_of(after.items(), [&](const auto& member) { return before.contains(member.key()); }))
    return change_map(node, before, after);
  if (node.is_sequence() && node.first && before.is_array() && after.is_array() && !after.empty())
    return change_list(node, before, after);
  replace(node, after, parent_column);
}

void Editor::write_out_aliases(const Node& node, const Json& value) {
  if (node.alias) return add(node.begin - 1, node.end, json_text(value));
  if (node.is_mapping() && value.is_object()) {
    for (const Node* key = node.first; key; key = key->next->next)
      if (const auto found = value.find(key->text); found != value.end())
        write_out_aliases(*key->next, *found);
  } else if (node.is_sequence() && value.is_array()) {
    std::size_t index = 0;
    for (const Node* item = node.first; item && index < value.size(); item = item->next)
      write_out_aliases(*item, value[index++]);
  }
}

void Editor::change_map(const Node& node, const Json& before, const Json& after) {
  const bool outside = std::exchange(in_flow_, node.flow);
  const std::size_t at = column(node.begin);
  const Node* kept = nullptr;
  std::string added;
  for (const Node* key = node.first; key; key = key->next->next) {
    const std::string name(key->text);
    if (!after.contains(name)) {
      remove_member(node, *key, kept);
      continue;
    }
    if (key->next->begin == 0 && !same_value(before[name], after[name]))
      fill(*key, after[name], at);
    else
      change(*key->next, before[name], after[name], at);
    kept = key;
  }
  in_flow_ = outside;
  std::vector<const Json::object_t::value_type*> missing;
  for (const auto& member : after.get_ref<const Json::object_t&>())
    if (!before.contains(member.first)) missing.push_back(&member);
  if (missing.empty()) return;
  if (node.flow) {
    Json map = Json::object();
    for (const auto* member : missing) map[member->first] = member->second;
    const std::string inside = json_text(map);
    // Behind the last value: between it and the bracket there may be a comma, and a comment.
    const std::size_t place = kept && kept->next->begin != 0 ? kept->next->end : node.end - 1;
    return add(place, place, (kept ? ", " : "") + inside.substr(1, inside.size() - 2));
  }
  for (const auto* member : missing) added += member_to_yaml(member->first, member->second);
  WEFT_ASSERT(kept);  // change() comes here only where a member stays
  insert_block(std::max(kept->end, kept->next->end), at, added);
}

void Editor::change_list(const Node& node, const Json& before, const Json& after) {
  const auto pairs = align(before, after, movable_);
  const std::size_t at = column(node.begin);
  std::size_t next = 0, index = 0;
  const Node* kept = nullptr;
  const auto insert_until = [&](std::size_t stop) {
    for (; next < stop; ++next) {
      if (node.flow)
        add(kept ? kept->end : node.begin + 1, kept ? kept->end : node.begin + 1,
            kept ? ", " + json_text(after[next]) : json_text(after[next]) + (node.first ? ", " : ""));
      else if (kept)
        insert_block(kept->end, at, item_to_yaml(after[next]));
      else
        add(line_start(node.begin), line_start(node.begin),
            indented(item_to_yaml(after[next]), at) + std::string(new_line()));
    }
  };
  for (const Node* item = node.first; item; item = item->next, ++index) {
    if (!pairs[index]) {
      remove_item(node, *item, kept);
      continue;
    }
    insert_until(*pairs[index]);
    const bool outside = std::exchange(in_flow_, node.flow);
    change(*item, before[index], after[*pairs[index]], at);
    in_flow_ = outside;
    next = *pairs[index] + 1;
    kept = item;
  }
  insert_until(after.size());
}

/// New lines behind the one on which `after` lies.
void Editor::insert_block(std::size_t after, std::size_t column, const std::string& lines) {
  std::size_t at = after;
  while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == '\t')) --at;
  const std::string block = indented(lines, column);
  if (at > 0 && text_[at - 1] == '\n') return add(at, at, block + std::string(new_line()));
  at = line_end(after);
  if (at > 0 && text_[at - 1] == '\r') --at;
  add(at, at, std::string(new_line()) + block);
}

/// A value for a key that has none.
void Editor::fill(const Node& key, const Json& after, std::size_t column) {
  const std::size_t colon = text_.find(':', key.end);
  if (colon == text_.npos) return;
  if (in_flow_) return add(colon + 1, colon + 1, " " + json_text(after));
  if (!after.is_structured() || after.empty()) {
    std::string text = to_yaml(after);
    text.pop_back();
    return add(colon + 1, colon + 1, " " + text);
  }
  insert_block(colon + 1, column + (after.is_object() ? 2 : 0), to_yaml(after));
}

void Editor::replace(const Node& node, const Json& after, std::size_t parent_column) {
  const bool block = node.begin > 0 && !node.flow && !node.is_scalar();
  const bool on_its_own_line =
      block && text_.substr(line_start(node.begin), column(node.begin)).find_first_not_of(' ') == text_.npos;
  if (on_its_own_line && after.is_structured() && !after.empty())
    return add(line_start(node.begin), node.end, indented(to_yaml(after), column(node.begin)));
  const bool empty_brackets = node.flow && !node.first;
  const bool whole_line =
      text_.substr(node.end, line_end(node.end) - node.end).find_first_not_of(" \r") == text_.npos;
  if (empty_brackets && whole_line && !in_flow_ && after.is_structured() && !after.empty()) {
    std::size_t from = node.begin;
    while (from > 0 && text_[from - 1] == ' ') --from;
    return add(
        from, node.end,
        std::string(new_line()) + indented(to_yaml(after), parent_column + (after.is_object() ? 2 : 0)));
  }
  const std::string plain = to_yaml(after);
  const bool one_line = !after.is_structured() && plain.find('\n') == plain.size() - 1;
  add(node.begin, node.end, one_line && !in_flow_ ? plain.substr(0, plain.size() - 1) : json_text(after));
}

/// `before_it`: the last member before it that stays.
void Editor::remove_member(const Node& node, const Node& key, const Node* before_it) {
  const Node* next = key.next->next;
  const bool shares_line =
      text_.substr(line_start(key.begin), column(key.begin)).find_first_not_of(' ') != text_.npos;
  const std::size_t end = std::max(key.end, key.next->end);
  if (next && (node.flow || shares_line)) return add(key.begin, next->begin, {});
  if (node.flow) return add(before_it ? std::max(before_it->end, before_it->next->end) : key.begin, end, {});
  add(line_start(key.begin), std::min(line_end(end == 0 ? 0 : end - 1) + 1, text_.size()), {});
}

void Editor::remove_item(const Node& list, const Node& item, const Node* before_it) {
  if (list.flow) {
    if (item.next) return add(item.begin, item.next->begin, {});
    return add(before_it ? before_it->end : item.begin, item.end, {});
  }
  const std::size_t dash = text_.rfind('-', item.begin);
  if (dash == text_.npos) return;
  add(line_start(dash), std::min(line_end(item.end == 0 ? 0 : item.end - 1) + 1, text_.size()), {});
}

/// Lines that were to follow one that goes: the line end before them went with it.
std::string Editor::moved_lines(std::string_view lines, std::string_view before) const {
  const bool at_line_start = before.empty() || before.ends_with('\n');
  if (!at_line_start || !lines.starts_with(new_line())) return std::string(lines);
  return std::string(lines.substr(new_line().size())) + std::string(new_line());
}

std::string Editor::apply() {
  std::ranges::sort(
      edits_, {}, [](const Edit& edit) { return std::tuple(edit.begin, edit.end > edit.begin, edit.order); });
  std::string out;
  std::size_t size = text_.size(), at = 0;
  for (const Edit& edit : edits_) size += edit.text.size();
  out.reserve(size);
  for (const Edit& edit : edits_) {
    if (edit.begin < at) {
      if (edit.begin == edit.end) out += moved_lines(edit.text, out);
      continue;
    }
    out.append(text_.substr(at, edit.begin - at)).append(edit.text);
    at = edit.end;
  }
  return out.append(text_.substr(at));
}

}  // namespace

Rewritten rewrite(std::string_view text, const Json& before, const Json& after, Names movable) {
  if (same_value(before, after)) return {std::string(text), false};
  const auto document = yaml::Document::parse(text, "");
  if (document && document->root()) {
    std::string_view mark;
    if (text.starts_with("\xef\xbb\xbf")) mark = text.substr(0, 3);
    for (const bool write_out_aliases : {false, true}) {
      Editor editor(text.substr(mark.size()), movable, write_out_aliases);
      editor.change(*document->root(), before, after, 0);
      std::string made = editor.apply();
      if (block_text_says(made, after) || Comparison(made).says(after))
        return {std::string(mark) + made, false};
      if (text.find('*') == text.npos) break;
    }
  }
  return {to_yaml(after), true};
}

}  // namespace weft::api
