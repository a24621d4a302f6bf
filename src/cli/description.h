#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "api/object.h"
#include "cli/page.h"

namespace weft::cli {

/// What belongs to an object and stands in others.
struct Surroundings {
  std::vector<api::ObjectPtr> endpoint_slices;  ///< of a Service
  api::Json receipt;                            ///< which proxies run it; null when there is none
  bool knows_remarks = false;                   ///< the control plane has responded
  std::vector<api::Json> remarks = {};          ///< what it says of the object now: see cli/remarks.h
};

/// One object for a person: what it says, how it is, who runs it. The kinds of kubectl look as there.
std::string describe_object(const api::Object& object, const Surroundings& around);

/// The parts of a pod, or of a pod template: in description_of_pods.cc.
void describe_pod(Page& page, const api::Json& pod);
void describe_template(Page& page, const api::Json& pod_template);

}  // namespace weft::cli
