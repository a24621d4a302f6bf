"""The walk-through, word for word, on a cluster: once with the manifest of 2017, once with today's.

Every command and its output goes to build/walkthrough/walkthrough.md, the pages' pictures beside it; UPDATE_DOCS=1 makes
them docs/walkthrough.md and docs/images/walkthrough.png. The tests are steps of one story and run in this order."""
import os
import re
import shutil

import pytest
from playwright.sync_api import sync_playwright

from harness import BUILD, ROOT, SAMPLE, VERSION, Cluster, wait_for
from transcript import Shell, Transcript

OUT = BUILD.parent / "walkthrough"
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync"]
# The lines of the walk-through of 2017; nothing in them is ours but the program's name.
GATEWAY_URL = ("export GATEWAY_URL=$(kubectl get po -n istio-system -l istio=ingress -o 'jsonpath={.items[0].status.hostIP}'):"
               "$(kubectl get svc istio-ingress -n istio-system -o 'jsonpath={.spec.ports[0].nodePort}')")
TODAYS_GATEWAY_URL = ("export GATEWAY_URL=$(kubectl get po -n weft-system -l istio=ingressgateway -o "
                      "'jsonpath={.items[0].status.hostIP}'):$(kubectl get svc istio-ingressgateway -n weft-system -o "
                      "'jsonpath={.spec.ports[?(@.port==80)].nodePort}')")


