#pragma once

#include "http/exchange.h"

namespace weft::http {

/// Does `work` for the exchange's client until it is done, or until the client has gone: the work is then
/// cancelled. For handlers that wait for something else than the client: a watch, progress, a followed log.
///
/// Returns what the work returned. Error: kCancelled, blame downstream: the client has gone.
net::Task<Result<void>> while_wanted(ServerExchange& exchange, net::Loop& loop, net::Task<Result<void>> work);

}  // namespace weft::http
