#pragma once

#include <map>
#include <set>
#include <string>

#include "control/remarks/remarks.h"

namespace weft::control {

/// Writes each remark to the log when it becomes true: some objects have no status of ours to say it in
/// (Services and Ingresses of a cluster). At most 100 lines each time; how many more there are is the last.
///
/// Owner: ControlPlane. Thread: the loop's.
class RemarkLog {
 public:
  /// `now` is everything there is to say at this moment.
  void note(const std::map<api::Key, Remarks>& now);

 private:
  std::set<std::string> known_;
};

}  // namespace weft::control
