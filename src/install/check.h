#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/object_check.h"
#include "inject/settings.h"
#include "install/cluster_reader.h"
#include "install/plan.h"

namespace weft::install {

/// One thing that was looked at.
struct Finding {
  enum class State : std::uint8_t { kOk, kWarning, kFailed };
  State state;
  std::string what;
  std::string remedy = {};  ///< what to do; empty with kOk
};
using Findings = std::vector<Finding>;

std::string_view to_string(Finding::State state);  ///< "ok", "warning", "failed"
bool has_failure(const Findings& findings);

/// Looks at a cluster from outside and changes nothing. An API server that does not respond is a finding like
/// any other. `check` is what is asked of stored rules beside their schema. Owner: a command; `api` must
/// outlive it. Thread: the loop's.
class Check {
 public:
  explicit Check(store::RawApi& api, api::ObjectCheck check = {})
      : api_(api), check_(std::move(check)), reader_(api) {}

  /// Whether a control plane is there at all.
  net::Task<Result<bool>> installed();
  /// Before `plan` is installed: whether it can be, and what it would meet.
  net::Task<Findings> before(Plan plan);
  /// After: whether everything works, and which pods do not take part.
  net::Task<Findings> after();

 private:
  void ok(std::string what) { found_.push_back({Finding::State::kOk, std::move(what)}); }
  void warn(std::string what, std::string remedy);
  void failed(std::string what, std::string remedy);
  void unreadable(const std::string& what, const Error& error);

  // check_before.cc
  net::Task<bool> check_version(Plan plan);
  net::Task<void> check_rights(Plan plan);
  net::Task<void> check_definitions(Plan plan);
  net::Task<void> check_injectors();
  net::Task<void> check_namespaces(Plan plan);
  net::Task<void> check_node_ports(Plan plan);

  // check_after.cc
  net::Task<void> check_established();
  net::Task<void> check_deployments();
  net::Task<void> check_deployment(api::Json deployment);
  net::Task<void> check_webhooks(std::string kind, std::string name);
  net::Task<void> check_certificates();
  net::Task<void> check_addresses();
  net::Task<void> check_injection();
  void check_settings(const inject::Settings& settings);
  net::Task<void> check_pods(std::string ns, std::string image);

  // check_rules.cc
  net::Task<void> check_rules();
  net::Task<void> check_foreign();

  store::RawApi& api_;
  api::ObjectCheck check_;
  ClusterReader reader_;
  Findings found_;
};

}  // namespace weft::install
