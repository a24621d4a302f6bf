#pragma once

#include <google/protobuf/any.pb.h>

#include <string_view>

#include "proxy/filters/filter_config.h"
#include "xds/conversion.h"

/// From the messages of HTTP filters to the data plane's filters: one function and one row for each message.
/// Heavy header: .cc files of this room only.
namespace weft::xds {

struct HttpFilterConverter {
  std::string_view message;
  /// Of an Any that holds this message: in a chain's list of filters, or among a route's settings.
  Result<proxy::HttpFilterFactory> (*convert)(const google::protobuf::Any& from, const Path& path,
                                              Conversion& conversion);
};

Result<proxy::HttpFilterFactory> to_fault_filter(const google::protobuf::Any& from, const Path& path,
                                                 Conversion& conversion);

Result<proxy::HttpFilterFactory> to_grpc_web_filter(const google::protobuf::Any& from, const Path& path,
                                                    Conversion& conversion);

inline constexpr HttpFilterConverter kHttpFilterConverters[] = {
    {"envoy.extensions.filters.http.fault.v3.HTTPFault", &to_fault_filter},
    {"envoy.extensions.filters.http.grpc_web.v3.GrpcWeb", &to_grpc_web_filter},
};

/// Null: no filter of ours has such settings.
const HttpFilterConverter* http_filter_converter(const google::protobuf::Any& any);

}  // namespace weft::xds
