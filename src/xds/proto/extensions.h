#pragma once

/// The messages that stand inside a google.protobuf.Any: filters, access loggers, protocol options. Heavy:
/// .cc files only.
#include "xds/proto/file_access_log.pb.h"
#include "xds/proto/grpc_web.pb.h"
#include "xds/proto/http_connection_manager.pb.h"
#include "xds/proto/http_fault.pb.h"
#include "xds/proto/http_inspector.pb.h"
#include "xds/proto/http_protocol_options.pb.h"
#include "xds/proto/original_dst.pb.h"
#include "xds/proto/previous_hosts.pb.h"
#include "xds/proto/router.pb.h"
#include "xds/proto/stream_access_log.pb.h"
#include "xds/proto/tcp_proxy.pb.h"
#include "xds/proto/tls_inspector.pb.h"
