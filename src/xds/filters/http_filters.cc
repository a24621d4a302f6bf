#include "xds/filters/http_filters.h"

#include <algorithm>

namespace weft::xds {

const HttpFilterConverter* http_filter_converter(const google::protobuf::Any& any) {
  const auto* const found =
      std::ranges::find(kHttpFilterConverters, message_name(any), &HttpFilterConverter::message);
  return found == std::end(kHttpFilterConverters) ? nullptr : found;
}

}  // namespace weft::xds
