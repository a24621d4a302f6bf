#pragma once

#include <string>
#include <string_view>

namespace weft::api {

/// The rules of single texts: each returns the end of a sentence that begins with the value, or nothing when
/// it is right. Any thread.

std::string dns_label(std::string_view text);      ///< RFC 1123 label: "reviews-v1"
std::string service_name(std::string_view text);   ///< RFC 1035 label: begins with a letter
std::string dns_subdomain(std::string_view text);  ///< labels with dots between them
std::string port_name(std::string_view text);      ///< RFC 6335 service name: at most 15, one letter at least
std::string port_name_or_number(std::string_view text);  ///< what may stand for a port as a text: its name
std::string percentage(std::string_view text);           ///< "25%"
std::string label_key(std::string_view text);            ///< "app.kubernetes.io/name"
std::string label_value(std::string_view text);
std::string environment_name(std::string_view text);
std::string config_key(std::string_view text);  ///< a key of a ConfigMap or a Secret
std::string base64(std::string_view text);
std::string absolute_path(std::string_view text);
std::string ip_address(std::string_view text);
std::string duration(std::string_view text);  ///< longer than zero
std::string duration_or_zero(std::string_view text);
std::string quantity_text(std::string_view text);     ///< "100m", "1Gi", "0.5"
std::string regex(std::string_view text);             ///< RE2, of 1 to kMaxRegex bytes
std::string host(std::string_view text);              ///< "reviews", "reviews.default.svc.cluster.local"
std::string host_or_wildcard(std::string_view text);  ///< also "*" and "*.example.com"
std::string gateway_host(std::string_view text);      ///< also with "namespace/", "./" or "*/" before it
std::string gateway_name(std::string_view text);      ///< "mesh", "name", "namespace/name"
std::string export_to(std::string_view text);         ///< "*" or "."
std::string header_name(std::string_view text);       ///< a token of RFC 9110 §5.6.2
std::string changed_header(std::string_view text);    ///< a header_name of which the value may be changed
std::string header_value(std::string_view text);      ///< RFC 9110 §5.5: one line, no control characters
std::string authority(std::string_view text);         ///< "reviews:9080"; RFC 3986 §3.2 without user names
std::string request_target(std::string_view text);    ///< a path that may stand in a request line
std::string location_path(std::string_view text);     ///< the same, perhaps with a fragment
std::string url_scheme(std::string_view text);        ///< RFC 3986 §3.1
std::string grpc_status_name(std::string_view text);  ///< "UNAVAILABLE"
std::string one_line(std::string_view text);          ///< no control characters
std::string not_empty(std::string_view text);

}  // namespace weft::api
