#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace bookinfo {

/// The environment variables of a process, copied once at start so that services never touch globals and
/// tests can hand in their own.
class Environment {
 public:
  using Variables = std::map<std::string, std::string, std::less<>>;

  explicit Environment(Variables variables) : variables_(std::move(variables)) {}

  /// What the process was started with.
  static Environment of_process();

  /// The value when the variable is set, the empty string included.
  std::optional<std::string> find(std::string_view name) const;
  /// The value, or `fallback` when the variable is not set.
  std::string get(std::string_view name, std::string_view fallback) const;

  /// Puts a value in the place of the one the process was started with: what the command line says wins.
  void set(std::string_view name, std::string_view value);

 private:
  Variables variables_;
};

}  // namespace bookinfo
