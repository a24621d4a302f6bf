#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/kubernetes/raw_api.h"

namespace weft::install::testing {

/// Paths of objects that `weft install` makes.
inline const std::string kControlPath = "/apis/apps/v1/namespaces/weft-system/deployments/weft-control";
inline const std::string kInjectorPath =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/weft-sidecar-injector";
inline const std::string kDefinition =
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/virtualservices.networking.istio.io";

/// An API server that holds a handful of objects: reads with selectors by label and name, pages, removal, and
/// what a user may do. Objects are put by their own REST path.
class FakeCluster final : public store::RawApi {
 public:
  net::Task<Result<api::Json>> call(store::RawRequest request) override;

  /// `object` under `path`, whose last part becomes its name, and the part after "namespaces" its namespace.
  /// It is given a uid unless it has one.
  void put(const std::string& path, api::Json object = api::Json::object());
  void erase(const std::string& path) { objects_.erase(path); }
  api::Json& at(const std::string& path) { return objects_.at(path); }
  bool has(const std::string& path) const { return objects_.contains(path); }

  /// The error of a request whose path begins so.
  std::map<std::string, Error> faults;
  /// The response to a GET of exactly this path that is not an object or a list of them.
  std::map<std::string, api::Json> documents;
  /// Resources that may not be created (SelfSubjectAccessReview).
  std::set<std::string> denied;
  /// Objects that stay although they are asked to go: something holds them.
  std::set<std::string> held;
  std::size_t page = 500;                    ///< items of one response
  std::vector<std::string> deleted;          ///< paths, in the order in which they were asked to go
  std::vector<std::string> asked_to_delete;  ///< the same of dry runs
  std::string version = "v1.34.1", minor = "34";

 private:
  Result<api::Json> respond(const store::RawRequest& request);
  Result<api::Json> remove(const store::RawRequest& request);
  api::Json list(std::string_view collection, std::string_view query) const;

  std::map<std::string, api::Json> objects_;
  int uids_ = 0;
};

/// `object` with a label.
api::Json labelled(api::Json object, const std::string& label, const std::string& value);
/// An object that carries weft's label.
api::Json ours(api::Json object = api::Json::object());

}  // namespace weft::install::testing
