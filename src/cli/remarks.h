#pragma once

#include <span>

#include "cli/command.h"
#include "cli/input_files.h"

namespace weft::cli {

/// What the control plane has to say of the mesh's objects: {"remarks": [...]}, see
/// control/remarks/remarks.h. With `of`, what it has to say of these at least. Null when it cannot be asked
/// (another API).
net::Task<api::Json> ask_remarks(const Context& context, std::vector<api::Key> of = {});
/// Those of one object, in order.
std::vector<api::Json> remarks_of(const api::Json& all, const api::Object& object);

/// Says on standard error what is stored and not, or not wholly, in effect of `inputs`: each with the file
/// and line where it is written. No failure: what an object waits for may come.
net::Task<void> warn_of_remarks(const Context& context, std::span<const InputObject> inputs);

}  // namespace weft::cli
