"""Statements 26 to 29: which pods the webhooks see, and how the webhooks are kept."""
import json

import pytest

from harness import SYSTEM, server, tools_pod, wait_for, weft

MUTATING, VALIDATING = "mutatingwebhookconfiguration", "validatingwebhookconfiguration"
BAD_RULE = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bad}
spec:
  hosts: [details]
  http:
  - route:
    - destination: {host: details}
      weight: -5
"""


@pytest.mark.parametrize("namespace, label, injected", [
    ({"istio_injection": "enabled"}, None, True), ({"istio_injection": "enabled"}, "false", False),
    ({"istio_injection": "disabled"}, "true", False), ({}, None, False), ({}, "true", True), ({}, "false", False)])
def test_26_the_webhook_sees_exactly_the_pods_that_it_should(mesh, namespace, label, injected):
    with mesh.namespace(**namespace) as ns:
        labels = f', sidecar.istio.io/inject: "{label}"' if label else ""
        mesh.apply(tools_pod("one", labels=labels), ns)
        pod = mesh.pods("app=one", ns)[0]
        assert pod.is_injected() == injected
        assert [c["name"] for c in pod.spec["containers"] + pod.spec.get("initContainers", [])].count("istio-proxy") == int(injected)


def bundles(mesh, kind, name):
    return [w["clientConfig"].get("caBundle", "") for w in mesh.object(kind, name)["webhooks"]]


@pytest.mark.parametrize("kind, name", [(MUTATING, "weft-sidecar-injector"), (VALIDATING, "weft-validator")])
def test_27_an_emptied_authority_is_put_back_within_a_minute(mesh, kind, name):
    before = bundles(mesh, kind, name)
    assert before and all(before)
    mesh.kubectl("patch", kind, name, "--type=json", "-p",
                 json.dumps([{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": ""}]))
    wait_for("the authority", lambda: bundles(mesh, kind, name) == before, 60)


def test_27_another_webhook_is_not_touched(mesh):
    mesh.apply("""
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: of-somebody-else}
webhooks:
- name: hook.example.org
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {service: {name: nobody, namespace: default}}
  rules: [{apiGroups: [example.org], apiVersions: [v1], operations: [CREATE], resources: [things]}]
""")
    try:
        with mesh.injected() as ns:  # the controllers have seen events in the meantime
            mesh.apply(tools_pod("one"), ns)
            mesh.pod("app=one", ns)
        assert bundles(mesh, MUTATING, "of-somebody-else") == [""]
    finally:
        mesh.kubectl("delete", MUTATING, "of-somebody-else")


def test_28_without_the_control_plane_only_injected_namespaces_refuse_pods_and_running_pods_serve(mesh):
    with mesh.injected() as ns, mesh.namespace() as other:
        mesh.deploy(ns, server("details"))
        mesh.apply(tools_pod("client"), ns)
        client = mesh.pod("app=client", ns)
        ask = lambda: client.status_of(f"http://details.{ns}:9080/details/0")
        wait_for("the Service", lambda: ask() == "200")
        mesh.kubectl("scale", "-n", SYSTEM, "deployment/weft-control", "--replicas=0")
        try:
            wait_for("the control plane to end", lambda: not mesh.pods("app=weft-control", SYSTEM, ending=True), 60)
            refused = mesh.apply(tools_pod("late"), ns, check=False)
            assert refused.returncode != 0 and "sidecar-injector.istio.io" in refused.stderr
            mesh.apply(tools_pod("late"), other)
            mesh.pod("app=late", other)
            assert [ask() for _ in range(20)] == ["200"] * 20
        finally:
            mesh.kubectl("scale", "-n", SYSTEM, "deployment/weft-control", "--replicas=1")
            mesh.wait_available(SYSTEM)
        wait_for("pods to be injected again", lambda: mesh.apply(tools_pod("later"), ns, check=False).returncode == 0)
        assert mesh.pods("app=later", ns)[0].is_injected()


def test_29_the_validating_webhook_fails_closed_once_it_works_and_names_the_field(mesh):
    policies = lambda: {w["name"]: w["failurePolicy"] for w in mesh.object(VALIDATING, "weft-validator")["webhooks"]}
    wait_for("failurePolicy Fail", lambda: policies()["validation.istio.io"] == "Fail", 30)
    assert policies()["not-done.validation.istio.io"] == "Ignore", "what only warns stops nobody"
    with mesh.namespace() as ns:
        done = mesh.apply(BAD_RULE, ns, check=False)
        assert done.returncode != 0 and "weight" in done.stderr and "-5" in done.stderr, done.stderr
        mesh.apply(BAD_RULE.replace("-5", "5"), ns)


WAITING_RULE = BAD_RULE.replace("-5", "5").replace("name: bad", "name: waits").replace("[details]", "[detials]").replace("host: details", "host: detials")


def test_29_a_rule_that_waits_is_stored_with_a_warning_and_its_status_and_the_check_say_the_same(mesh):
    why = "waits for host detials.{}.svc.cluster.local: there is no such service; did you mean details?"
    with mesh.namespace() as ns:
        mesh.apply(server("details"), ns)
        dry = lambda: mesh.kubectl("create", "-n", ns, "--dry-run=server", "-f", "-", input=WAITING_RULE).stderr
        wait_for("the Service to be known", lambda: "did you mean details?" in dry(), 30, 0.2)
        done = mesh.apply(WAITING_RULE, ns)
        assert f"Warning: spec.hosts[0]: {why.format(ns)}" in done.stderr, done.stderr
        wait_for("the status", lambda: why.format(ns) in json.dumps(mesh.object("virtualservice", "waits", ns).get("status")), 30)
        assert f"virtualservice {ns}/waits: {why.format(ns)}" in weft("check", check=False).stdout


def test_29_it_is_installed_with_ignore(mesh):
    stream = weft("install").stdout
    configuration = [d for d in stream.split("\n---") if "kind: ValidatingWebhookConfiguration" in d]
    assert len(configuration) == 1
    assert "failurePolicy: Ignore" in configuration[0] and "failurePolicy: Fail" not in configuration[0]
