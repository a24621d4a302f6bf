"""Statements 10 and 39, and life in a pod: probes through the sidecar, and how a pod ends."""
import json
import subprocess
import threading
import time

import pytest

from figures import record
from harness import TOOLS, get, server, tools_pod, wait_for
from load import Load

WWW = "mkdir -p /tmp/w/cgi-bin; echo ok > /tmp/w/ok; printf '#!/bin/sh\\nsleep 3\\nprintf \"Content-Type: text/plain\\\\r\\\\n\\\\r\\\\nslow\"\\n' " \
      "> /tmp/w/cgi-bin/slow; chmod +x /tmp/w/cgi-bin/slow; httpd -f -p 9080 -h /tmp/w"


def web(name, extra="", annotations="", before="exec "):
    return server(name, image=TOOLS, args=json.dumps(["-c", WWW.replace("httpd -f", before + "httpd -f")]), extra=extra,
                  annotations=annotations)


def test_10_probes_go_through_the_sidecar_and_the_kubelet_sees_the_applications_own_answer(mesh):
    probes = ("readinessProbe: {httpGet: {path: /ok, port: 9080}, periodSeconds: 1}\n        "
              "livenessProbe: {tcpSocket: {port: 9080}, periodSeconds: 1}\n        "
              "startupProbe: {exec: {command: [/bin/sh, -c, 'test -e /tmp/w/ok']}, periodSeconds: 1}")
    with mesh.injected() as ns:
        mesh.apply(web("probed", probes), ns)
        pod = mesh.pod("app=probed", ns)
        container = pod.containers()["probed"]
        assert container["readinessProbe"]["httpGet"] == {"path": "/app-health/probed/readyz", "port": 15020, "scheme": "HTTP"}
        assert container["livenessProbe"]["httpGet"]["path"] == "/app-health/probed/livez" and "tcpSocket" not in container["livenessProbe"]
        assert "exec" in container["startupProbe"] and "httpGet" not in container["startupProbe"]
        root = f"/proc/{pod.pid('probed')}/root"
        subprocess.run(["mv", f"{root}/tmp/w/ok", f"{root}/tmp/w/not"], check=True)
        wait_for("an event with the application's 404", lambda: any("statuscode: 404" in e for e in mesh.events(ns)), 20, 0.5)
        wait_for("the pod to be unready", lambda: not pod.refresh().is_ready(), 10)
        subprocess.run(["mv", f"{root}/tmp/w/not", f"{root}/tmp/w/ok"], check=True)
        wait_for("the pod to be ready again", lambda: pod.refresh().is_ready(), 10)
        assert pod.statuses()["probed"]["restartCount"] == 0


def test_10_a_grpc_probe_asks_the_application_through_the_sidecar(mesh):
    """The application that speaks no gRPC is not healthy, and the event says so; one without the probe is."""
    with mesh.injected() as ns:
        mesh.apply(web("rpc", "readinessProbe: {grpc: {port: 9080}, periodSeconds: 1}"), ns)
        pod = wait_for("the pod", lambda: mesh.pods("app=rpc", ns) and mesh.pods("app=rpc", ns)[0])
        assert pod.containers()["rpc"]["readinessProbe"]["httpGet"]["path"] == "/app-health/rpc/readyz"
        wait_for("an event of the failed probe", lambda: any("statuscode: 5" in e for e in mesh.events(ns)), 30, 0.5)
        assert not pod.refresh().is_ready()


def test_10_a_tcp_probe_of_a_port_where_nobody_listens_fails(mesh):
    """The sidecar takes any connection; the answer must be that of the application's own port."""
    with mesh.injected() as ns:
        mesh.apply(web("closed", "readinessProbe: {tcpSocket: {port: 9999}, periodSeconds: 1}"), ns)
        pod = wait_for("the pod", lambda: mesh.pods("app=closed", ns) and mesh.pods("app=closed", ns)[0])
        wait_for("an event of the failed probe", lambda: any("statuscode: 5" in e for e in mesh.events(ns)), 30, 0.5)
        assert not pod.refresh().is_ready()


