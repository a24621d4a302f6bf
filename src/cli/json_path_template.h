#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/error.h"

namespace weft::cli {

/// What stands after `-o jsonpath=`: text with {...} in it. Of kubectl's templates: `.name`, `['name']`,
/// `[0]`, `[-1]`, `[1:3]`, `[*]`, `.*`, `..name`, `[?(@.a=="b")]` with == != < <= > >= or nothing, `{range
/// ...}...{end}`,
/// `{"text\n"}`, `$`, `@`. What is not there is nothing. Immutable after parse; any thread.
class JsonPathTemplate {
 public:
  /// Errors: kInvalid, with the place in the template.
  static Result<JsonPathTemplate> parse(std::string_view text);
  std::string expand(const api::Json& json) const;

  struct Step;
  struct Part;

 private:
  std::shared_ptr<const std::vector<Part>> parts_;
};

}  // namespace weft::cli
