#include "cli/json_path_template.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "api/json_text.h"
#include "cli/json_path.h"

namespace weft::cli {

using api::Json;

/// One step from values to the values below them.
struct JsonPathTemplate::Step {
  enum class Kind : std::uint8_t { kName, kAny, kSlice, kDescend, kFilter };
  Kind kind = Kind::kName;
  std::string name;                 ///< kName, kDescend
  std::optional<long> first, last;  ///< kSlice: from first to before last; both of one index
  std::vector<Step> left;           ///< kFilter: what is compared ...
  std::string comparison;           ///< ... how (empty: whether it is there) ...
  Json right;                       ///< ... with what
};

/// Text, a path whose values are printed, or a range over a path's values.
struct JsonPathTemplate::Part {
  enum class Kind : std::uint8_t { kText, kPath, kRange };
  Kind kind = Kind::kText;
  std::string text;
  bool from_root = false;  ///< a path that begins with $
  std::vector<Step> path;
  std::vector<Part> body;
};

namespace {

using Step = JsonPathTemplate::Step;
using Part = JsonPathTemplate::Part;
using Values = std::vector<const Json*>;

constexpr int kDeepestRange = 16;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '/';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<std::vector<Part>> parts(int depth) {
    std::vector<Part> result;
    while (!done()) {
      if (peek() != '{') {
        const auto brace = std::min(text_.find('{', at_), text_.size());
        result.emplace_back().text = text_.substr(at_, brace - at_);
        at_ = brace;
        continue;
      }
      ++at_;
      skip_spaces();
      if (keyword("end")) {
        if (depth == 0) return wrong("{end} without {range}");
        WEFT_CHECK(expect('}'));
        ended_ = true;
        return result;
      }
      WEFT_TRY(Part part, braced(depth));
      result.push_back(std::move(part));
    }
    return result;
  }
  bool take_ended() { return std::exchange(ended_, false); }

 private:
  Result<Part> braced(int depth) {
    Part part;
    if (keyword("range")) {
      if (depth >= kDeepestRange) return wrong("more than 16 nested ranges");
      part.kind = Part::Kind::kRange;
      WEFT_CHECK(path(part));
      WEFT_CHECK(expect('}'));
      WEFT_TRY(part.body, parts(depth + 1));
      if (!take_ended()) return wrong("{range} without {end}");
      return part;
    }
    if (!done() && (peek() == '"' || peek() == '\'')) {
      WEFT_TRY(part.text, quoted());
    } else {
      part.kind = Part::Kind::kPath;
      WEFT_CHECK(path(part));
    }
    WEFT_CHECK(expect('}'));
    return part;
  }

  Result<void> path(Part& part) {
    skip_spaces();
    part.from_root = !done() && peek() == '$';
    if (!done() && (peek() == '$' || peek() == '@')) ++at_;
    WEFT_TRY(part.path, steps());
    return {};
  }

  Result<std::vector<Step>> steps() {
    std::vector<Step> result;
    if (!done() && is_name_character(peek())) result.emplace_back().name = name();  // "items" is ".items"
    while (!done() && (peek() == '.' || peek() == '[')) {
      WEFT_TRY(Step next, step());
      if (next.kind != Step::Kind::kName || !next.name.empty()) result.push_back(std::move(next));
    }
    return result;
  }

  Result<Step> step() {
    if (peek() == '[') return bracket();
    ++at_;
    Step result;
    if (!done() && peek() == '.') {
      ++at_;
      result.kind = Step::Kind::kDescend;
    }
    if (!done() && peek() == '*' && result.kind == Step::Kind::kName) {
      ++at_;
      result.kind = Step::Kind::kAny;
      return result;
    }
    result.name = name();
    return result;
  }

  Result<Step> bracket() {
    ++at_;
    skip_spaces();
    if (done()) return wrong("a '[' without ']'");
    Step result;
    if (peek() == '*') {
      ++at_;
      result.kind = Step::Kind::kAny;
    } else if (peek() == '\'' || peek() == '"') {
      WEFT_TRY(result.name, quoted());
    } else if (peek() == '?') {
      ++at_;
      WEFT_CHECK(filter(result));
    } else {
      WEFT_CHECK(slice(result));
    }
    skip_spaces();
    WEFT_CHECK(expect(']'));
    return result;
  }

  Result<void> slice(Step& step) {
    step.kind = Step::Kind::kSlice;
    step.first = number();
    if (done() || peek() != ':') {
      if (!step.first) return wrong("in [] stand an index, a slice, a quoted name, * or ?(...)");
      step.last = *step.first == -1 ? std::nullopt : std::optional<long>(*step.first + 1);
      return {};
    }
    ++at_;
    step.last = number();
    return {};
  }

  Result<void> filter(Step& step) {
    step.kind = Step::Kind::kFilter;
    WEFT_CHECK(expect('('));
    WEFT_CHECK(expect('@'));
    WEFT_TRY(step.left, steps());
    skip_spaces();
    while (!done() && std::string_view("=!<>").find(peek()) != std::string_view::npos)
      step.comparison += text_[at_++];
    if (!step.comparison.empty()) {
      const std::string& c = step.comparison;
      if (c != "==" && c != "!=" && c != "<" && c != "<=" && c != ">" && c != ">=")
        return wrong("\"" + c + "\" compares nothing; right would be ==, !=, <, <=, > or >=");
      skip_spaces();
      if (!done() && (peek() == '"' || peek() == '\'')) {
        WEFT_TRY(step.right, quoted());
      } else {
        const auto close = std::min(text_.find(')', at_), text_.size());
        step.right = api::parse_json(text_.substr(at_, close - at_));
        if (step.right.is_discarded())
          return wrong("a comparison is with a number, true, false or a quoted text");
        at_ = close;
      }
    }
    return expect(')');
  }

