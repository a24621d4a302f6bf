"""Configurations of the proxy under torture: always the same promises, never twice the same resources."""
import ads

HCM = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
FAULT = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
FAULTY = {"delay": {"fixedDelay": "0.05s", "percentage": {"numerator": 50}}, "abort": {"httpStatus": 555, "percentage": {"numerator": 40}}}


def address(port, host="127.0.0.1"):
    return {"socketAddress": {"address": host, "portValue": port}}


def bootstrap(admin_port, ads_port):
    return {
        "admin": {"address": address(admin_port)},
        "node": {"id": "torture", "cluster": "torture"},
        "dynamic_resources": {
            "lds_config": {"ads": {}, "resource_api_version": "V3"}, "cds_config": {"ads": {}, "resource_api_version": "V3"},
            "ads_config": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [{"envoy_grpc": {"cluster_name": "xds"}}]}},
        "static_resources": {"clusters": [{
            "name": "xds", "type": "STATIC", "connect_timeout": "1s",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}}}},
            "load_assignment": {"cluster_name": "xds", "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(ads_port)}}]}]}}]}}


def cluster(name, random, **more):
    return {"name": name, "type": "EDS", "connectTimeout": random.choice(["0.5s", "1s", "2s"]),
            "edsClusterConfig": {"edsConfig": {"ads": {}, "resourceApiVersion": "V3"}},
            "lbPolicy": random.choice(["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM"]), **more}


def endpoints(name, ports):
    return {"clusterName": name, "endpoints": [{"lbEndpoints": [{"endpoint": {"address": address(p)}} for p in ports]}]}


def retry(random):
    return {"retryOn": random.choice(["connect-failure", "5xx", "gateway-error,reset", "retriable-status-codes"]), "numRetries": random.randint(0, 3),
            "retriableStatusCodes": [503], "retryBackOff": {"baseInterval": "0.005s", "maxInterval": "0.05s"}}


def routes(name, random):
    """The prefixes are promises to the clients: see client.py. Their order, and rules nobody asks for, change."""
    made = [{"match": {"prefix": "/forbidden"}, "directResponse": {"status": 403, "body": {"inlineString": "forbidden"}}}]
    kinds = [
        {"match": {"prefix": "/plain/"}, "route": {"cluster": "plain", "timeout": "0s", "idleTimeout": "60s"}},
        {"match": {"prefix": "/retry/"}, "route": {"cluster": "mixed", "timeout": "20s", "retryPolicy": retry(random)}},
        {"match": {"prefix": "/timeout/"}, "route": {"cluster": "plain", "timeout": random.choice(["0.05s", "0.1s", "0.2s"])}},
        {"match": {"prefix": "/limited/"}, "route": {"cluster": "limited", "timeout": "20s"}},
        {"match": {"prefix": "/dead/"}, "route": {"cluster": "dead", "timeout": "5s"}},
        {"match": {"prefix": "/nowhere/"}, "route": {"cluster": random.choice(["plain", "unknown-cluster"]), "timeout": "5s"}},
        {"match": {"prefix": "/fault/"}, "route": {"cluster": "plain", "timeout": "20s"}, "typedPerFilterConfig": {
            "envoy.filters.http.fault": {"@type": FAULT, **FAULTY}}},
        # What has to come whole may take its time: 64 MB are slow where sanitizers and other work share the machine.
        {"match": {"prefix": "/rewrite/"},
         "route": {"cluster": "plain", "timeout": "0s", "idleTimeout": "60s", "prefixRewrite": "/rewritten/"},
         "requestHeadersToAdd": [{"header": {"key": "x-added", "value": "%REQ(x-token)%"}}], "responseHeadersToAdd": [{"header": {"key": "x-version", "value": name}}]},
        {"match": {"prefix": "/split/"}, "route": {"timeout": "20s", "weightedClusters": {"clusters": [
            {"name": "plain", "weight": random.randint(1, 99)}, {"name": "limited", "weight": random.randint(1, 99)}]}}},
        {"match": {"prefix": "/direct/"}, "directResponse": {"status": 418, "body": {"inlineString": "short and stout"}}},
    ]
    kinds += [{"match": {"path": f"/never/{random.random()}"}, "redirect": {"pathRedirect": "/elsewhere"}} for _ in range(random.randint(0, 20))]
    random.shuffle(kinds)
    return {"name": name, "virtualHosts": [{"name": "all", "domains": ["*"], "routes": made + kinds}]}


def listener(name, port, log, random, stable):
    manager = {"@type": HCM, "statPrefix": name, "rds": {"routeConfigName": "routes", "configSource": {"ads": {}, "resourceApiVersion": "V3"}},
               "httpProtocolOptions": {"acceptHttp10": True}, "normalizePath": True, "mergeSlashes": True,
               "pathWithEscapedSlashesAction": "UNESCAPE_AND_FORWARD",
               "upgradeConfigs": [{"upgradeType": "torture"}],
               "streamIdleTimeout": "30s" if stable else random.choice(["10s", "30s", "60s"]),
               "accessLog": [{"name": "file", "typedConfig": {"@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                                                              "path": log}}],
               "httpFilters": [{"name": "envoy.filters.http.fault", "typedConfig": {"@type": FAULT}},
                               {"name": "envoy.filters.http.router", "typedConfig": {"@type": ROUTER}}]}
    if not stable:
        manager["commonHttpProtocolOptions"] = {"idleTimeout": random.choice(["1s", "5s", "3600s"])}
    return {"name": name, "address": address(port), "filterChains": [{"filters": [
        {"name": "envoy.filters.network.http_connection_manager", "typedConfig": manager}]}]}


def draw(random, upstream_ports, dead_port, stable_port, moving_ports, log):
    """One configuration. The stable listener and the clusters that clients rely on are always there; the rest moves."""
    alive = random.sample(upstream_ports, random.randint(1, len(upstream_ports)))
    limits = {"circuitBreakers": {"thresholds": [{"maxConnections": random.randint(1, 4), "maxPendingRequests": random.randint(1, 64),
                                                  "maxRequests": random.randint(1, 64), "maxRetries": random.randint(0, 3)}]}}
    clusters = [cluster("plain", random), cluster("limited", random, **limits), cluster("mixed", random), cluster("dead", random)]
    assignments = [endpoints("plain", alive), endpoints("limited", random.sample(upstream_ports, random.randint(1, 2))),
                   endpoints("mixed", alive + [dead_port]), endpoints("dead", random.choice([[dead_port], []]))]
    for number in range(random.randint(0, 5)):
        clusters.append(cluster(f"extra-{number}", random))
        assignments.append(endpoints(f"extra-{number}", alive))
    listeners = [listener("stable", stable_port, log, random, True)]
    listeners += [listener(f"moving-{p}", p, log, random, False) for p in moving_ports if random.random() < 0.6]
    return {ads.CLUSTER: clusters, ads.ENDPOINTS: assignments, ads.LISTENER: listeners, ads.ROUTES: [routes("routes", random)]}
