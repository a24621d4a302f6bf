#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.h"
#include "http/server.h"

namespace weft::pod::testing {

/// Runs `task` on a real loop until it is done.
template <class T>
T run(net::Loop& loop, net::Task<T> task) {
  std::optional<T> value;
  net::TaskScope scope;
  const auto keep = [](net::Task<T> inner, std::optional<T>& into) -> net::Task<void> {
    into.emplace(co_await inner);
  };
  scope.spawn(keep(std::move(task), value));
  while (!value) loop.run_once(std::chrono::seconds(10));
  return std::move(*value);
}

/// Turns the loop until `condition` holds; false after ten seconds.
bool wait_until(net::Loop& loop, const std::function<bool()>& condition);

/// One request with a response, at most ten seconds.
http::Response request(net::Loop& loop, const net::Address& to, const std::string& path,
                       const std::string& method = "GET");

/// An application: pages by their paths, and what it was asked.
class Application {
 public:
  struct Page {
    int status = 200;
    std::string body = {}, location = {};
    bool silent = false;  ///< never responds
  };
  struct Asked {
    http::RequestHead head;
    net::Address peer;
  };
  explicit Application(net::Loop& loop, tls::ContextSource tls = {});
  net::Address address() const { return server_->address(); }
  std::uint16_t port() const { return address().port(); }
  std::map<std::string, Page> pages;
  std::vector<Asked> asked;
  bool released = false;  ///< "/held" waits for it

 private:
  net::Task<void> handle(http::ServerExchange& exchange, const net::Address& peer);
  net::Loop& loop_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace weft::pod::testing
