#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/json.h"

namespace weft::inject {

/// Brings an object in an API version that Kubernetes no longer serves (extensions/v1beta1, apps/v1beta1 and
/// v1beta2, networking.k8s.io/v1beta1, batch/v1beta1 and v2alpha1) to today's, with what that one requires:
/// selectors, path types, the new form of backends. Lists are walked.
///
/// Returns one note for each object that changed, and for each thing in it that is read in a new way.
std::vector<std::string> update_api_version(api::Json& object);

/// Whether update_api_version() changes objects of that kind.
bool is_removed(std::string_view api_version, std::string_view kind);

}  // namespace weft::inject
