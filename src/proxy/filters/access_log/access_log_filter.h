#pragma once

#include <memory>

#include "proxy/filters/http_filter.h"

namespace weft::proxy {

/// Writes the lines of the access logs of an exchange's chain, at its end.
std::shared_ptr<const HttpFilter> access_log_filter();

}  // namespace weft::proxy
