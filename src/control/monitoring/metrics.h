#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace weft::control {

/// Numbers by name and labels, printed as Prometheus reads them (text format 0.0.4). Label values are ours,
/// so there are few series. Owner: the program. Thread: the loop's.
class Metrics {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  void count(std::string_view name, Labels labels = {}) { ++counters_[series(name, labels)]; }
  /// For what goes up and down.
  void set(std::string_view name, Labels labels, std::uint64_t value) {
    counters_[series(name, labels)] = value;
  }
  std::uint64_t value(std::string_view name, Labels labels = {}) const;
  std::string text() const;

  /// "name{key="value"}", and a whole line of it.
  static std::string series(std::string_view name, Labels labels);
  static std::string line(std::string_view name, Labels labels, std::uint64_t value);

 private:
  std::map<std::string, std::uint64_t> counters_;
};

}  // namespace weft::control
