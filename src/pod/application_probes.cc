#include "pod/application_probes.h"

#include <charconv>

#include "api/json.h"
#include "api/json_text.h"
#include "base/strings.h"
#include "http/grpc/client.h"
#include "pod/application_call.h"
#include "tls/context.h"
#include "xds/proto/health.pb.h"

namespace weft::pod {
namespace {

using api::Json;

constexpr std::size_t kMaxBody = 10 * 1024;
constexpr int kMaxRedirects = 10;
constexpr std::chrono::seconds kLifecycleTimeout{300};
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";

ApplicationProbes::Response failed(std::string why) {
  return {.status = 500, .content_type = std::string(kText), .body = std::move(why) + "\n"};
}

std::uint16_t port_in(const Json& call) {
  const auto found = call.find("port");
  if (found == call.end()) return 0;
  std::uint64_t port = 0;
  if (found->is_number_unsigned()) port = found->get<std::uint64_t>();
  if (found->is_string()) {
    const auto& text = found->get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), port);
  }
  return port > 65535 ? 0 : static_cast<std::uint16_t>(port);
}

std::string text_in(const Json& object, const char* name, std::string fallback) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::move(fallback);
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string without_port(std::string_view host) {
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.rfind(':')));
}

}  // namespace

struct ApplicationProbes::Reader {
  static Probe probe(std::string_view path, const Json& from) {
    Probe made;
    if (!from.is_object()) return {.call = Broken{"is not an object"}};
    if (path.starts_with("/app-lifecycle/")) made.timeout = kLifecycleTimeout;
    const auto timeout = from.find("timeoutSeconds");
    if (timeout != from.end() && timeout->is_number_unsigned() && timeout->get<std::uint64_t>() > 0)
      made.timeout = std::chrono::seconds(std::min<std::uint64_t>(timeout->get<std::uint64_t>(), 3600));
    if (const auto http = from.find("httpGet"); http != from.end())
      made.call = read_http(*http);
    else if (const auto tcp = from.find("tcpSocket"); tcp != from.end())
      made.call = read_port<Tcp>(*tcp);
    else if (const auto grpc = from.find("grpc"); grpc != from.end())
      made.call = read_grpc(*grpc);
    else
      made.call = Broken{"has none of httpGet, tcpSocket and grpc"};
    return made;
  }

  using Call = decltype(Probe::call);

  template <class Kind>
  static Call read_port(const Json& from) {
    if (!from.is_object() || port_in(from) == 0) return Broken{"has no port number: " + api::json_text(from)};
    Kind made;
    made.port = port_in(from);
    return made;
  }
  static Call read_grpc(const Json& from) {
    Call made = read_port<Grpc>(from);
    if (auto* grpc = std::get_if<Grpc>(&made)) grpc->service = text_in(from, "service", "");
    return made;
  }
  static Call read_http(const Json& from) {
    Call made = read_port<Http>(from);
    auto* http = std::get_if<Http>(&made);
    if (!http) return made;
    const std::string scheme = to_lower(text_in(from, "scheme", "http"));
    if (scheme != "http" && scheme != "https") return Broken{"has the scheme " + scheme};
    http->tls = scheme == "https";
    http->path = text_in(from, "path", "/");
    if (!http->path.starts_with('/')) http->path.insert(0, "/");
    const auto headers = from.find("httpHeaders");
    if (headers == from.end() || !headers->is_array()) return made;
    for (const Json& each : *headers) {
      if (!each.is_object()) continue;
      const std::string name = text_in(each, "name", ""), value = text_in(each, "value", "");
      if (to_lower(name) == "host")
        http->host = value;
      else if (!name.empty())
        http->headers.emplace_back(name, value);
    }
    return made;
  }
};

Result<ApplicationProbes> ApplicationProbes::parse(std::string_view json, const net::Address& pod) {
  ApplicationProbes made;
  made.pod_ = pod;
  if (json.empty()) return made;
  const Json all = api::parse_json(json);
  if (!all.is_object())
    return fail(Error::config(Code::kInvalid,
                              "environment variable ISTIO_KUBE_APP_PROBERS: has to be a JSON object, not \"" +
                                  std::string(cut(json, 100)) + "\""));
  for (const auto& [path, probe] : all.items()) made.probes_.emplace(path, Reader::probe(path, probe));
  return made;
}

net::Task<ApplicationProbes::Response> ApplicationProbes::ask(net::Loop& loop, std::string path,
                                                              std::string user_agent) const {
  const auto found = probes_.find(path);
  if (found == probes_.end()) {
    Response unknown = failed("there is no probe " + path);
    unknown.status = 400;
    co_return unknown;
  }
  const Probe& probe = found->second;
  const TimePoint deadline = loop.now() + probe.timeout;
  if (const auto* http = std::get_if<Http>(&probe.call))
    co_return co_await ask_http(loop, pod_, *http, std::move(user_agent), deadline);
  if (const auto* tcp = std::get_if<Tcp>(&probe.call))
    co_return co_await ask_tcp(loop, pod_.with_port(tcp->port), deadline);
  if (const auto* grpc = std::get_if<Grpc>(&probe.call))
    co_return co_await ask_grpc(loop, pod_.with_port(grpc->port), grpc->service, deadline);
  co_return failed("the probe " + path + " " + std::get<Broken>(probe.call).reason);
}

