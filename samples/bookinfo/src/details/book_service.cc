#include "details/book_service.h"

#include "common/forwarding.h"
#include "common/request_log.h"
#include "common/tls.h"
#include "details/volume.h"

namespace bookinfo::details {

namespace {
constexpr std::chrono::milliseconds kTimeout{5000};
constexpr std::string_view kTarget = "/books/v1/volumes?q=isbn:0486424618";
}  // namespace

std::optional<BookService::Settings> BookService::settings_of(const Environment& environment) {
  if (environment.get("ENABLE_EXTERNAL_BOOK_SERVICE", "") != "true") return std::nullopt;
  Settings settings;
  settings.encrypts = environment.get("DO_NOT_ENCRYPT", "") != "true";
  settings.endpoint.host = environment.get("EXTERNAL_BOOK_SERVICE_HOSTNAME", "www.googleapis.com");
  settings.endpoint.port = environment.get("EXTERNAL_BOOK_SERVICE_PORT", settings.encrypts ? "443" : "80");
  return settings;
}

BookService::BookService(Settings settings) : settings_(std::move(settings)) {
  if (settings_.encrypts) tls_ = std::make_unique<boost::asio::ssl::context>(make_tls_client());
}

boost::asio::awaitable<std::expected<boost::json::value, std::string>> BookService::book(
    std::int64_t id, const Headers& client) const {
  Call call;
  call.to = settings_.endpoint;
  call.target = kTarget;
  call.timeout = kTimeout;
  call.ends = std::chrono::steady_clock::now() + kLongest;
  call.retries = 1;
  call.tls = tls_.get();
  call.headers.add("Accept", "*/*");
  copy_headers(headers_inner_services_copy(), client, call.headers);
  const auto answer = co_await get(std::move(call));
  if (!answer) {
    log_failure("details", client, answer.error());
    co_return std::unexpected(answer.error());
  }
  co_return book_of_volumes(answer->body, id);
}

}  // namespace bookinfo::details