@pytest.mark.parametrize("native", ["true", "false"], ids=["native", "classic"])
def test_39_a_pod_that_ends_finishes_what_it_has_begun_and_can_still_call_others(mesh, native):
    with mesh.injected() as ns:
        mesh.apply(web("other"), ns)
        # An application that, told to end, still calls another service; by its address, because a static busybox cannot look
        # names up. Native, it goes on for longer than the sidecar drains (5 s): a sidecar that left then would be seen.
        calls = 45 if native == "true" else 10
        script = WWW.replace("httpd -f", "httpd") + ("; trap 'n=0; while [ $n -lt CALLS ]; do wget -q -O - http://$OTHER_SERVICE_HOST:9080/ok >/dev/null 2>&1 && echo CALLED || "
                                                     "echo REFUSED; n=$((n+1)); sleep 0.2; done; exit 0' TERM; while true; do sleep 0.1; done").replace("CALLS", str(calls))
        text = server("ending", image=TOOLS, args=json.dumps(["-c", script]), annotations=f', sidecar.istio.io/nativeSidecar: "{native}"')
        mesh.apply(text.replace("terminationGracePeriodSeconds: 10", "terminationGracePeriodSeconds: 45"), ns)
        mesh.apply(tools_pod("client"), ns)
        mesh.wait_available(ns)
        client, pod = mesh.pod("app=client", ns), mesh.pod("app=ending", ns)
        wait_for("the Service", lambda: client.status_of(f"http://ending.{ns}:9080/ok") == "200")
        logs = subprocess.Popen(["kubectl", "logs", "-f", "-n", ns, pod.name, "-c", "ending"], stdout=subprocess.PIPE, text=True)
        slow = []
        thread = threading.Thread(target=lambda: slow.append(client.curl(f"http://ending.{ns}:9080/cgi-bin/slow", check=False).stdout))
        thread.start()
        time.sleep(0.5)  # the request is under way
        began = time.monotonic()
        pod.delete("--wait=false")
        def draining():
            return get(f"http://{pod.ip}:15021/healthz/ready", timeout=1).status == 503
        wait_for("readiness 503", draining, 10, 0.02)
        unready = time.monotonic() - began
        thread.join(20)
        assert slow == ["slow"]
        said = logs.communicate(timeout=40)[0].split()
        assert said.count("CALLED") == calls and "REFUSED" not in said, said
        wait_for("the pod to go", lambda: pod.name not in [p.name for p in mesh.pods("", ns, ending=True)], 45)
        took = time.monotonic() - began
        print(f"\nnative {native}: readiness 503 after {unready * 1000:.0f} ms, gone after {took:.1f} s")
        assert unready < 2 and took < (35 if native == "true" else 18)


def test_a_rolling_restart_of_bookinfo_under_200_requests_a_second_loses_none(shop, mesh):
    ns, url = shop
    for service in ("productpage", "details", "reviews", "ratings"):
        mesh.apply(json.dumps({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": f"no-retries-{service}"},
                               "spec": {"hosts": [service], "http": [{"retries": {"attempts": 0}, "route": [{"destination": {"host": service}}]}]}}), ns)
    rule = mesh.object("virtualservice", "bookinfo", ns)
    for route in rule["spec"]["http"]:
        route["retries"] = {"attempts": 0}
    mesh.apply(json.dumps({k: v for k, v in rule.items() if k != "status"}), ns)
    wait_for("the page", lambda: get(url).status == 200)
    with Load(url, 200, good=lambda body: b"Error fetching" not in body) as load:
        time.sleep(2)
        assert not load.failures, load.failures[:3]
        for deployment in mesh.objects("deployments", ns):
            mesh.kubectl("rollout", "restart", "-n", ns, f"deployment/{deployment['metadata']['name']}")
        mesh.wait_available(ns)
        time.sleep(2)
    print(f"\n{load.sent} requests; first failures: {load.failures[:3]}")
    assert load.sent > 1000
    record("failed requests in a rolling restart under 200 requests/s", len(load.failures), "requests", 0)
