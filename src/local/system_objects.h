#pragma once

#include <vector>

#include "api/object.h"
#include "net/task.h"
#include "store/store.h"

namespace weft::local {

/// What every instance has of its own: the ingress gateway in istio-system, as Istio names it.
std::vector<api::Object> system_objects();

/// Creates those that are not there; what the user has changed in them stays.
net::Task<Result<void>> create_system_objects(store::Store& store);

}  // namespace weft::local
