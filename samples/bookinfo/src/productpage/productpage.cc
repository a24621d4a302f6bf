#include "productpage/productpage.h"

#include <charconv>
#include <utility>

#include "common/forwarding.h"
#include "common/json.h"
#include "common/text.h"
#include "productpage/catalogue.h"
#include "productpage/page.h"
#include "productpage/routes.h"
#include "productpage/trace_context.h"

namespace bookinfo::productpage {

namespace {

using boost::asio::awaitable;

constexpr std::string_view kPublicSessionKey = "bookinfo-sample-key-that-protects-nothing";
constexpr std::size_t kLongestUserName = 256;

Response redirect(std::string_view location) {
  Response response = error_page(302, "Found");
  response.headers.add("Location", location);
  response.headers.add("Vary", "Cookie");
  return response;
}

/// Back to where the form was; the page itself when the browser does not say.
std::string_view way_back(const Request& request) {
  return request.headers.find("Referer").value_or("/productpage");
}

Response to_response(const Fetched& fetched) {
  if (!fetched.ok()) return json_response(fetched.status, spaced_json({{"error", fetched.error}}));
  if (!fetched.json) return error_page(500, "Internal Server Error");
  return json_response(200, spaced_json(*fetched.json));
}

bool is_nonsense(const Fetched& fetched) { return fetched.ok() && !fetched.json; }

}  // namespace

std::expected<Productpage::Settings, std::string> Productpage::settings_of(const Environment& environment) {
  Settings settings;
  settings.session_key = environment.get("SESSION_KEY", kPublicSessionKey);
  settings.pod = environment.get("HOSTNAME", "");
  settings.compat = is_compat_029(environment) ? Compat::k029 : Compat::kToday;
  const std::string factor = environment.get("FLOOD_FACTOR", "0");
  const char* end = factor.data() + factor.size();
  const auto read = std::from_chars(factor.data(), end, settings.flood_factor);
  if (read.ec != std::errc{} || read.ptr != end)
    return std::unexpected("FLOOD_FACTOR is not a number: " + factor);
  return settings;
}

Productpage::Productpage(const Environment& environment, Settings settings)
    : settings_(std::move(settings)),
      downstream_(environment, results_),
      identity_(Sessions(settings_.session_key), settings_.compat) {}

awaitable<Response> Productpage::handle(const Request& request) {
  const auto found = find_route(request.path);
  if (!found) co_return error_page(404, "Not Found");
  const std::string_view methods = methods_of(found->place);
  if (methods.find(request.method) == std::string_view::npos) co_return method_not_allowed(methods);
  if (request.method == "OPTIONS") {
    Response response = html_response(200, "");
    response.headers.add("Allow", methods);
    co_return response;
  }
  co_return co_await route(request);
}

awaitable<Response> Productpage::route(const Request& request) {
  switch (find_route(request.path)->place) {
    case Place::kIndex: co_return html_response(200, index_page(downstream_));
    case Place::kHealth: co_return html_response(200, "Product page is healthy");
    case Place::kLogin: co_return login(request);
    case Place::kLogout: co_return logout(request);
    case Place::kPage: co_return co_await page(request);
    case Place::kProducts: co_return products();
    case Place::kStatic: co_return static_files_.answer(request);
    case Place::kMetrics: {
      Response response{.status = 200, .headers = {}, .body = results_.exposition()};
      // Not HTML, as it once was called: Prometheus 3 refuses to scrape that.
      response.headers.add("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      co_return response;
    }
    case Place::kDetails:
    case Place::kReviews:
    case Place::kRatings: co_return co_await api(request);
  }
  std::unreachable();
}

awaitable<Response> Productpage::page(const Request& request) {
  const Product& product = only_product();
  const std::string id = std::to_string(product.id);
  const Outgoing outgoing = outgoing_for(request);
  const Fetched details = co_await downstream_.details(id, outgoing);
  for (int extra = 0; extra < settings_.flood_factor; ++extra) {
    co_await downstream_.reviews(id, outgoing);
  }
  const Fetched reviews = co_await downstream_.reviews(id, outgoing);
  if (is_nonsense(details) || is_nonsense(reviews)) co_return error_page(500, "Internal Server Error");
  const Making making{.pod = settings_.pod,
                      .request_id = std::string(request.headers.find("x-request-id").value_or("")),
                      .floods = settings_.flood_factor};
  Response response = html_response(200, product_page({.product = product,
                                                       .details = details,
                                                       .reviews = reviews,
                                                       .user = identity_.user_of(request.headers),
                                                       .making = making,
                                                       .compat = settings_.compat}));
  response.headers.add("Vary", "Cookie");
  co_return response;
}

awaitable<Response> Productpage::api(const Request& request) {
  const auto [place, encoded_id] = *find_route(request.path);
  const std::string id(encoded_id);
  Outgoing outgoing = outgoing_for(request);
  Fetched fetched;
  if (place == Place::kDetails) fetched = co_await downstream_.details(id, std::move(outgoing));
  if (place == Place::kReviews) fetched = co_await downstream_.reviews(id, std::move(outgoing));
  if (place == Place::kRatings) fetched = co_await downstream_.ratings(id, std::move(outgoing));
  Response response = to_response(fetched);
  response.headers.add("Vary", "Cookie");
  co_return response;
}

Response Productpage::login(const Request& request) const {
  auto user = form_value(request.query, "username");
  if (!user) user = form_value(request.body, "username");
  if (user && (user->size() > kLongestUserName || !is_utf8(*user))) return error_page(400, "Bad Request");
  Response response = redirect(way_back(request));
  response.headers.add("Set-Cookie", user ? identity_.cookie_for(*user) : identity_.expired_cookie());
  return response;
}

Response Productpage::logout(const Request& request) const {
  Response response = redirect(way_back(request));
  if (identity_.user_of(request.headers)) response.headers.add("Set-Cookie", identity_.expired_cookie());
  return response;
}

Response Productpage::products() const {
  const Product& product = only_product();
  const boost::json::value all = boost::json::array{
      {{"id", product.id}, {"title", product.title}, {"descriptionHtml", product.description_html}}};
  return json_response(200, spaced_json(all));
}

Outgoing Productpage::outgoing_for(const Request& request) const {
  const bool is_029 = settings_.compat == Compat::k029;
  Outgoing outgoing;
  copy_headers(is_029 ? headers_029_copies() : headers_productpage_copies(), request.headers,
               outgoing.headers);
  if (!outgoing.headers.find("user-agent")) outgoing.headers.add("user-agent", "bookinfo-productpage");
  outgoing.headers.add("Accept", "*/*");
  if (!is_029) add_b3_context(request.headers, outgoing.headers);
  outgoing.sendable = identity_.hand_on(request.headers, outgoing.headers);
  return outgoing;
}

}  // namespace bookinfo::productpage
