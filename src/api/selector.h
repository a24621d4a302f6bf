#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"
#include "base/error.h"

namespace weft::api {

/// Which labels an object must have. Immutable; any thread. An empty selector matches everything, as in
/// Kubernetes; a Service without a selector selects nothing, which its reader must look at first.
class LabelSelector {
 public:
  /// What is typed after -l or sent as labelSelector: "app=reviews,version!=v1,tier in (a, b),!canary,env".
  static Result<LabelSelector> parse(std::string_view text);
  /// {"matchLabels": {...}, "matchExpressions": [{"key", "operator", "values"}]}; also a plain map of labels
  /// (Service, DestinationRule subset, Gateway) when it has neither of the two.
  static Result<LabelSelector> from_json(const Json& selector);

  bool matches(const std::map<std::string, std::string>& labels) const;
  bool empty() const { return requirements_.empty(); }

 private:
  enum class Operator : std::uint8_t { kIn, kNotIn, kExists, kNotExists };
  struct Requirement {
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;
  };

  static Result<Requirement> parse_requirement(std::string_view term);

  std::vector<Requirement> requirements_;
};

}  // namespace weft::api