  Result<std::string> quoted() {
    const char quote = text_[at_++];
    std::string result;
    while (!done() && peek() != quote) {
      char c = text_[at_++];
      if (c == '\\' && !done()) {
        c = text_[at_++];
        if (c == 'n') c = '\n';
        if (c == 't') c = '\t';
        if (c == 'r') c = '\r';
      }
      result += c;
    }
    if (done()) return wrong("a quote that does not end");
    ++at_;
    return result;
  }

  std::string name() {
    std::string result;
    while (!done() && (is_name_character(peek()) || peek() == '\\')) {
      if (peek() == '\\' && ++at_ == text_.size()) break;  // "app\.kubernetes\.io" is one name
      result += text_[at_++];
    }
    return result;
  }
  std::optional<long> number() {
    long value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error != std::errc()) return std::nullopt;
    at_ = static_cast<std::size_t>(end - text_.data());
    return value;
  }
  bool keyword(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    const std::size_t after = at_ + expected.size();
    if (after < text_.size() && is_name_character(text_[after])) return false;
    at_ = after;
    return true;
  }
  Result<void> expect(char c) {
    skip_spaces();
    if (done() || peek() != c) return wrong(std::string("a '") + c + "' is missing");
    ++at_;
    return {};
  }
  void skip_spaces() {
    while (!done() && peek() == ' ') ++at_;
  }
  std::unexpected<Error> wrong(const std::string& what) const {
    return fail(Error::config(Code::kInvalid,
                              "jsonpath template, character " + std::to_string(at_ + 1) + ": " + what));
  }
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ended_ = false;
};

Values follow(const std::vector<Step>& path, Values values);

template <class T>
bool ordered(std::string_view comparison, const T& left, const T& right) {
  if (comparison == "==") return left == right;
  if (comparison == "!=") return !(left == right);
  if (comparison == "<") return left < right;
  if (comparison == "<=") return !(right < left);
  if (comparison == ">") return right < left;
  return !(left < right);
}

bool passes(const Step& filter, const Json& item) {
  const Values left = follow(filter.left, {&item});
  if (filter.comparison.empty()) return !left.empty();
  for (const Json* value : left) {
    if (value->is_number() && filter.right.is_number()) {
      if (ordered(filter.comparison, value->get<double>(), filter.right.get<double>())) return true;
    } else if (ordered(filter.comparison, scalar_text(*value), scalar_text(filter.right))) {
      return true;
    }
  }
  return false;
}

void descend(const Json& value, const std::string& name, Values& into) {
  if (value.is_object()) {
    if (name.empty())
      into.push_back(&value);
    else if (const auto found = value.find(name); found != value.end())
      into.push_back(&*found);
  }
  if (value.is_structured())
    for (const Json& below : value) descend(below, name, into);
}

void take_slice(const Step& step, const Json& list, Values& into) {
  const long size = static_cast<long>(list.size());
  const auto index = [size](long given) { return std::clamp(given < 0 ? given + size : given, 0L, size); };
  const long last = step.last ? index(*step.last) : size;
  for (long i = step.first ? index(*step.first) : 0; i < last; ++i)
    into.push_back(&list[static_cast<std::size_t>(i)]);
}

void take_step(const Step& step, const Json& value, Values& into) {
  switch (step.kind) {
    case Step::Kind::kName:
      if (value.is_object())
        if (const auto found = value.find(step.name); found != value.end()) into.push_back(&*found);
      return;
    case Step::Kind::kAny:
      if (value.is_structured())
        for (const Json& below : value) into.push_back(&below);
      return;
    case Step::Kind::kSlice:
      if (value.is_array()) take_slice(step, value, into);
      return;
    case Step::Kind::kDescend: descend(value, step.name, into); return;
    case Step::Kind::kFilter:
      if (value.is_array())
        for (const Json& item : value)
          if (passes(step, item)) into.push_back(&item);
      return;
  }
}

Values follow(const std::vector<Step>& path, Values values) {
  for (const Step& step : path) {
    Values next;
    for (const Json* value : values) take_step(step, *value, next);
    values = std::move(next);
  }
  return values;
}

void expand_into(std::string& text, const std::vector<Part>& parts, const Json& root, const Json& here) {
  for (const Part& part : parts) {
    if (part.kind == Part::Kind::kText) {
      text += part.text;
      continue;
    }
    const Values values = follow(part.path, {part.from_root ? &root : &here});
    if (part.kind == Part::Kind::kRange) {
      for (const Json* value : values) expand_into(text, part.body, root, *value);
      continue;
    }
    bool first = true;
    for (const Json* value : values) {
      if (!std::exchange(first, false)) text += ' ';
      text += scalar_text(*value);
    }
  }
}

}  // namespace

Result<JsonPathTemplate> JsonPathTemplate::parse(std::string_view text) {
  // As kubectl: a template without braces is one path.
  const std::string whole = text.find('{') == text.npos ? "{" + std::string(text) + "}" : std::string(text);
  Reader reader(whole);
  WEFT_TRY(std::vector<Part> parts, reader.parts(0));
  JsonPathTemplate result;
  result.parts_ = std::make_shared<const std::vector<Part>>(std::move(parts));
  return result;
}

std::string JsonPathTemplate::expand(const Json& json) const {
  std::string text;
  expand_into(text, *parts_, json, json);
  return text;
}

}  // namespace weft::cli
