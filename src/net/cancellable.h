#pragma once

#include "net/loop.h"
#include "net/task.h"

namespace weft::net {

/// Runs `work` until it is done, or until what `cancel` points to meanwhile is scheduled: then `work` is
/// destroyed where it waits. `cancel` is null before and after.
///
/// Owner: the caller, which outlives the task, as does `cancel`. Thread: the loop's. How it ends: with
/// `work`, or without it; which of the two, `work` itself has to note.
Task<void> run_cancellable(Loop& loop, Deferred*& cancel, Task<void> work);

}  // namespace weft::net
