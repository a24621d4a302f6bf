#include "control/control_plane.h"

#include <algorithm>
#include <charconv>

#include "http/server.h"

namespace weft::control {
namespace {

constexpr Duration kMissedAgain = 500ms;
constexpr std::uint64_t kDefaultTimeout = 30;
constexpr std::uint64_t kMaxTimeout = 3600;

/// What translation reads; changes of other kinds concern no proxy.
std::uint64_t configuration_changes(const Mirror& mirror) {
  using namespace kinds;
  std::uint64_t sum = 0;
  for (const api::KindInfo* kind :
       {service(), pod(), endpoint_slice(), ingress(), ingress_class(), gateway(), virtual_service(),
        destination_rule(), name_space(), gateway_class(), api_gateway(), http_route(), reference_grant()})
    sum += mirror.changes(kind);
  return sum;
}

std::optional<std::uint64_t> number_parameter(std::string_view target, std::string_view name,
                                              std::uint64_t otherwise) {
  auto text = http::query_parameter(target, name);
  if (!text) return otherwise;
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

net::Task<void> answer(http::ServerExchange& exchange, int status, api::Json body) {
  std::string text = body.dump(-1, ' ', false, api::Json::error_handler_t::replace) + "\n";
  // A client that has gone misses its answer; there is nobody else to tell.
  (void)co_await http::respond(exchange, status, "application/json", text);
}

api::Json problem(std::string message) { return {{"message", std::move(message)}}; }

}  // namespace

ControlPlane::ControlPlane(net::Loop& loop, store::Store& store, std::unique_ptr<Authenticator> authenticator,
                           ControlPlaneOptions options)
    : loop_(loop),
      progress_(loop),
      look_again_(options.look_again),
      authenticator_(std::move(authenticator)),
      mirror_(
          loop, store, [this] { on_change(); }, std::move(options.mirror)),
      controllers_(loop, store, mirror_, std::move(options.controllers), [this] { progress_.notify_all(); }),
      ads_(loop, *authenticator_, [this] { on_progress(); }) {}

void ControlPlane::start() { mirror_.start(); }

net::Task<void> ControlPlane::ready() {
  while (!mirror_.synced() || ads_.generation() == 0) co_await progress_.wait(kNever);
}

void ControlPlane::on_change() {
  if (!mirror_.synced()) return;
  // Proxies first: what controllers write comes back here as another change.
  push();
  controllers_.notice();
  progress_.notify_all();
}

void ControlPlane::on_progress() {
  if (mirror_.synced()) controllers_.set_refusals(receipts_.refusals(ads_));
  progress_.notify_all();
}

void ControlPlane::push() {
  std::uint64_t generation = configuration_changes(mirror_);
  if (generation == ads_.generation()) return;
  auto inputs = std::make_shared<const Inputs>(mirror_.world(), generation);
  receipts_.update(*inputs);
  ads_.update(std::move(inputs));
  controllers_.set_refusals(receipts_.refusals(ads_));
}

net::Task<bool> ControlPlane::wait_for_controllers(std::uint64_t version, TimePoint deadline) {
  while (true) {
    bool seen = co_await mirror_.has_seen(version);
    if (seen) break;
    if (loop_.now() >= deadline) co_return false;
    co_await progress_.wait(std::min(deadline, loop_.now() + look_again_));
  }
  controllers_.notice();
  while (!controllers_.idle()) {
    if (loop_.now() >= deadline) co_return false;
    co_await progress_.wait(deadline);
  }
  co_return true;
}

net::Task<api::Json> ControlPlane::wait_applied(std::uint64_t version, TimePoint deadline) {
  bool caught_up = co_await wait_for_controllers(version, deadline);
  push();
  std::uint64_t generation = ads_.generation();
  while (true) {
    api::Json progress = Receipts::progress_json(ads_, generation);
    if (!caught_up) {
      progress["applied"] = false;
      progress["message"] = "the controllers have not caught up with this version";
      co_return progress;
    }
    bool over = progress["applied"].get<bool>() || !progress["refused"].empty() || loop_.now() >= deadline;
    if (over) co_return progress;
    // That a sidecar has ended is no progress of any proxy, and may be all that was missing.
    co_await progress_.wait(std::min(deadline, loop_.now() + kMissedAgain));
  }
}

net::Task<void> ControlPlane::serve_applied(http::ServerExchange& exchange, std::string target) {
  auto version = number_parameter(target, "resourceVersion", 0);
  auto timeout = number_parameter(target, "timeoutSeconds", kDefaultTimeout);
  if (!version || !timeout) {
    co_await answer(exchange, 400, problem("resourceVersion and timeoutSeconds are whole numbers"));
    co_return;
  }
  TimePoint deadline = loop_.now() + std::chrono::seconds(std::min(*timeout, kMaxTimeout));
  api::Json progress = co_await wait_applied(*version, deadline);
  int status = progress["applied"].get<bool>() ? 200 : progress["refused"].empty() ? 504 : 409;
  co_await answer(exchange, status, std::move(progress));
}

net::Task<void> ControlPlane::serve_mesh_api(http::ServerExchange& exchange) {
  std::string target = exchange.request().path;
  std::string path(http::path_of(target));
  if (exchange.request().method != "GET") {
    co_await answer(exchange, 405, problem("only GET is served here"));
  } else if (path == "/weft/v1/applied") {
    co_await serve_applied(exchange, target);
  } else if (path == "/weft/v1/proxies") {
    co_await answer(exchange, 200, Receipts::proxies_json(ads_));
  } else if (path == "/weft/v1/receipts") {
    co_await answer(exchange, 200, receipts_.to_json(ads_));
  } else {
    co_await answer(exchange, 404, problem("no such path; there are applied, proxies and receipts"));
  }
}

}  // namespace weft::control
