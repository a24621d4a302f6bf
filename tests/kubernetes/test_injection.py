"""Statements 1 to 9 and 11 to 13: injection, on pods that a real API server made. A test's number is its statement's."""
import json
import re

import pytest

from harness import BOOKINFO, BOOKINFO_2017, PROXY_ID, TOOLS, VERSION, server, tools_pod, wait_for, weft


def inject(text, *options):
    return weft("kube-inject", "-f", "-", *options, input=text).stdout


def as_objects(cluster, text):
    """As kubectl reads it: the items of the stream in their order."""
    done = cluster.kubectl("create", "--dry-run=client", "-o", "json", "-f", "-", input=text).stdout
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(done.rstrip()):
        item, at = decoder.raw_decode(done, at)
        found += item["items"] if item["kind"] == "List" else [item]
        while at < len(done) and done[at].isspace():
            at += 1
    return found


def pod_spec(workload):
    return workload["spec"]["template"]["spec"] if "template" in workload["spec"] else workload["spec"]


def made(cluster, ns, text, name, seconds=60):
    cluster.apply(text, ns)
    return cluster.pod(f"app={name}", ns, seconds)


@pytest.mark.parametrize("manifest", [BOOKINFO, BOOKINFO_2017], ids=["today", "2017"])
def test_01_a_deployment_gets_one_init_container_and_one_container(cluster, manifest):
    injected = as_objects(cluster, inject(manifest.read_text(), "--classic"))
    # The 2017 file is no longer readable as it is; what the injector makes of it with injection off is what it should be.
    off = re.sub(r"^(      labels:\n)(        app:)", r'\1        sidecar.istio.io/inject: "false"\n\2', manifest.read_text(), flags=re.M)
    plain = {(o["kind"], o["metadata"]["name"]): o for o in as_objects(cluster, inject(off, "--classic"))}
    deployments = [o for o in injected if o["kind"] == "Deployment"]
    assert len(deployments) == 6
    for deployment in deployments:
        spec = pod_spec(deployment)
        assert [c["name"] for c in spec["initContainers"]] == ["istio-init"]
        names = [c["name"] for c in spec["containers"]]
        assert len(names) == 2 and names.count("istio-proxy") == 1
        assert deployment["apiVersion"] == "apps/v1"
        original = [c for c in pod_spec(plain["Deployment", deployment["metadata"]["name"]])["containers"]][0]
        application = [c for c in spec["containers"] if c["name"] != "istio-proxy"][0]
        without = lambda c: {k: v for k, v in c.items() if not k.endswith("Probe") and k != "lifecycle"}
        assert without(application) == without(original)


@pytest.mark.parametrize("mode", ["--native", "--classic"])
def test_02_injecting_the_output_again_changes_nothing(cluster, mode):
    once = inject(BOOKINFO.read_text(), mode)
    assert inject(once, mode) == once


