#pragma once

#include "net/address.h"
#include "net/loop.h"
#include "store/store.h"

namespace weft::store {

/// What an error says when the server is there and silent.
inline constexpr std::string_view kNoResponse = "the control plane does not respond in time";

/// A store behind an ApiServer, over a Unix or TCP socket.
///
/// Owner: the process that talks to it. Thread: the loop's. Errors carry the server's message; kRefused and
/// kReset when it is not running.
class RemoteStore final : public Store {
 public:
  RemoteStore(net::Loop& loop, net::Address api) : loop_(loop), api_(api) {}

  /// How long each question may take, 30 s unless this is said; a watch that has begun may last.
  void set_timeout(Duration timeout) { timeout_ = timeout; }

  /// From now on writes are checked by the server as any other and not kept (dryRun=All of
  /// Kubernetes).
  void set_dry_run() { dry_run_ = true; }

  net::Task<Result<api::ObjectPtr>> get(api::Key key) override;
  net::Task<Result<List>> list(Query query) override;
  net::Task<Result<api::ObjectPtr>> create(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> update_status(api::Object object) override;
  net::Task<Result<api::ObjectPtr>> remove(api::Key key, int grace_period_seconds, std::string uid) override;
  net::Task<Result<std::unique_ptr<Watch>>> watch(Query query, std::uint64_t from) override;

 private:
  net::Task<Result<api::Json>> call(std::string method, std::string path, std::string body);
  net::Task<Result<api::ObjectPtr>> one(const api::KindInfo& kind, std::string method, std::string path,
                                        std::string body);

  net::Loop& loop_;
  net::Address api_;
  bool dry_run_ = false;
  Duration timeout_ = std::chrono::seconds(30);
};

}  // namespace weft::store
