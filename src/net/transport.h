#pragma once

#include <functional>
#include <memory>

#include "net/stream.h"
#include "net/task.h"

namespace weft::net {

/// Makes the stream that everything above sees of the one that was accepted or connected, before a byte of it
/// is used: TLS over it, say. The plain transport is the stream itself, and needs no closure.
///
/// Owner: the chain or cluster that has it; one for all workers, so what it holds is immutable. Thread: each
/// call on the loop of `raw`. How it ends: with its task, which closes the stream when it is destroyed.
///
/// `deadline` bounds what it has to say to the peer for that. Errors: kTimeout; kReset; kDenied when the peer
/// is not to be trusted, with the reason; kInvalid when it does not speak this. Blame: the peer's side.
using Transport =
    std::function<Task<Result<std::unique_ptr<Stream>>>(std::unique_ptr<Stream> raw, TimePoint deadline)>;

}  // namespace weft::net
