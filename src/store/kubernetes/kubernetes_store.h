#pragma once

#include <memory>
#include <string>

#include "net/loop.h"
#include "store/kubernetes/api_client.h"
#include "store/kubernetes/raw_api.h"
#include "store/store.h"

namespace weft::store {

/// Periods that a test shortens. Each watch draws its own length between the two.
struct WatchPatience {
  Duration shortest = 120s, longest = 240s;  ///< how long the server is asked to keep a watch open
  Duration grace = 15s;  ///< after that the connection is held to be dead: it should have ended
};

/// The API server of a cluster behind the interface of a Store.
///
/// Owner: the control plane, or a command. Thread: the loop's. How it ends: the destructor; no call may be
/// running then.
///
/// Beyond what Store says:
/// * Objects of the cluster are taken as they are: fields we do not know are not an error, and are kept.
///   The server checks what is written, and rejects unknown fields in create() and update().
/// * list() and watch() leave out what is not read (see trim.h), so that copies stay small; get() leaves out
///   metadata.managedFields alone. update() and update_status() read the present object first and put back
///   what was left out, so an object of a list may be changed and written. Without resourceVersion they try
///   again when another writer was faster.
/// * A type of resource that the server does not have (no CustomResourceDefinition yet) is kUnsupported; a
///   missing object is kNotFound.
/// * A watch ends with kUnavailable when its time is over or the connection breaks: watch again from the last
///   version seen, bookmarks included.
/// * resourceVersion must be a decimal number, as Kubernetes promises since 1.35 and always did.
class KubernetesStore final : public Store, public RawApi {
 public:
  KubernetesStore(net::Loop& loop, std::unique_ptr<ApiClient> client, WatchPatience periods = {});
  /// Resolves a host name first, blocking for at most 5 s: call it at the start. Errors: kInvalid for
  /// what is not a certificate, kNotFound for an unknown name.
  static Result<std::unique_ptr<KubernetesStore>> open(net::Loop& loop, ClusterAccess access);

  net::Task<Result<api::ObjectPtr>> get(api::Key key) override;
  net::Task<Result<List>> list(Query query) override;
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds = -1,
                                           std::string uid = {}) override;
  net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) override;

  net::Task<Result<api::Json>> call(RawRequest request) override;
  /// RFC 7396, of an object or its subresource.
  net::Task<Result<api::Json>> merge_patch(std::string path, api::Json patch);
  /// RFC 6902; `operations` is its array.
  net::Task<Result<api::Json>> json_patch(std::string path, api::Json operations);
  /// Server-side apply: what `object` says belongs to `field_manager` from now on, what it said before and
  /// says no more goes. `force` takes fields from other managers; without it that is kConflict.
  net::Task<Result<api::Json>> apply(std::string path, api::Json object, std::string field_manager,
                                     bool force);
  /// kind: TokenReview, authentication.k8s.io/v1. The response's status is returned: authenticated, user,
  /// audiences, error.
  net::Task<Result<api::Json>> review_token(std::string token, std::string audience);

  ApiClient& client() { return *client_; }

 private:
  net::Task<Result<api::ObjectPtr>> one(RawRequest request, const api::KindInfo* kind);
  net::Task<Result<List>> list_pages(const Query& query, bool& expired);
  net::Task<Result<api::ObjectPtr>> replace(api::Object wanted, bool status);
  net::Task<Result<api::ObjectPtr>> replace_once(const api::Object& wanted, bool status);

  net::Loop& loop_;
  std::unique_ptr<ApiClient> client_;
  WatchPatience periods_;
  Random random_;
};

}  // namespace weft::store
