#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/message.h"
#include "proxy/config.h"
#include "proxy/log/format.h"

namespace weft::proxy {

/// HeaderChanges with their values compiled. Immutable; any thread.
class HeaderMutation {
 public:
  /// Errors name the value's operator that is not known.
  static Result<HeaderMutation> compile(const HeaderChanges& changes);
  bool empty() const { return !changes_; }
  /// Removes first. Every value and every test is of the fields that are left then; the fields that are
  /// overwritten come before those that are added, each in their order (as in Envoy).
  void apply(http::Headers& headers, const RequestInfo& info) const {
    if (!empty()) change(headers, info);
  }

 private:
  void change(http::Headers& headers, const RequestInfo& info) const;
  struct Addition {
    std::string name;
    LogFormat value;
    HeaderChange::Action action;
    bool keep_empty;
  };
  struct Compiled {
    std::vector<Addition> add;
    std::vector<std::string> remove;
  };
  std::unique_ptr<const Compiled> changes_;  ///< null: none, as of nearly every route
};

}  // namespace weft::proxy
