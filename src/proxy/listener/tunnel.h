#pragma once

#include <cstdint>
#include <string>

#include "net/stream.h"
#include "net/task.h"

namespace weft::proxy {

/// What went through a tunnel and how it ended.
struct TunnelResult {
  std::uint64_t bytes_from_client = 0, bytes_from_server = 0;
  bool client_broke = false, server_broke = false, idle = false;
};

/// How long a tunnel may stand still (0: no limit), and how much it holds.
struct TunnelLimits {
  Duration idle{};                ///< nothing has moved in either direction
  Duration stall{};               ///< with `idle` 0: bytes wait for a side that takes none
  TimePoint end = kNever;         ///< of the tunnel, however it moves
  std::size_t block = 62 * 1024;  ///< bytes of one read at most; more than the default is as the default
};

/// Copies bytes both ways until both sides have ended, one has broken, or it stands still, or lasts, for
/// longer than `limits` allow. One side's end is handed on as an end and the other direction goes on. A
/// direction holds what one read gave, and only while its reader does not take it, so a
/// reader that stops stops its writer.
///
/// `client_first` and `server_first` are bytes already read from each, sent before anything else.
net::Task<TunnelResult> tunnel(net::Stream& client, net::Stream& server, std::string client_first,
                               std::string server_first, TunnelLimits limits);

}  // namespace weft::proxy
