#include "api/istio/string_match.h"

namespace weft::api::istio {

StringMatch read_string_match(const Json& from, bool& understood) {
  using enum StringMatch::Form;
  Fields fields(from);
  StringMatch made;
  std::size_t forms = 0;
  for (const auto& [name, form] :
       {Word<StringMatch::Form>{"exact", kExact}, {"prefix", kPrefix}, {"regex", kRegex}})
    if (auto text = fields.optional_text(name)) {
      made = {form, *std::move(text)};
      ++forms;
    }
  if (!fields.understood() || forms > 1) understood = false;
  return made;
}

}  // namespace weft::api::istio
