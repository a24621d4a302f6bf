#include "pod/testing/application.h"

#include "net/loop.h"

namespace weft::pod::testing {

bool wait_until(net::Loop& loop, const std::function<bool()>& condition) {
  const TimePoint limit = SteadyClock::now() + 10s;
  while (!condition()) {
    if (SteadyClock::now() > limit) return false;
    loop.run_once(10ms);
  }
  return true;
}

http::Response request(net::Loop& loop, const net::Address& to, const std::string& path,
                       const std::string& method) {
  http::Request wanted;
  wanted.method = method;
  wanted.path = path;
  http::FetchOptions options;
  options.deadline = SteadyClock::now() + 10s;
  auto response = run(loop, http::fetch(loop, to, std::move(wanted), options));
  if (response) return std::move(*response);
  http::Response failed;
  failed.body = response.error().text;
  return failed;
}

Application::Application(net::Loop& loop, tls::ContextSource tls) : loop_(loop) {
  http::ServerOptions options;
  options.tls = std::move(tls);
  http::PeerHandler handler = [this](http::ServerExchange& exchange, const net::Address& peer) {
    return handle(exchange, peer);
  };
  server_ = *http::Server::listen(loop, *net::Address::parse_ip("127.0.0.1", 0), std::move(handler),
                                  std::move(options));
}

net::Task<void> Application::handle(http::ServerExchange& exchange, const net::Address& peer) {
  asked.push_back({exchange.request(), peer});
  const std::string path(exchange.request().path);
  if (path == "/held")
    while (!released) co_await loop_.sleep(1ms);
  const auto found = pages.find(path);
  if (found == pages.end()) {
    static_cast<void>(co_await http::respond(exchange, path == "/held" ? 200 : 404, "text/plain", path));
    co_return;
  }
  const Page page = found->second;
  if (page.silent) co_await loop_.sleep(1h);
  http::ResponseHead head;
  head.status = page.status;
  head.headers.add("content-type", "text/x-application");
  if (!page.location.empty()) head.headers.add("location", page.location);
  head.content_length = page.body.size();
  const auto sent = co_await exchange.send_head(head, page.body.empty());
  if (sent && !page.body.empty()) static_cast<void>(co_await exchange.send_body(page.body, true));
}

}  // namespace weft::pod::testing
