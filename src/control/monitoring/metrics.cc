#include "control/monitoring/metrics.h"

namespace weft::control {

std::string Metrics::series(std::string_view name, Labels labels) {
  std::string text(name);
  char before = '{';
  for (const auto& [key, value] : labels) {
    text.append(1, before).append(key).append("=\"");
    for (char each : value) {
      if (each == '"' || each == '\\') text += '\\';
      text += each == '\n' ? ' ' : each;
    }
    text += '"';
    before = ',';
  }
  if (before == ',') text += '}';
  return text;
}

std::string Metrics::line(std::string_view name, Labels labels, std::uint64_t value) {
  return series(name, labels) + " " + std::to_string(value) + "\n";
}

std::uint64_t Metrics::value(std::string_view name, Labels labels) const {
  auto found = counters_.find(series(name, labels));
  return found == counters_.end() ? 0 : found->second;
}

std::string Metrics::text() const {
  std::string text;
  for (const auto& [name, value] : counters_) text += name + " " + std::to_string(value) + "\n";
  return text;
}

}  // namespace weft::control
