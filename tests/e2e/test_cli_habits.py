"""What fingers of kubectl and istioctl type, on a mesh that runs."""
import contextlib
import datetime
import os
import signal
import subprocess
import time

import pytest

from harness import BOOKINFO, NETWORKING, SAMPLE, SLOW, WEFT, instance


@pytest.fixture(scope="module")
def shop():
    with instance(BOOKINFO) as made:
        made.wait_ready()
        yield made


@contextlib.contextmanager
def stopped_control_plane(mesh):
    [pid] = [pid for pid, line in mesh.processes().items() if " control " in line + " "]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("command, words", [
    ("get", ["pods"]), ("describe", ["service", "reviews"]), ("apply", ["-f", str(NETWORKING / "destination-rule-all.yaml")]),
    ("delete", ["service", "none"]), ("scale", ["deploy/details-v1", "--replicas=1"]), ("logs", ["deploy/details-v1"])])
def test_nothing_waits_for_ever_on_a_control_plane_that_does_not_answer(shop, command, words):
    with stopped_control_plane(shop):
        began = time.monotonic()
        done = shop.weft(command, *words, "--request-timeout", "1s", check=False)
        assert done.returncode == 1 and time.monotonic() - began < 10 * SLOW
        assert "--request-timeout" in done.stderr and f'instance "{shop.name}"' in done.stderr, done.stderr
    assert "details" in shop.weft("get", "pods").stdout


def test_following_ends_when_what_it_says_cannot_be_written(shop):
    with open("/dev/full", "w") as full:
        done = subprocess.run([WEFT, "get", "pods", "-w", "--name", shop.name], env=shop.environment, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60 * SLOW)
    assert (done.returncode, done.stderr) == (1, "standard output cannot be written: No space left on device\n")


def test_proxy_config_knows_a_pod_as_proxy_status_prints_it_and_istioctls_filters(shop):
    names = [line.split()[0] for line in shop.weft("ps").stdout.splitlines()[1:]]
    assert names == sorted(names)
    [pod] = [name for name in names if name.startswith("productpage")]
    assert pod.endswith(".default")
    routes = shop.weft("pc", "routes", pod, "--name", "9080").stdout.splitlines()
    assert len(routes) > 2 and {line.split()[0] for line in routes[1:]} == {"9080"}
    clusters = shop.weft("proxy-config", "clusters", pod, "--fqdn", "reviews.default.svc.cluster.local", "--port", "9080").stdout
    assert {line.split()[0] for line in clusters.splitlines()[1:]} == {"reviews.default.svc.cluster.local"}
    assert shop.weft("ps", "deploy/productpage-v1").stdout.splitlines()[1].split()[0] == pod


def test_a_folder_of_rules_and_a_kustomization_are_applied(shop):
    done = shop.weft("apply", "-k", str(SAMPLE / "overlays/gateway"), "--dry-run=server")
    assert "gateway.networking.istio.io/bookinfo-gateway created (server dry run)" in done.stdout
    done = shop.weft("apply", "-k", str(NETWORKING))
    assert "destinationrule.networking.istio.io/reviews created" in done.stdout
    assert "simple bookstore" in shop.get("/").text
    folder = shop.state / "rules"
    folder.mkdir()
    for name in ["kustomization.yaml", "virtual-service-reviews-v3.yaml"]:
        (folder / name).write_text((NETWORKING / name).read_text())
    done = shop.weft("apply", "-f", str(folder))
    assert "virtualservice.networking.istio.io/reviews created" in done.stdout and "is passed over" in done.stderr


def test_a_dry_run_of_the_server_says_what_the_api_says_and_keeps_nothing(shop):
    rule = str(NETWORKING / "virtual-service-ratings-db.yaml")
    assert shop.weft("apply", "-n", "none", "-f", rule, "--dry-run=client").returncode == 0
    done = shop.weft("apply", "-n", "none", "-f", rule, "--dry-run=server", check=False)
    assert done.returncode == 1 and "none" in done.stderr
    assert "(server dry run)" in shop.weft("apply", "-f", rule, "--dry-run=server").stdout
    assert shop.weft("get", "virtualservice", "ratings", check=False).returncode == 1


def test_logs_since_a_moment_have_the_requests_after_it_and_no_others(shop):
    shop.apply(NETWORKING / "bookinfo-gateway.yaml")
    shop.get("/productpage?before")
    assert "?before" in shop.weft("logs", "deploy/productpage-v1", "istio-proxy").stdout
    then = datetime.datetime.now(datetime.timezone.utc)
    shop.get("/productpage?after")
    said = shop.weft("logs", "deploy/productpage-v1", "istio-proxy", f"--since-time={then.isoformat()}").stdout
    assert "?after" in said and "?before" not in said
    assert "?before" in shop.weft("logs", "deploy/productpage-v1", "istio-proxy", "--since", "1h").stdout


@pytest.mark.parametrize("words, said", [
    (["exec", "-it", "pod", "--", "sh"], 'weft has no "exec": '), (["apply", "rule.yaml"], "weft apply -f rule.yaml"),
    (["apply", "-f", "https://example.org/x.yaml"], "curl -fsSL https://example.org/x.yaml"), (["get", "events"], "weft describe")])
def test_a_habit_that_weft_does_not_share_is_answered_with_what_it_has(shop, words, said):
    done = subprocess.run([WEFT, *words], env={**shop.environment, "WEFT_INSTANCE": shop.name}, capture_output=True, text=True,
                          timeout=30 * SLOW)
    assert done.returncode in (1, 2) and said in done.stderr and not done.stdout, done.stderr
