#include "control/webhook/webhooks.h"

#include "base/log.h"
#include "base/strings.h"
#include "control/webhook/injection.h"
#include "http/server.h"

namespace weft::control {
namespace {

constexpr std::size_t kMaxBody = 6 * 1024 * 1024;
constexpr std::string_view kInject = "/inject", kValidate = "/validate";

net::Task<void> reject(http::ServerExchange& exchange, int status, std::string why) {
  (void)co_await http::respond(exchange, status, "text/plain; charset=utf-8", why + "\n");
}

bool is_json(const http::Headers& headers) {
  std::string type = to_lower(headers.get("content-type").value_or(""));
  return trim(std::string_view(type).substr(0, type.find(';'))) == "application/json";
}

/// What stands after "cluster" in "/inject/cluster/<name>/net/<network>"; empty when nothing does.
std::string cluster_of(std::string_view path) {
  auto parts = split(path, '/');
  for (std::size_t i = 2; i + 1 < parts.size(); i += 2)
    if (parts[i] == "cluster") return std::string(parts[i + 1]);
  return {};
}

}  // namespace

net::Task<void> Webhooks::handle(http::ServerExchange& exchange) {
  const std::string target = exchange.request().path;
  const std::string path(http::path_of(target));
  bool known = path == kInject || path.starts_with(std::string(kInject) + "/") || path == kValidate;
  if (!known) {
    co_await reject(exchange, 404, "no such path; there are /inject and /validate");
  } else if (exchange.request().method != "POST") {
    co_await reject(exchange, 405, "only POST is served here");
  } else if (!is_json(exchange.request().headers)) {
    co_await reject(exchange, 415, "the body must be application/json");
  } else {
    co_await respond(exchange, path);
  }
}

net::Task<void> Webhooks::respond(http::ServerExchange& exchange, std::string path) {
  auto body = co_await http::read_all(exchange, kMaxBody);
  if (!body) {
    co_await reject(exchange, body.error().code == Code::kTooLarge ? 413 : 400, body.error().text);
    co_return;
  }
  if (body->empty()) {
    co_await reject(exchange, 400, "the body is empty");
    co_return;
  }
  auto request = read_admission_review(*body);
  if (!request) {
    co_await reject(exchange, 400, request.error().text);
    co_return;
  }
  AdmissionResponse response = path == kValidate ? validate(*request) : inject(*request, path);
  (void)co_await http::respond(exchange, 200, "application/json",
                               write_admission_review(request->uid, response));
}

AdmissionResponse Webhooks::inject(const AdmissionRequest& request, std::string_view path) {
  metrics_.count("sidecar_injection_requests_total");
  AdmissionResponse response;
  if (std::string cluster = cluster_of(path); !cluster.empty()) {
    inject::Settings settings = settings_.current();
    settings.cluster_id = std::move(cluster);
    response = inject_pod(request, settings);
  } else {
    response = inject_pod(request, settings_.current());
  }
  const char* outcome = !response.allowed          ? "sidecar_injection_failure_total"
                        : response.patch.is_null() ? "sidecar_injection_skip_total"
                                                   : "sidecar_injection_success_total";
  metrics_.count(outcome);
  if (!response.allowed)
    WEFT_LOG(kWarn, "control", "a pod is rejected", {"namespace", request.ns}, {"reason", response.message});
  return response;
}

AdmissionResponse Webhooks::validate(const AdmissionRequest& request) {
  AdmissionResponse response = validate_object(request, remarks_);
  metrics_.count(response.allowed ? "galley_validation_passed" : "galley_validation_failed");
  return response;
}

}  // namespace weft::control
