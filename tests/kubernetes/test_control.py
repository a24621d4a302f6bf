"""Statements 30 to 33, 36 and 38: what the control plane makes of Services, endpoints, identities and Gateways."""
import json
import time

import grpc
import pytest

from harness import BOOKINFO, SYSTEM, TOOLS, get, server, tools_pod, version_of, wait_for

@pytest.fixture(scope="module")
def place(mesh):
    with mesh.injected() as ns:
        mesh.apply(tools_pod("client"), ns)
        yield mesh, ns, mesh.pod("app=client", ns)


def through_http(answer):
    """Only an HTTP listener of the caller's sidecar writes this field, and here the callee has no sidecar."""
    return "x-envoy-upstream-service-time" in answer.lower()


def test_30_the_protocol_of_a_port_is_its_name_its_appprotocol_or_what_is_spoken(place):
    mesh, ns, client = place
    outside = ', sidecar.istio.io/inject: "false"'
    mesh.apply(server("plain", labels=outside), ns)
    cases = {"by-name": ("http-x", "", 8001, True), "by-field": ("any", "appProtocol: http", 8002, True),
             "by-bytes": ("", "", 8003, True), "by-number": ("", "", 3306, False), "by-tcp": ("tcp-y", "", 8004, False)}
    for name, (port_name, protocol, number, _) in cases.items():
        fields = ", ".join(f for f in (f"name: {port_name}" if port_name else "", protocol, f"port: {number}", "targetPort: 9080") if f)
        mesh.apply(f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: plain}}, ports: [{{{fields}}}]}}", ns)
    mesh.wait_available(ns)
    for name, (_, _, number, http) in cases.items():
        ask = lambda: client.curl(f"http://{name}.{ns}:{number}/details/0", "-D", "-", check=False).stdout
        wait_for(f"{name} to answer as {'HTTP' if http else 'TCP'}", lambda: ask().startswith("HTTP/1.1 200") and through_http(ask()) == http)


def seen_as(client, url, cluster):
    """The caller's sidecar sends the request to this cluster, and not through as something it does not know."""
    request = f"seen-{time.monotonic_ns()}"
    assert client.status_of(url, "-H", f"x-request-id: {request}") == "200"
    line = wait_for("the entry of the access log", lambda: [e for e in client.logs("istio-proxy").splitlines() if request in e])[0]
    assert cluster in line, line


def replicas(name, service_field, count):
    text = server(name).replace("  selector: {matchLabels", f"  replicas: {count}\n  selector: {{matchLabels")
    return text.replace("  selector: {app", f"  {service_field}\n  selector: {{app") if service_field else text


def test_31_a_headless_service_is_reached_at_each_pod_and_an_alias_by_the_routes_of_its_service(place):
    mesh, ns, client = place
    mesh.apply(replicas("headless", "clusterIP: None", 2), ns)
    mesh.wait_available(ns)
    addresses = {p.ip for p in mesh.pods("app=headless", ns)}
    assert len(addresses) == 2
    for address in addresses:
        wait_for(f"the pod {address}", lambda: client.status_of(f"http://headless.{ns}:9080/details/0", "--connect-to", f"::{address}:") == "200")
    seen_as(client, f"http://headless.{ns}:9080/details/0", f"outbound|9080||headless.{ns}.svc.cluster.local")
    mesh.apply(replicas("concrete", "", 1), ns)
    mesh.apply(f"""
apiVersion: v1
kind: Service
metadata: {{name: alias}}
spec: {{type: ExternalName, externalName: concrete.{ns}.svc.cluster.local, ports: [{{name: http, port: 9080}}]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: concrete}}
spec:
  hosts: [concrete]
  http:
  - headers: {{response: {{set: {{x-route-of: concrete}}}}}}
    route: [{{destination: {{host: concrete}}}}]
""", ns)
    mesh.wait_available(ns)
    wait_for("the alias to use the routes of its service", lambda: "x-route-of: concrete" in
             client.curl(f"http://alias.{ns}:9080/details/0", "-D", "-", check=False).stdout.lower())


