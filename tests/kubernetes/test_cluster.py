"""The cluster itself, before any mesh: what later tests take for granted."""
import json
import subprocess

import pytest

from harness import BOOKINFO, VERSION, get, tools_pod, version_of, wait_for


@pytest.fixture(scope="module")
def plain(cluster):
    """Bookinfo without a mesh: today's manifest, unchanged."""
    with cluster.namespace() as ns:
        cluster.deploy(ns, BOOKINFO)
        yield ns


def page_of(cluster, ns):
    return get(f"http://{cluster.object('service', 'productpage', ns)['spec']['clusterIP']}:9080/productpage")


def test_bookinfo_runs_from_our_images_with_its_manifest_unchanged(cluster, plain):
    assert all(not p.is_injected() for p in cluster.pods("", plain))

    def colours():
        seen = set()
        for pod in cluster.pods("app=reviews", plain):
            answer = get(f"http://{pod.ip}:9080/reviews/0").json
            seen.add((pod.item["metadata"]["labels"]["version"], answer["reviews"][0].get("rating", {}).get("color")))
        return seen == {("v1", None), ("v2", "black"), ("v3", "red")}
    wait_for("the stars of each version", colours)
    wait_for("the page", lambda: version_of(page_of(cluster, plain).text) in ("v1", "v2", "v3"))


def test_bookinfo_runs_as_anybody_on_a_read_only_file_system(cluster, plain):
    strict = {"readOnlyRootFilesystem": True, "runAsNonRoot": True, "allowPrivilegeEscalation": False,
              "capabilities": {"drop": ["ALL"]}}
    for deployment in cluster.objects("deployments", plain):
        container = deployment["spec"]["template"]["spec"]["containers"][0]["name"]
        patch = {"spec": {"template": {"spec": {"containers": [{"name": container, "securityContext": strict}]}}}}
        cluster.kubectl("patch", "-n", plain, "deployment", deployment["metadata"]["name"], "-p", json.dumps(patch))
    cluster.wait_available(plain)
    wait_for("the page", lambda: version_of(page_of(cluster, plain).text) in ("v1", "v2", "v3"))


def test_the_image_of_weft_runs_as_1337_on_a_read_only_file_system(cluster):
    with cluster.namespace() as ns:
        cluster.apply(f"""
apiVersion: v1
kind: Pod
metadata: {{name: version}}
spec:
  restartPolicy: Never
  containers:
  - name: weft
    image: weft.dev/weft:{VERSION}
    args: [version]
    securityContext: {{readOnlyRootFilesystem: true, runAsNonRoot: true, capabilities: {{drop: [ALL]}}}}
""", ns)
        cluster.kubectl("wait", "-n", ns, "pod/version", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=30s")
        assert cluster.kubectl("logs", "-n", ns, "version").stdout.strip() == f"weft {VERSION}"


def test_no_packet_leaves_the_cluster(cluster):
    assert "default" not in subprocess.run(["ip", "route"], capture_output=True, text=True).stdout
    with cluster.namespace() as ns:
        cluster.apply(tools_pod("out"), ns)
        pod = cluster.pod("app=out", ns)
        assert not pod.connect("192.0.2.1", 80)["connected"]
        assert pod.inside("getent", "hosts", "example.com", check=False).returncode != 0
        assert "10." in pod.inside("getent", "hosts", "kubernetes.default.svc.cluster.local").stdout


def test_etcd_and_the_api_server_come_back_with_their_data(cluster, plain):
    before = {p.name for p in cluster.pods("", plain)}
    for name in ("etcd", "kube-apiserver"):
        cluster.daemon("restart", name)
        cluster.wait_api()
        assert {p.name for p in cluster.pods("", plain)} == before
