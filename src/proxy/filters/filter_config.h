#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"

namespace weft::proxy {

class HttpFilter;

/// Makes a filter from its plain configuration, which the closure holds. Errors say what in it cannot be
/// compiled.
using HttpFilterFactory = std::function<Result<std::shared_ptr<const HttpFilter>>()>;

/// An HTTP filter of a chain; or of a route, where it stands in for the chain's filter of the same name. One
/// that the chain has not has no effect.
struct NamedHttpFilter {
  std::string name;
  HttpFilterFactory make;
};
using HttpFilterConfigs = std::vector<NamedHttpFilter>;

}  // namespace weft::proxy
