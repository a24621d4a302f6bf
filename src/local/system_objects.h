#pragma once

#include <vector>

#include "api/object.h"
#include "net/loop.h"
#include "net/task.h"
#include "store/store.h"

namespace weft::local {

/// What every instance has of its own: the ingress gateway in istio-system, as Istio names it.
std::vector<api::Object> system_objects();

/// Creates those that are not there; what the user has changed in them stays. Tries again, with back-off, for
/// `limit`: a control plane that is started again is there again by then, and a disk that is full stays so.
/// Error: the last one.
net::Task<Result<void>> create_system_objects(net::Loop& loop, store::Store& store, Duration limit);

}  // namespace weft::local
