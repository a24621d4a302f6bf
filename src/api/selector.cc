#include "api/selector.h"

#include <algorithm>

#include "api/path.h"
#include "base/strings.h"

namespace weft::api {
namespace {

Error bad(std::string_view term) {
  return Error::config(Code::kInvalid,
                       "label selector \"" + std::string(cut(term, 100)) +
                           "\" is none of key, !key, key=value, key!=value, key in (a, b) and "
                           "key notin (a, b)");
}

bool is_word(std::string_view text, bool may_be_empty) {
  if (text.empty()) return may_be_empty;
  return text.size() <= 317 && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '_' || c == '.' || c == '/';
         });
}

/// Splits at commas outside of brackets.
std::vector<std::string_view> terms(std::string_view text) {
  std::vector<std::string_view> result;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      result.push_back(trim(text.substr(start, i - start)));
      start = i + 1;
    } else if (text[i] == '(') {
      ++depth;
    } else if (text[i] == ')') {
      --depth;
    }
  }
  return result;
}

}  // namespace

Result<LabelSelector::Requirement> LabelSelector::parse_requirement(std::string_view term) {
  Requirement made;
  auto equal = term.find('=');
  if (term.starts_with('!')) {
    made.op = Operator::kNotExists;
    made.key = trim(term.substr(1));
  } else if (auto open = term.find('('); open != term.npos) {
    if (!term.ends_with(')')) return fail(bad(term));
    std::string_view head = trim(term.substr(0, open));
    auto space = head.find_first_of(" \t");
    std::string_view op = space == head.npos ? std::string_view() : trim(head.substr(space));
    if (op != "in" && op != "notin") return fail(bad(term));
    made.op = op == "in" ? Operator::kIn : Operator::kNotIn;
    made.key = head.substr(0, space);
    for (std::string_view value : split(term.substr(open + 1, term.size() - open - 2), ','))
      made.values.emplace_back(trim(value));
  } else if (equal != term.npos) {
    bool negated = equal > 0 && term[equal - 1] == '!';
    std::string_view value = term.substr(equal + 1);
    if (!negated && value.starts_with('=')) value.remove_prefix(1);
    made.op = negated ? Operator::kNotIn : Operator::kIn;
    made.key = trim(term.substr(0, negated ? equal - 1 : equal));
    made.values.emplace_back(trim(value));
  } else {
    made.key = trim(term);
  }
  bool right = is_word(made.key, false) && std::ranges::all_of(made.values, [](const std::string& value) {
                 return is_word(value, true);
               });
  if (!right) return fail(bad(term));
  return made;
}

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  if (trim(text).empty()) return selector;
  for (std::string_view term : terms(text)) {
    WEFT_TRY(Requirement made, parse_requirement(term));
    selector.requirements_.push_back(std::move(made));
  }
  return selector;
}

Result<LabelSelector> LabelSelector::from_json(const Json& body) {
  LabelSelector selector;
  auto reject = [](std::string text) {
    return fail(Error::config(Code::kInvalid, "label selector: " + std::move(text)));
  };
  if (body.is_null()) return selector;
  if (!body.is_object()) return reject("must be a map");
  const bool plain = !body.contains("matchLabels") && !body.contains("matchExpressions");
  const Json none = Json::object();
  auto part = [&](const char* name) {
    auto found = body.find(name);
    return found == body.end() ? none : *found;
  };
  const Json labels = plain ? body : part("matchLabels");
  if (!labels.is_object()) return reject("matchLabels must be a map");
  for (const auto& [key, value] : labels.items()) {
    if (!value.is_string()) return reject("the value of " + key + " must be a text");
    selector.requirements_.push_back({key, Operator::kIn, {value.get<std::string>()}});
  }
  if (plain) return selector;
  for (const Json& expression : part("matchExpressions")) {
    if (!expression.is_object()) return reject("an expression must be a map");
    Requirement made;
    std::string op;
    if (auto key = expression.find("key"); key != expression.end() && key->is_string()) made.key = *key;
    if (auto name = expression.find("operator"); name != expression.end() && name->is_string()) op = *name;
    if (auto values = expression.find("values"); values != expression.end() && values->is_array())
      for (const Json& value : *values)
        if (value.is_string()) made.values.push_back(value);
    if (op == "In")
      made.op = Operator::kIn;
    else if (op == "NotIn")
      made.op = Operator::kNotIn;
    else if (op == "Exists")
      made.op = Operator::kExists;
    else if (op == "DoesNotExist")
      made.op = Operator::kNotExists;
    else
      return reject("operator \"" + op + "\" must be In, NotIn, Exists or DoesNotExist");
    if (made.key.empty()) return reject("an expression needs a key");
    bool wants_values = made.op == Operator::kIn || made.op == Operator::kNotIn;
    if (wants_values == made.values.empty())
      return reject("operator " + op + (wants_values ? " needs values" : " takes no values"));
    selector.requirements_.push_back(std::move(made));
  }
  return selector;
}

bool LabelSelector::matches(const std::map<std::string, std::string>& labels) const {
  return std::ranges::all_of(requirements_, [&](const Requirement& wanted) {
    auto found = labels.find(wanted.key);
    const bool there = found != labels.end();
    switch (wanted.op) {
      case Operator::kExists: return there;
      case Operator::kNotExists: return !there;
      case Operator::kIn:
        return there && std::ranges::find(wanted.values, found->second) != wanted.values.end();
      case Operator::kNotIn:
        return !there || std::ranges::find(wanted.values, found->second) == wanted.values.end();
    }
    return false;
  });
}

}  // namespace weft::api
