"""Bad input, and what goes missing: the API server, etcd, the control plane, its webhook, its rights, a sidecar."""
import contextlib
import json
import os
import signal
import time

from harness import BOOKINFO, NETWORKING, SYSTEM, get, server, shell, tools_pod, version_of, wait_for, weft
from load import Load

# `make e2e-kubernetes API_AWAY=600` is the ten minutes of a long outage.
API_AWAY_SECONDS = int(os.environ.get("API_AWAY", "30"))


def test_a_file_with_one_bad_document_applies_nothing_and_says_the_line(cluster, tmp_path):
    with cluster.namespace() as ns:
        text = BOOKINFO.read_text().replace("kind: ServiceAccount\nmetadata:\n  name: bookinfo-reviews", "kind: ServiceAccount\nmetadata: [", 1)
        bad = tmp_path / "bad.yaml"
        bad.write_text(text)
        line = text[:text.index("metadata: [")].count("\n") + 1
        done = weft("kube-inject", "-f", bad, check=False)
        assert done.returncode != 0 and done.stdout == ""
        # The flow sequence is broken off where its second line has no comma.
        assert f"bad.yaml:{line + 2}: not YAML" in done.stderr, done.stderr
        shell(f"kubectl apply -n {ns} -f <(weft kube-inject -f {bad})", check=False)
        assert not cluster.objects("services", ns) and not cluster.objects("deployments", ns)


def change(mesh, ns, version):
    mesh.apply((NETWORKING / "virtual-service-reviews-v3.yaml").read_text().replace("v3", version), ns)


def sees_change(mesh, ns, url, version, seconds=10):
    change(mesh, ns, version)
    wait_for(f"only reviews {version}", lambda: {version_of(get(url).text) for _ in range(6)} == {version}, seconds)


@contextlib.contextmanager
def untroubled(url, rate=50):
    """Traffic that goes on through a fault, and of which nothing may fail."""
    with Load(url, rate, good=lambda body: b"Error fetching" not in body) as load:
        time.sleep(0.5)
        yield load
    assert not load.failures, f"{len(load.failures)} of {load.sent} failed: {load.failures[:3]}"


def test_the_api_server_is_away_and_traffic_goes_on(shop, mesh):
    ns, url = shop
    sees_change(mesh, ns, url, "v1")
    with untroubled(url):
        mesh.daemon("kill", "kube-apiserver")
        try:
            time.sleep(API_AWAY_SECONDS)
        finally:
            mesh.daemon("start", "kube-apiserver")
        mesh.wait_api()
        back = time.monotonic()
        sees_change(mesh, ns, url, "v3", 10)
        print(f"\naway for {API_AWAY_SECONDS} s; a change arrived {time.monotonic() - back:.1f} s after the API server was back")


def test_etcd_starts_again_and_nothing_is_lost(shop, mesh):
    ns, url = shop
    with untroubled(url):
        mesh.daemon("restart", "etcd")
        mesh.wait_api()
        sees_change(mesh, ns, url, "v1", 15)


def test_the_control_plane_is_deleted_and_another_takes_over(shop, mesh):
    ns, url = shop
    with untroubled(url):
        old = mesh.control_pod()
        old.delete("--now")
        mesh.wait_available(SYSTEM)
        assert mesh.control_pod().name != old.name
        # A connection that the API server began while the node still led to the old pod ends by its webhook's timeout.
        v3 = (NETWORKING / "virtual-service-reviews-v3.yaml").read_text()
        wait_for("the new one's webhook", lambda: mesh.apply(v3, ns, check=False).returncode == 0, 30)
        sees_change(mesh, ns, url, "v3", 15)


def test_a_webhook_that_is_down_is_a_clear_event(mesh):
    with mesh.injected() as ns:
        mesh.kubectl("scale", "-n", SYSTEM, "deployment/weft-control", "--replicas=0")
        try:
            wait_for("the control plane to end", lambda: not mesh.pods("app=weft-control", SYSTEM, ending=True), 60)
            mesh.apply(server("late"), ns)
            wait_for("an event that names the webhook", lambda: any("FailedCreate" in e and "sidecar-injector.istio.io" in e and "weft-control" in e
                                                                     for e in mesh.events(ns)), 20, 0.3)
        finally:
            mesh.kubectl("scale", "-n", SYSTEM, "deployment/weft-control", "--replicas=1")
            mesh.wait_available(SYSTEM)
        mesh.kubectl("rollout", "restart", "-n", ns, "deployment/late")
        mesh.wait_available(ns)
        assert mesh.pod("app=late", ns).is_injected()


def test_rights_that_are_taken_away_show_in_readiness(shop, mesh):
    ns, url = shop
    bindings = [b for b in mesh.objects("clusterrolebindings", None, "app.kubernetes.io/part-of=weft")
                if any(s["name"] == "weft-control" for s in b["subjects"])]
    assert bindings
    ready = lambda: get(f"http://{control.ip}:15014/ready")
    control = mesh.control_pod()
    with untroubled(url):
        for binding in bindings:
            mesh.kubectl("delete", "clusterrolebinding", binding["metadata"]["name"])
        try:
            # Watches that are open go on; a control plane that starts can list nothing.
            mesh.daemon("restart", "kube-apiserver")
            mesh.wait_api()
            answer = wait_for("readiness to tell", lambda: (lambda a: a if a.text != "ok\n" else None)(ready()), 60, 0.5)
            assert answer.status == 200, "pods could not be made without the injector, which still serves"
            assert "cannot" in answer.text or "forbidden" in answer.text.lower(), answer.text
        finally:
            for binding in bindings:
                kept = {k: binding["metadata"][k] for k in ("name", "labels")}
                mesh.apply(json.dumps({**binding, "metadata": kept}))
        wait_for("readiness to say that all is well", lambda: ready().text == "ok\n", 60, 0.5)
    mesh.wait_available(SYSTEM)


def test_a_sidecar_that_is_killed_is_started_again_and_others_notice_nothing(shop, mesh):
    ns, url = shop
    with mesh.injected() as other:
        mesh.apply(tools_pod("victim"), other)
        victim = mesh.pod("app=victim", other)
        with untroubled(url):
            os.kill(victim.pid("istio-proxy"), signal.SIGKILL)
            wait_for("the sidecar to be started again", lambda: victim.refresh().statuses()["istio-proxy"]["restartCount"] == 1 and
                     victim.is_ready(), 30, 0.2)
        assert victim.statuses()["shell"]["restartCount"] == 0
        assert victim.status_of(f"http://productpage.{ns}:9080/health") == "200"
    before = mesh.pod("app=details", ns)
    os.kill(before.pid("istio-proxy"), signal.SIGKILL)
    wait_for("the page to be whole again", lambda: version_of(get(url).text) != "error" and
             before.refresh().statuses()["istio-proxy"]["restartCount"] == 1, 30)
