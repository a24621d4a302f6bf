#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "cli/context.h"
#include "cli/input_files.h"
#include "net/task.h"

namespace weft::cli {

/// What applying a file's objects came to.
struct Applied {
  std::uint64_t version = 0;  ///< the newest of what was written or found
  /// The same, of each kind by itself: a watch of one kind that has come this far has seen all of it.
  std::map<const api::KindInfo*, std::uint64_t> version_of_kind;
  std::uint64_t since = 0;  ///< the oldest of what was written; 0: nothing was, all was so already
  bool failed = false;      ///< at least one was rejected; why has been said
};

/// Writes each object as kubectl apply does and says of each what became of it, in the order of `inputs`,
/// unless `quiet`. A few are under way at once, as far as ApplyOrder lets them. What the store rejects is
/// said on standard error, and the rest goes on. Error: kTimeout, for an object; no more have been sent
/// since.
net::Task<Result<Applied>> apply_objects(const Context& context, const std::vector<InputObject>& inputs,
                                         DryRun dry_run, bool quiet);

}  // namespace weft::cli