net::Task<ApplicationProbes::Response> ApplicationProbes::ask_http(net::Loop& loop, net::Address pod,
                                                                   Http call, std::string user_agent,
                                                                   TimePoint deadline) {
  for (int followed = 0; followed <= kMaxRedirects; ++followed) {
    const net::Address to = pod.with_port(call.port);
    http::Request request;
    request.path = call.path;
    request.authority = call.host.empty() ? to.to_string() : call.host;
    if (!user_agent.empty()) request.headers.add("user-agent", user_agent);
    for (const auto& [name, value] : call.headers) request.headers.set(name, value);
    request.headers.set("connection", "close");
    http::FetchOptions options;
    options.deadline = deadline;
    if (call.tls) {
      tls::ClientOptions trust_any;
      trust_any.trust_any_certificate = true;
      trust_any.server_name = call.host.empty() ? pod.ip() : without_port(call.host);
      auto context = tls::Context::client(trust_any);
      if (!context) co_return failed(context.error().text);
      options.tls = *context;
    }
    auto response = co_await call_application(loop, to, std::move(request), options);
    if (!response) co_return failed(response.error().text);
    const http::ResponseHead& head = (*response)->head();
    const auto location = head.headers.get("location");
    if (is_redirect(head.status) && location) {
      if (follow(call, *location, pod)) continue;
      co_return Response{
          .status = 200, .content_type = std::string(kText), .body = "redirected to another host\n"};
    }
    Response handed;
    handed.status = head.status;
    handed.content_type = head.headers.get("content-type").value_or(kText);
    auto body = co_await read_body(**response, kMaxBody, true);
    if (!body) co_return failed(body.error().text);
    handed.body = std::move(*body);
    co_return handed;
  }
  co_return failed("more than 10 redirects");
}

/// Changes `call` to where `location` (RFC 9110 §10.2.2) leads; false when that is another host.
bool ApplicationProbes::follow(Http& call, std::string_view location, const net::Address& pod) {
  const std::string lower = to_lower(location.substr(0, 8));
  const bool absolute = lower.starts_with("http://") || lower.starts_with("https://");
  if (absolute || location.starts_with("//")) {
    if (absolute) call.tls = lower.starts_with("https");
    location.remove_prefix(location.find("//") + 2);
    const auto end = std::min(location.find_first_of("/?#"), location.size());
    const std::string_view authority = location.substr(0, end);
    const std::string text(authority);
    const auto address = net::Address::parse_ip_port(text);
    const auto bare = net::Address::parse_ip(authority, call.tls ? 443 : 80);
    if (!address && !bare) return false;
    const net::Address& there = address ? *address : *bare;
    if (there.with_port(0) != pod.with_port(0)) return false;
    call.port = there.port();
    location.remove_prefix(end);
    if (!location.starts_with('/')) {
      call.path = "/" + std::string(location);
      return true;
    }
  }
  location = location.substr(0, location.find('#'));
  const std::string_view path = std::string_view(call.path).substr(0, call.path.find('?'));
  if (location.starts_with('/'))
    call.path = location;
  else if (location.starts_with('?'))
    call.path = std::string(path) + std::string(location);
  else
    call.path = std::string(path.substr(0, path.rfind('/') + 1)) + std::string(location);
  return true;
}

net::Task<ApplicationProbes::Response> ApplicationProbes::ask_tcp(net::Loop& loop, net::Address to,
                                                                  TimePoint deadline) {
  const auto socket = co_await connect_to_application(loop, to, deadline);
  if (!socket) co_return failed(socket.error().text);
  co_return Response{.status = 200, .content_type = std::string(kText), .body = "connected\n"};
}

/// The health checking protocol (grpc/doc/health-checking.md): SERVING is a success.
net::Task<ApplicationProbes::Response> ApplicationProbes::ask_grpc(net::Loop& loop, net::Address to,
                                                                   std::string service, TimePoint deadline) {
  auto socket = co_await connect_to_application(loop, to, deadline);
  if (!socket) co_return failed(socket.error().text);
  (*socket)->set_read_deadline(deadline);
  (*socket)->set_write_deadline(deadline);
  auto client = http::grpc::Client::over(std::move(*socket));
  auto stream = client->open(kHealthCheck, to.to_string());
  grpc::health::v1::HealthCheckRequest question;
  question.set_service(service);
  const auto sent = co_await stream->write(question.SerializeAsString());
  if (!sent) co_return failed(sent.error().text);
  stream->finish();
  const auto message = co_await stream->read();
  if (!message) co_return failed(message.error().text);
  grpc::health::v1::HealthCheckResponse response;
  if (!response.ParseFromString(*message)) co_return failed("the response is not a HealthCheckResponse");
  using Status = grpc::health::v1::HealthCheckResponse;
  const std::string status = Status::ServingStatus_Name(response.status());
  if (response.status() != Status::SERVING) co_return failed("status " + status);
  co_return Response{.status = 200, .content_type = std::string(kText), .body = status + "\n"};
}

}  // namespace weft::pod