def test_32_a_named_target_port_with_two_numbers_reaches_both_pods(place):
    mesh, ns, client = place
    def pod(name, port):
        return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{app: named, which: {name}}}}}
spec:
  containers:
  - name: httpd
    image: {TOOLS}
    args: ["-c", "mkdir /w; echo {name} > /w/index.html; exec httpd -f -p {port} -h /w"]
    ports: [{{name: web, containerPort: {port}}}]
"""
    mesh.apply(pod("first", 8101) + "---" + pod("second", 8102) + "---\napiVersion: v1\nkind: Service\nmetadata: {name: named}\n"
               "spec: {selector: {app: named}, ports: [{name: http, port: 80, targetPort: web}]}", ns)
    for name in ("first", "second"):
        mesh.pod(f"which={name}", ns)
    seen = set()
    def both():
        seen.add(client.curl(f"http://named.{ns}/", check=False).stdout.strip())
        return {"first", "second"} <= seen
    wait_for("both pods", both)
    seen_as(client, f"http://named.{ns}/", f"outbound|80||named.{ns}.svc.cluster.local")


def test_33_a_pod_that_becomes_unready_leaves_its_callers_within_a_second(place):
    mesh, ns, client = place
    probe = 'readinessProbe: {exec: {command: ["/bin/sh", "-c", "test ! -e /tmp/unready"]}, periodSeconds: 1, failureThreshold: 1}\n        ' \
            'volumeMounts: [{name: tmp, mountPath: /tmp}]'
    script = json.dumps("mkdir /tmp/w; hostname > /tmp/w/index.html; exec httpd -f -p 9080 -h /tmp/w")
    text = server("flip", image=TOOLS, args=f'["-c", {script}]', extra=probe, pod_extra="volumes: [{name: tmp, emptyDir: {}}]")
    mesh.apply(text.replace("  selector: {matchLabels", "  replicas: 2\n  selector: {matchLabels"), ns)
    mesh.wait_available(ns)
    ask = lambda: client.curl(f"http://flip.{ns}:9080/", check=False).stdout.strip()
    seen = set()
    wait_for("both pods", lambda: seen.add(ask()) or len({s for s in seen if s.startswith("flip")}) == 2)
    leaving = mesh.pods("app=flip", ns)[0]
    open(f"/proc/{leaving.pid('flip')}/root/tmp/unready", "w").close()
    wait_for("the pod to be unready", lambda: not leaving.refresh().is_ready(), 10, 0.02)
    changed = time.monotonic()
    last = changed
    while time.monotonic() < changed + 3:
        if ask() == leaving.name:
            last = time.monotonic()
    print(f"\nthe last request that reached the unready pod came {1000 * (last - changed):.0f} ms after it was unready")
    assert last - changed < 1.0


def discovery_request(node):
    """A DiscoveryRequest for clusters (envoy.service.discovery.v3): node is field 2, its id field 1; type_url field 4."""
    def field(number, content):
        size, length = len(content), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + content
    return field(2, field(1, node.encode())) + field(4, b"type.googleapis.com/envoy.config.cluster.v3.Cluster")


def first_answer(pod, node):
    """What the control plane says to a proxy that shows the pod's own token and calls itself `node`."""
    secrets = f"/proc/{pod.pid('istio-proxy')}/root/var/run/secrets"
    root = open(f"{secrets}/istio/root-cert.pem", "rb").read()
    token = open(f"{secrets}/tokens/istio-token").read()
    target = f"weft-control.{SYSTEM}.svc:15012"
    with grpc.secure_channel(target, grpc.ssl_channel_credentials(root)) as channel:
        call = channel.stream_stream("/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources")(
            iter([discovery_request(node)]), metadata=[("authorization", f"Bearer {token}")], timeout=10)
        return next(call)


