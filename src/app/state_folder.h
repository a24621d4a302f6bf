#pragma once

#include <string>

#include "base/error.h"

namespace weft::app {

/// Makes the folder of an instance's state, or checks one that is there: objects, logs and sockets in it are
/// written with the rights of who runs the mesh, so no other user may be able to put something else in their
/// place.
///
/// Folders that are there have to be real ones (no symbolic link), ours, and writable by no other user; one
/// that others may read is closed to them. The folder above may be any user's if only its owner, root or we
/// may write to it, or if it has the sticky bit, as /tmp. Errors: kDenied, naming the folder and what to do;
/// kInvalid: it cannot be made.
Result<void> make_state_folder(const std::string& path);

}  // namespace weft::app
