#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/task.h"
#include "proxy/filters/filter_config.h"

namespace weft::proxy {

class HttpStream;

enum class FilterStatus : std::uint8_t {
  kContinue,
  kStop,  ///< the filter has replied, or has reset the exchange: no later filter and no route is asked
};

/// One step that requests of a chain take between their head and the router: faults, authorization, limits.
///
/// A filter is compiled once from its configuration and is immutable: all workers and all requests share it.
/// What belongs to one request lives in the coroutine of on_request(). A filter without a hook costs a
/// request one look at a bit.
///
/// Owner: the compiled chain or route; a request holds both. Thread: any; each call on its worker's loop.
class HttpFilter {
 public:
  /// Which of the functions below have anything to do.
  struct Hooks {
    bool request = false, response = false, end = false;
  };

  explicit HttpFilter(Hooks hooks) : hooks_(hooks) {}
  HttpFilter(const HttpFilter&) = delete;
  HttpFilter& operator=(const HttpFilter&) = delete;
  virtual ~HttpFilter() = default;
  Hooks hooks() const { return hooks_; }

  /// Before the route's action, in the order of the chain; also where no route was found. It may wait, with a
  /// Cancellation::Wait meanwhile, and may end the exchange by HttpStream::reply().
  virtual net::Task<FilterStatus> on_request(HttpStream& stream) const;
  /// The head of the response, ours or an upstream's, is as the routes want it; in reverse order.
  virtual void on_response(HttpStream&) const {}
  /// The exchange is over, and everything that its log line shows is still there. Once for each request.
  virtual void on_end(HttpStream&) const {}

 private:
  Hooks hooks_;
};

/// The filters of a chain or of a route, in order.
class HttpFilters {
 public:
  /// Errors name the filter.
  static Result<HttpFilters> compile(const HttpFilterConfigs& configs);

  struct Named {
    std::string name;
    std::shared_ptr<const HttpFilter> filter;
  };
  const std::vector<Named>& list() const { return list_; }
  /// That of this name; null when there is none.
  const HttpFilter* find(const std::string& name) const;

 private:
  std::vector<Named> list_;
};

}  // namespace weft::proxy