def test_36_a_proxy_that_claims_another_namespace_is_refused(place):
    mesh, ns, client = place
    with mesh.injected() as other:
        mesh.apply(tools_pod("victim"), other)
        victim = mesh.pod("app=victim", other)
        assert first_answer(client, f"sidecar~{client.ip}~{client.name}.{ns}~{ns}.svc.cluster.local")
        with pytest.raises(grpc.RpcError) as refusal:
            first_answer(client, f"sidecar~{victim.ip}~{victim.name}.{other}~{other}.svc.cluster.local")
        assert refusal.value.code() == grpc.StatusCode.PERMISSION_DENIED
        assert victim.name in refusal.value.details() and client.name in refusal.value.details()


GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata:
  name: shop
  annotations: {networking.istio.io/service-type: NodePort}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: bookinfo}
spec:
  parentRefs: [{name: shop}]
  rules:
  - matches:
    - {path: {type: Exact, value: /productpage}}
    - {path: {type: PathPrefix, value: /static}}
    - {path: {type: PathPrefix, value: /api/v1/products}}
    backendRefs: [{name: productpage, port: 9080}]
"""


def condition(item, name):
    found = [c["status"] for c in item.get("conditions", []) if c["type"] == name]
    return found[0] if found else None


def test_38_a_gateway_of_class_istio_gets_its_own_deployment_and_serves_bookinfo(mesh):
    kinds = ("serviceaccount", "deployment", "service")
    with mesh.injected() as ns:
        # Something of that name that is not the gateway's: it must stay as it is.
        mesh.apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other-istio, annotations: {mine: 'yes'}}", ns)
        mesh.apply(BOOKINFO, ns)
        mesh.apply(GATEWAY, ns)
        wait_for("GatewayClass istio to be accepted", lambda: condition(mesh.object("gatewayclass", "istio")["status"], "Accepted") == "True")
        programmed = wait_for("Programmed", lambda: (lambda s: s if condition(s, "Programmed") == "True" else None)(
            mesh.object("gateway", "shop", ns)["status"]), 60)
        assert programmed["addresses"] and condition(programmed, "Accepted") == "True"
        assert programmed["listeners"][0]["attachedRoutes"] == 1
        for kind in kinds:
            owned = mesh.object(kind, "shop-istio", ns)["metadata"]
            assert owned["ownerReferences"][0]["name"] == "shop" and owned["labels"]["gateway.networking.k8s.io/gateway-name"] == "shop"
        parent = mesh.object("httproute", "bookinfo", ns)["status"]["parents"][0]
        assert condition(parent, "Accepted") == "True" and condition(parent, "ResolvedRefs") == "True"
        mesh.wait_available(ns)
        page = f"http://{mesh.node_address('shop-istio', ns)}/productpage"
        wait_for("the page", lambda: version_of(get(page).text) in ("v1", "v2", "v3"))
        assert get(page.replace("productpage", "logout")).status == 404
        mesh.apply(GATEWAY.split("---")[0].replace("name: shop", "name: other"), ns)
        def refusal():
            found = [c for c in mesh.object("gateway", "other", ns)["status"].get("conditions", []) if c["type"] == "Programmed"]
            return found[0] if found and found[0]["status"] == "False" and found[0]["reason"] == "Invalid" else None
        said = wait_for("the other gateway to be refused", refusal)
        assert f"ServiceAccount {ns}/other-istio is there and was not made for a Gateway" in said["message"], said
        for kind in ("deployment", "service"):
            assert mesh.kubectl("get", kind, "-n", ns, "other-istio", check=False).returncode != 0, kind
        foreign = mesh.object("serviceaccount", "other-istio", ns)["metadata"]
        assert foreign["annotations"]["mine"] == "yes" and "ownerReferences" not in foreign
        mesh.kubectl("delete", "gateway", "-n", ns, "shop")
        wait_for("its objects to go", lambda: not [k for k in kinds if mesh.kubectl("get", k, "-n", ns, "shop-istio", check=False).returncode == 0])
