#pragma once

#include <memory>
#include <string>

#include "http/client.h"
#include "net/address.h"
#include "net/socket.h"

namespace weft::pod {

/// How the pod's application is called past its own sidecar: at the pod's address, from 127.0.0.6 (::6),
/// which capture lets through. Where that address cannot be had, from one that the kernel chooses.
net::Task<Result<std::unique_ptr<net::Socket>>> connect_to_application(net::Loop& loop, net::Address to,
                                                                       TimePoint deadline);

/// A request with its response's head read. `tls`: null, or what an https probe wants.
net::Task<Result<std::unique_ptr<http::Call>>> call_application(net::Loop& loop, net::Address to,
                                                                http::Request request,
                                                                http::FetchOptions options);

/// What comes of a body until its end. Error: kTooLarge beyond `max` bytes; with `cut` they are the response
/// instead.
net::Task<Result<std::string>> read_body(http::Call& call, std::size_t max, bool cut);

}  // namespace weft::pod
