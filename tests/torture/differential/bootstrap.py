"""One bootstrap that both proxies read: routes by everything that a request has, two upstreams."""
import json

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
PROTOCOL = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def to(cluster, **more):
    return {"cluster": cluster, "timeout": "10s", **more}


ROUTES = [
    {"match": {"path": "/exact"}, "route": to("b")},
    {"match": {"prefix": "/admin"}, "direct_response": {"status": 403, "body": {"inline_string": "no"}}},
    {"match": {"safe_regex": {"regex": "/r[0-9]+/.*"}}, "route": to("b")},
    {"match": {"prefix": "/h", "headers": [{"name": "x-pick", "string_match": {"exact": "b"}}]}, "route": to("b")},
    {"match": {"prefix": "/q", "query_parameters": [{"name": "v", "string_match": {"exact": "2"}}]}, "route": to("b")},
    {"match": {"prefix": "/m", "headers": [{"name": ":method", "string_match": {"exact": "POST"}}]}, "route": to("b")},
    {"match": {"prefix": "/old/"}, "route": to("a", prefix_rewrite="/new/")},
    {"match": {"prefix": "/host"}, "route": to("a", host_rewrite_literal="rewritten.example")},
    {"match": {"prefix": "/re"}, "route": to("a", regex_rewrite={"pattern": {"regex": "^/re/([a-z]+)"}, "substitution": "/out/\\1"})},
    {"match": {"prefix": "/redirect"}, "redirect": {"path_redirect": "/there", "host_redirect": "other.example"}},
    {"match": {"prefix": "/https"}, "redirect": {"https_redirect": True}},
    {"match": {"path_separated_prefix": "/seg"}, "route": to("b")},
    {"match": {"prefix": "/add"}, "route": to("a"), "request_headers_to_add": [{"header": {"key": "x-added", "value": "1"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}],
     "request_headers_to_remove": ["x-gone"], "response_headers_to_add": [{"header": {"key": "x-out", "value": "%RESPONSE_CODE%"}}]},
    {"match": {"prefix": "/"}, "route": to("a")},
]


def make(front, admin, a, b, log):
    manager = {
        "@type": HCM, "stat_prefix": "front", "normalize_path": True, "merge_slashes": True, "http_protocol_options": {"accept_http_10": True},
        "use_remote_address": True, "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"name": "r", "virtual_hosts": [
            {"name": "shop", "domains": ["shop.example", "*.shop.example", "shop.example:8080"], "routes": ROUTES},
            {"name": "b-only", "domains": ["b.example"], "routes": [{"match": {"prefix": "/"}, "route": to("b")}]},
            {"name": "rest", "domains": ["*"], "routes": ROUTES}]},
        "access_log": [{"name": "file", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": log}}],
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}]}
    return json.dumps({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{"name": "front", "address": address(front), "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}]}],
            "clusters": [{"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": {
                "cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(port)}}]}]}} for name, port in (("a", a), ("b", b))]}})
