#include "proxy/filters/grpc_web/grpc_web_filter.h"
#include "xds/convert.h"
#include "xds/filters/http_filters.h"

namespace weft::xds {

Result<proxy::HttpFilterFactory> to_grpc_web_filter(const google::protobuf::Any& from, const Path& path,
                                                    Conversion& conversion) {
  envoy::extensions::filters::http::grpc_web::v3::GrpcWeb nothing;
  WEFT_CHECK(unpack(from, nothing, path, conversion));
  return proxy::grpc_web_filter();
}

}  // namespace weft::xds