def everything(cluster):
    """The name of each object of each kind."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "-o", "name").stdout.split()
    kinds = [k for k in kinds if not re.match(r"(events|pods|endpointslices|leases|replicasets|componentstatuses|endpoints)\b", k)]
    listed = cluster.kubectl("get", ",".join(kinds), "-A", "-o",
                             "custom-columns=K:.kind,NS:.metadata.namespace,N:.metadata.name", "--no-headers").stdout
    return {" ".join(line.split()) for line in listed.splitlines() if not line.startswith(("Event ", "Warning"))}


@pytest.fixture(scope="module")
def story():
    cluster = Cluster()
    before = everything(cluster)
    shell = Shell(SAMPLE / "platform/kube")
    transcript = Transcript(shell, OUT / "walkthrough.md")
    transcript.text("# The walk-through on Kubernetes\n\nThis page is the transcript that `make e2e-kubernetes UPDATE_DOCS=1` wrote: "
                    f"weft {VERSION} on Kubernetes {version_of_cluster(cluster)}, one node, nothing but these commands.\n"
                    "They are typed in `samples/bookinfo/platform/kube`, with `weft` in `PATH` and its image in the cluster.")
    transcript.cluster, transcript.before = cluster, before
    yield transcript
    shell.close()


def version_of_cluster(cluster):
    return re.search(r"Server Version: (\S+)", cluster.kubectl("version").stdout).group(1)


def address(transcript):
    output, _ = transcript.shell.type("echo $GATEWAY_URL")
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+:\d+", output.strip()), output
    return f"http://{output.strip()}/productpage"


def see(url, picture):
    """The page in a browser: what a reader sees, with nothing loaded from elsewhere and nothing that failed to load."""
    OUT.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            bad = []
            page.on("requestfailed", lambda r: bad.append(r.url))
            page.on("pageerror", lambda e: bad.append(str(e)))
            page.goto(url)
            assert page.title() == "Simple Bookstore App"
            for text in ("The Comedy of Errors", "Book Details", "Book Reviews", "PublisherA", "Reviewer1", "Reviewer2"):
                assert page.get_by_text(text).first.is_visible(), text
            page.screenshot(path=OUT / picture, full_page=True)
            assert not bad, bad
        finally:
            browser.close()


def check_pods(transcript, output, names):
    rows = [line.split() for line in output.splitlines()[1:]]
    assert sorted(re.sub(r"-[a-z0-9]+-[a-z0-9]+$", "", row[0]) for row in rows) == names, output
    assert all(row[1] == "2/2" and row[2] == "Running" for row in rows), output


PODS = ["details-v1", "productpage-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3"]


def test_install(story):
    story.text("## Install")
    story.type("weft install --profile walkthrough | kubectl apply -f -")
    story.type("kubectl rollout status -n weft-system deployment/weft-control")
    story.type("kubectl rollout status -n istio-system deployment/istio-ingress")
    story.type("kubectl rollout status -n weft-system deployment/istio-ingressgateway")
    output = story.type("weft check")
    assert "FAIL" not in output


def test_the_manifest_of_2017(story):
    story.text("## Bookinfo, the manifest of 2017\n\nIts Deployments and its Ingress are in API versions that Kubernetes has removed; "
               "`weft kube-inject` writes them in today's and says so.")
    story.type("kubectl apply -f <(weft kube-inject -f bookinfo-2017.yaml)")
    services = story.type("kubectl get svc")
    assert {line.split()[0] for line in services.splitlines()[1:]} == {"details", "kubernetes", "productpage", "ratings", "reviews"}
    story.type("kubectl wait deployment --all --for=condition=Available --timeout=90s")
    wait_for("no pod but these", lambda: len(story.cluster.pods(ending=True)) == 6, 60)
    check_pods(story, story.type("kubectl get pod"), PODS)
    wait_for("an address of the ingress", lambda: story.cluster.object("ingress", "gateway")["status"]["loadBalancer"].get("ingress"))
    ingress = story.type("kubectl get ingress -o wide")
    assert re.search(r"^gateway\s+(istio|<none>)\s+\*\s+\d+\.\d+\.\d+\.\d+\s+80", ingress, re.M), ingress


def test_the_page_of_2017_in_a_browser(story):
    story.type(GATEWAY_URL)
    assert story.type("curl -s -o /dev/null -w '%{http_code}\\n' http://${GATEWAY_URL}/productpage") == "200\n"
    see(address(story), "walkthrough.png")
    story.text("`http://$GATEWAY_URL/productpage` in a browser:\n\n![The product page](images/walkthrough.png)")


def test_describe_pod_shows_the_sidecar(story):
    story.text("## The sidecar in a pod")
    output = story.type("kubectl describe pod -l app=details")
    assert "istio-proxy:" in output and f"weft.dev/weft:{VERSION}" in output and "istio-init:" in output
    assert re.search(r"Ready\s+True", output)


def test_taken_out_again(story):
    story.type("kubectl delete -f <(weft kube-inject -f bookinfo-2017.yaml 2>/dev/null)")
    wait_for("the pods to end", lambda: not story.cluster.pods(ending=True), 60, 0.3)


def test_todays_manifest(story):
    story.text("## Bookinfo, today's manifest\n\nThe same commands; the way in is a Gateway and a VirtualService.")
    story.type("kubectl apply -f <(weft kube-inject -f bookinfo.yaml)")
    story.type("kubectl apply -f ../../networking/bookinfo-gateway.yaml")
    story.type("kubectl wait deployment --all --for=condition=Available --timeout=90s")
    wait_for("no pod but these", lambda: len(story.cluster.pods(ending=True)) == 6, 60)
    check_pods(story, story.type("kubectl get pod"), PODS)
    story.type("kubectl get svc")
    story.type(TODAYS_GATEWAY_URL)
    assert story.type("curl -s -o /dev/null -w '%{http_code}\\n' http://${GATEWAY_URL}/productpage") == "200\n"
    see(address(story), "walkthrough-today.png")
    story.type("kubectl delete -f bookinfo.yaml -f ../../networking/bookinfo-gateway.yaml")
    wait_for("the pods to end", lambda: not story.cluster.pods(ending=True), 60, 0.3)


def is_gone(story):
    left = everything(story.cluster) - story.before
    assert not left, f"left behind: {sorted(left)}"
    return True


def test_uninstall_leaves_nothing(story):
    story.text("## Uninstall")
    story.type("weft uninstall")
    wait_for("everything that weft made to be gone", lambda: is_gone(story), 60, 1)
    output = story.type("kubectl get all,configmap,secret,crd,clusterrole,clusterrolebinding,mutatingwebhookconfiguration,"
                        "validatingwebhookconfiguration -A -l app.kubernetes.io/part-of=weft")
    assert output.strip() == "No resources found"


def test_the_transcript_is_whole(story):
    """The page that readers get is the one that this run wrote."""
    text = (OUT / "walkthrough.md").read_text()
    assert text.count("```console") >= 18 and "weft uninstall" in text and (OUT / "walkthrough.png").stat().st_size > 20_000
    if os.environ.get("UPDATE_DOCS"):
        shutil.copy(OUT / "walkthrough.md", ROOT / "docs/walkthrough.md")
        shutil.copy(OUT / "walkthrough.png", ROOT / "docs/images/walkthrough.png")
    page = (ROOT / "docs/walkthrough.md").read_text()
    commands = [line for line in text.splitlines() if line.startswith("$ ")]
    assert commands == [line for line in page.splitlines() if line.startswith("$ ")], "docs/walkthrough.md is of another walk-through"
