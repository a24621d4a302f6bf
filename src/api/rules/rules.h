#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "api/object.h"
#include "api/path.h"
#include "api/report.h"

namespace weft::api {

/// What no table can say: rules between fields. `body` fits its schema and is in the stored version.
void check_rules(const Json& body, const KindInfo& kind, const Path& at, Report& report);

// What check_rules is made of, one file for each group; `spec` and `at` are those of the part meant.
void check_pod_spec(const Json& spec, const Path& at, Report& report);
void check_workload(const Json& spec, const Path& at, Report& report);  ///< Deployment and ReplicaSet
void check_gateway(const Json& spec, const Path& at, Report& report);
void check_virtual_service(const Json& spec, const Path& at, Report& report);
void check_destination_rule(const Json& spec, const Path& at, Report& report);
void check_api_gateway(const Json& spec, const Path& at, Report& report);  ///< the Gateway API's
void check_http_route(const Json& spec, const Path& at, Report& report);
void check_reference_grant(const Json& spec, const Path& at, Report& report);

/// The member, or null.
const Json* member(const Json& value, std::string_view name);
/// The text of a member; empty when it is not there.
std::string_view text_of(const Json& value, std::string_view name);

/// CONNECT gets its response before any route is looked for, so a match of it would never be met.
inline constexpr std::string_view kConnectIsNotRouted =
    "\"CONNECT\": is not routed by weft: the response is 404; match another method";

/// Of a text that is compared with a request's path.
inline constexpr std::string_view kOnlyAPath =
    "must be a path only; queries (?) and fragments (#) match nothing";

/// Whether a header's name means the host that a request is for.
bool is_host_header(std::string_view name);

/// Calls visit(item, its path) for each item of the list `name`, if there is one.
template <class Visit>
void each(const Json& value, std::string_view name, const Path& at, Visit visit) {
  const Json* list = member(value, name);
  if (!list) return;
  Path list_at = at.at(name);
  for (std::size_t i = 0; i < list->size(); ++i) visit((*list)[i], list_at.at(i));
}

/// Reports a text that was there before.
class Unique {
 public:
  Unique(std::string_view what, Report& report) : what_(what), report_(report) {}
  void add(const std::string& text, const Path& at) {
    if (!seen_.insert(text).second)
      report_.problem(at, "\"" + text + "\": " + std::string(what_) + " is there twice");
  }

 private:
  std::string_view what_;
  Report& report_;
  std::unordered_set<std::string> seen_;
};

}  // namespace weft::api