def test_03_what_is_not_concerned_comes_out_byte_for_byte():
    text = ("# a comment\napiVersion: example.org/v7\nkind: Unknown\nmetadata: {name:   odd}  # and another\n---\n"
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n    name: 'quoted'\ndata: {a: \"1\"}\n")
    assert inject(text) == text


def test_04_a_pod_in_the_hosts_network_is_never_injected(mesh):
    with mesh.injected() as ns:
        pod = made(mesh, ns, tools_pod("host", labels=', sidecar.istio.io/inject: "true"', spec="hostNetwork: true"), "host")
        assert not pod.is_injected()


def test_05_pods_of_kubernetes_own_namespaces_are_never_injected(mesh):
    for ns in ("kube-system", "kube-public", "kube-node-lease"):
        wait_for("the account", lambda: mesh.object("serviceaccount", "default", ns))
        pod = made(mesh, ns, tools_pod("own", labels=', sidecar.istio.io/inject: "true"'), "own")
        pod.delete("--now")
        assert not pod.is_injected(), ns


@pytest.mark.parametrize("label, annotation, injected", [
    ("true", "false", True), ("false", "true", False), ("perhaps", None, True), (None, "false", False), (None, "perhaps", True)])
def test_06_the_label_beats_the_annotation(mesh, label, annotation, injected):
    with mesh.injected() as ns:
        labels = f', sidecar.istio.io/inject: "{label}"' if label else ""
        annotations = f', sidecar.istio.io/inject: "{annotation}"' if annotation else ""
        mesh.apply(tools_pod("one", labels=labels, annotations=annotations), ns)
        assert mesh.pods("app=one", ns)[0].is_injected() == injected


def test_07_a_users_own_istio_proxy_keeps_its_resources(mesh):
    with mesh.injected() as ns:
        own = tools_pod("own") + """  - name: istio-proxy
    image: auto
    resources: {requests: {cpu: 33m, memory: 44Mi}}
"""
        proxy = made(mesh, ns, own, "own").containers()["istio-proxy"]
        assert proxy["resources"]["requests"] == {"cpu": "33m", "memory": "44Mi"}
        assert proxy["image"] == f"weft.dev/weft:{VERSION}" and "sidecar" in proxy["args"]


def test_08_a_bad_range_refuses_the_pod_and_names_the_annotation(mesh):
    with mesh.injected() as ns:
        done = mesh.apply(tools_pod("bad", annotations=', traffic.sidecar.istio.io/includeOutboundIPRanges: "10.0.0.0/99"'), ns,
                          check=False)
        assert done.returncode != 0
        assert "traffic.sidecar.istio.io/includeOutboundIPRanges" in done.stderr and "10.0.0.0/99" in done.stderr
        assert not mesh.pods("", ns)


def test_09_one_resource_annotation_replaces_all_defaults(mesh):
    with mesh.injected() as ns:
        mesh.apply(tools_pod("plain") + "---" + tools_pod("own", annotations=', sidecar.istio.io/proxyCPU: "77m"'), ns)
        plain, own = (mesh.pods(f"app={n}", ns)[0].containers()["istio-proxy"]["resources"] for n in ("plain", "own"))
        assert plain["requests"]["memory"] and own == {"requests": {"cpu": "77m"}}


def test_11_with_hold_the_proxy_is_first_and_the_application_finds_it_ready(mesh):
    with mesh.injected() as ns:
        script = "wget -q -O - http://127.0.0.1:15021/healthz/ready && echo READY-AT-START; while true; do sleep 1; done"
        pod = made(mesh, ns, tools_pod("held", script, annotations=', sidecar.istio.io/nativeSidecar: "false", '
                   'proxy.istio.io/config: "holdApplicationUntilProxyStarts: true"'), "held")
        assert pod.spec["containers"][0]["name"] == "istio-proxy"
        wait_for("the application's word", lambda: "READY-AT-START" in pod.logs("shell"), 10)


def test_12_a_native_sidecar_serves_later_init_containers_and_lets_a_job_end(mesh):
    with mesh.injected() as ns:
        mesh.deploy(ns, server("details"))
        wait_for("the Service", lambda: mesh.pod("app=details", ns).status_of(f"http://details.{ns}:9080/health") == "200")
        ask = f"wget -q -O - http://details.{ns}:9080/details/0 && wget -q -O - http://127.0.0.1:15021/healthz/ready && echo ASKED"
        mesh.apply(f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: once}}
spec:
  backoffLimit: 0
  template:
    metadata: {{labels: {{app: once}}}}
    spec:
      restartPolicy: Never
      initContainers:
      - {{name: before, image: "{TOOLS}", args: ["-c", {json.dumps(ask)}]}}
      containers:
      - {{name: job, image: "{TOOLS}", args: ["-c", {json.dumps(ask)}]}}
""", ns)
        mesh.kubectl("wait", "-n", ns, "job/once", "--for=condition=Complete", "--timeout=40s")
        pod = mesh.pods("app=once", ns)[0]
        assert [c["name"] for c in pod.spec["initContainers"]] == ["istio-init", "istio-proxy", "before"]
        assert pod.containers()["istio-proxy"]["restartPolicy"] == "Always"
        assert "ASKED" in pod.logs("before") and "ASKED" in pod.logs("job")


def test_13_the_sidecar_has_no_rights(mesh):
    with mesh.injected() as ns:
        pod = made(mesh, ns, tools_pod("plain"), "plain")
        containers = pod.containers()
        assert set(containers["istio-init"]["securityContext"]["capabilities"]["add"]) <= {"NET_ADMIN", "NET_RAW"}
        assert containers["istio-init"]["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert not containers["istio-init"]["securityContext"].get("privileged")
        status = open(f"/proc/{pod.pid('istio-proxy')}/status").read()
        assert re.search(rf"^Uid:\t{PROXY_ID}\t{PROXY_ID}\t", status, re.M) and re.search(rf"^Gid:\t{PROXY_ID}\t{PROXY_ID}\t", status, re.M)
        assert re.search(r"^CapPrm:\t0+$", status, re.M) and re.search(r"^CapEff:\t0+$", status, re.M)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
        root = [line.split() for line in open(f"/proc/{pod.pid('istio-proxy')}/mounts") if line.split()[1] == "/"]
        assert root[-1][3].split(",")[0] == "ro"
