#include "proxy/filters/http_filter.h"

#include <algorithm>

namespace weft::proxy {

net::Task<FilterStatus> HttpFilter::on_request(HttpStream&) const { co_return FilterStatus::kContinue; }

Result<HttpFilters> HttpFilters::compile(const HttpFilterConfigs& configs) {
  HttpFilters compiled;
  for (const NamedHttpFilter& config : configs) {
    auto filter = config.make();
    if (!filter) return fail(std::move(filter).error().with_context("HTTP filter '" + config.name + "'"));
    compiled.list_.push_back({config.name, std::move(*filter)});
  }
  return compiled;
}

const HttpFilter* HttpFilters::find(const std::string& name) const {
  const auto found = std::ranges::find(list_, name, &Named::name);
  return found == list_.end() ? nullptr : found->filter.get();
}

}  // namespace weft::proxy
