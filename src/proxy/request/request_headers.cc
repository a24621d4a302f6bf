#include "proxy/request/request_headers.h"

#include <charconv>
#include <ctime>

#include "base/uuid.h"

namespace weft::proxy {
namespace {

using http::HeaderId;

/// What only proxies of the mesh say to each other. Envoy takes each by name, and now and then one that it
/// forgot was believed; nothing from outside has business with this prefix.
constexpr std::string_view kMeshOnly = "x-envoy-";
/// Whose certificate a proxy has seen. None here sees one, so it is made up, inside or outside.
constexpr std::string_view kClientCertificate = "x-forwarded-client-cert";

void remove_mesh_only(http::Headers& headers) {
  for (std::size_t i = 0; i < headers.size();) {
    const std::string_view name = headers[i].name;
    if (name.size() <= kMeshOnly.size() ||
        !http::equal_ignoring_case(name.substr(0, kMeshOnly.size()), kMeshOnly)) {
      ++i;
      continue;
    }
    headers.remove(std::string(name));  // all of that name, this one and later ones
  }
}

/// An identifier as W3C Trace Context §3.2.2 has it: lower-case digits, not all of them zero.
bool is_trace_part(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos && text.find_first_not_of('0') != text.npos;
}

bool is_hex(std::string_view text, std::size_t size) {
  if (text.size() != size) return false;
  for (const char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  return true;
}

std::string random_hex(Random& random, int words) {
  std::string out;
  for (int i = 0; i < words; ++i) append_hex(out, random.next());
  return out;
}

/// The address that many trusted hops from the end of x-forwarded-for, as text; empty when there are not as
/// many.
std::string_view forwarded_address(std::string_view list, std::uint32_t hops) {
  while (!list.empty()) {
    const auto comma = list.rfind(',');
    std::string_view element = comma == std::string_view::npos ? list : list.substr(comma + 1);
    while (!element.empty() && element.front() == ' ') element.remove_prefix(1);
    while (!element.empty() && element.back() == ' ') element.remove_suffix(1);
    if (hops-- == 0) return element;
    if (comma == std::string_view::npos) return {};
    list = list.substr(0, comma);
  }
  return {};
}

/// The values of all fields of that name as one list (RFC 9110 §5.3).
std::string joined(const http::Headers& headers, HeaderId name) {
  std::string list;
  for (const http::Headers::Field field : headers) {
    if (field.known != name) continue;
    if (!list.empty()) list += ",";
    list += field.value;
  }
  return list;
}

/// How requests come to this proxy, which decrypts nothing. The scheme of an absolute target is the client's
/// own word, and a trusted hop tells what it was asked by.
constexpr std::string_view kTransport = "http";

void prepare_edge(http::RequestHead& head, const HttpConfig& config, RequestInfo& info) {
  const std::string peer = info.connection->peer.ip();
  std::string forwarded = joined(head.headers, HeaderId::kXForwardedFor);
  const bool first_hop = forwarded.empty();
  if (!peer.empty()) {
    if (!first_hop) forwarded += ",";
    forwarded += peer;
    head.headers.set(HeaderId::kXForwardedFor, forwarded);
  }
  if (config.trusted_hops > 0) {
    const std::string_view client = forwarded_address(forwarded, config.trusted_hops);
    if (!client.empty() && net::Address::parse_ip(client, 0))
      info.remote_address = std::string(client) + ":0";
  }
  if (config.trusted_hops == 0 || !head.headers.has(HeaderId::kXForwardedProto))
    head.headers.set(HeaderId::kXForwardedProto, kTransport);
  remove_mesh_only(head.headers);
  if (first_hop && is_internal(info.connection->peer)) head.headers.add("x-envoy-internal", "true");
  if (!config.preserve_external_request_id && !is_internal(info.connection->peer))
    head.headers.remove(HeaderId::kXRequestId);
}

struct Trace {
  std::string trace_id, parent_id;
  bool sampled = true;
};

std::optional<Trace> trace_of(const http::Headers& headers) {
  if (const auto id = headers.get(HeaderId::kXB3TraceId)) {
    const auto sampled = headers.get(HeaderId::kXB3Sampled);
    return Trace{
        std::string(*id), std::string(headers.get(HeaderId::kXB3SpanId).value_or("")),
        !sampled || *sampled == "1" || *sampled == "true" || headers.get(HeaderId::kXB3Flags) == "1"};
  }
  // W3C Trace Context §3.2: version "-" trace-id "-" parent-id "-" flags, and more in versions to come.
  const auto parent = headers.get(HeaderId::kTraceparent);
  if (!parent || parent->size() < 55 || (*parent)[2] != '-' || (*parent)[35] != '-' || (*parent)[52] != '-')
    return std::nullopt;
  const std::string_view id = parent->substr(3, 32), span = parent->substr(36, 16);
  if (parent->starts_with("ff") || !is_trace_part(id) || !is_trace_part(span)) return std::nullopt;
  return Trace{std::string(id), std::string(span), (parent->at(54) & 1) != 0};
}

}  // namespace

bool came_by_tls(const http::Headers& headers) {
  // Most requests say http, or come with one field: only "https" is worth a look at all of them.
  return headers.get(HeaderId::kXForwardedProto) == "https" &&
         joined(headers, HeaderId::kXForwardedProto) == "https";
}

void prepare_request(http::RequestHead& head, const HttpConfig& config, RequestInfo& info, Random& random) {
  head.headers.remove(kClientCertificate);
  if (config.use_remote_address)
    prepare_edge(head, config, info);
  else if (!head.headers.has(HeaderId::kXForwardedProto))
    head.headers.add(HeaderId::kXForwardedProto, kTransport);
  // What is left there is the word of a hop that is trusted: matches and redirects go by it.
  if (head.scheme == kTransport && came_by_tls(head.headers)) head.scheme = "https";
  if (config.generate_request_id && !head.headers.has(HeaderId::kXRequestId)) {
    std::string id;
    append_uuid(id, random);
    head.headers.add(HeaderId::kXRequestId, id);
  }
  if (config.tracing) continue_trace(head.headers, config.random_sampling_percent, random);
}

void continue_trace(http::Headers& headers, double sampling_percent, Random& random) {
  std::optional<Trace> trace = trace_of(headers);
  const bool begun_here = !trace;
  if (begun_here) trace = Trace{random_hex(random, 2), {}, random.unit() * 100 < sampling_percent};
  const std::string span = random_hex(random, 1);
  headers.set(HeaderId::kXB3TraceId, trace->trace_id);
  headers.set(HeaderId::kXB3SpanId, span);
  if (!trace->parent_id.empty()) headers.set(HeaderId::kXB3ParentSpanId, trace->parent_id);
  headers.set(HeaderId::kXB3Sampled, trace->sampled ? "1" : "0");
  std::string wide = trace->trace_id;
  if (wide.size() == 16) wide.insert(0, 16, '0');
  if (is_hex(wide, 32))
    headers.set(HeaderId::kTraceparent, "00-" + wide + "-" + span + (trace->sampled ? "-01" : "-00"));
}

bool count_forward(http::RequestHead& head) {
  if (head.method != "OPTIONS" && head.method != "TRACE") return true;
  const auto text = head.headers.get("max-forwards");
  if (!text) return true;
  std::uint32_t left = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), left);
  if (error != std::errc() || end != text->data() + text->size()) return true;
  if (left == 0) return false;
  head.headers.set("max-forwards", std::to_string(left - 1));
  return true;
}

void finish_response(http::ResponseHead& head, const HttpConfig& config) {
  const bool present = head.headers.has(HeaderId::kServer);
  if (config.server_header == HttpConfig::ServerHeader::kOverwrite ||
      (config.server_header == HttpConfig::ServerHeader::kAppendIfAbsent && !present))
    head.headers.set(HeaderId::kServer, config.server_name);
  if (!head.headers.has(HeaderId::kDate)) head.headers.add(HeaderId::kDate, http_date());
}

std::string_view http_date() {
  thread_local std::time_t second = -1;
  thread_local char text[40];
  thread_local std::size_t size = 0;
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != second) {
    second = now.tv_sec;
    std::tm parts{};
    gmtime_r(&second, &parts);
    size = strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return {text, size};
}

bool is_internal(const net::Address& address) {
  if (address.is_loopback() || address.is_unix()) return true;
  if (address.is_v4()) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.data());
    const std::uint32_t ip = ntohl(v4->sin_addr.s_addr);
    return ip >> 24 == 10 || ip >> 20 == 0xac1 || ip >> 16 == 0xc0a8;
  }
  if (address.family() != AF_INET6) return false;
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.data());
  return (v6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
}

}  // namespace weft::proxy
