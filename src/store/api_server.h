#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "http/exchange.h"
#include "net/loop.h"
#include "store/api_path.h"
#include "store/store.h"

namespace weft::store {

/// A store's HTTP face: Kubernetes paths and JSON, for `weft` and later for kubectl.
///
/// Owner: the control plane's process; `store` must outlive it. Thread: the loop's. It opens no port: give
/// handle() to an http::Server.
class ApiServer {
 public:
  using Route = std::function<net::Task<void>(http::ServerExchange&)>;
  /// Requests with dryRun=All go to `dry_run`, which must outlive it too; without one they are rejected.
  ApiServer(net::Loop& loop, Store& store, Store* dry_run = nullptr)
      : loop_(loop), store_(store), dry_run_(dry_run) {}

  net::Task<void> handle(http::ServerExchange& exchange);
  /// Requests whose path begins with `prefix` go to `route` instead.
  void add_route(std::string prefix, Route route) {
    routes_.emplace_back(std::move(prefix), std::move(route));
  }

 private:
  net::Task<void> serve(http::ServerExchange& exchange, ApiPath path);
  net::Task<void> list(http::ServerExchange& exchange, const ApiPath& path);
  net::Task<void> watch(http::ServerExchange& exchange, Query query, std::string from);
  net::Task<Result<api::ObjectPtr>> change(http::ServerExchange& exchange, const ApiPath& path);
  net::Task<Result<api::ObjectPtr>> patch(Store& store, std::string type, const ApiPath& path,
                                          api::Json body);
  net::Task<Result<api::ObjectPtr>> scale(Store& store, const ApiPath& path, const api::Json& body);
  net::Task<Result<api::ObjectPtr>> remove(Store& store, std::string target, const ApiPath& path,
                                           api::Json body);
  Result<Store*> writes_to(std::string_view target, const api::Json& body) const;
  net::Task<bool> serve_fixed(http::ServerExchange& exchange, std::string_view path);

  net::Loop& loop_;
  Store& store_;
  Store* dry_run_;
  std::vector<std::pair<std::string, Route>> routes_;
};

}  // namespace weft::store
