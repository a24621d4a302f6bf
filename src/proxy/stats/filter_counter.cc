#include "proxy/stats/filter_counter.h"

#include <vector>

namespace weft::proxy {
namespace {

std::vector<std::string_view>& registered() {
  static std::vector<std::string_view> names;
  return names;
}

}  // namespace

FilterCounter::FilterCounter(std::string_view name) : index_(registered().size()) {
  registered().push_back(name);
}

std::span<const std::string_view> FilterCounter::names() { return registered(); }

}  // namespace weft::proxy
