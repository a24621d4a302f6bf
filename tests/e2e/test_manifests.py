"""Every manifest of the sample is one that weft takes, and the ways in that are alternatives open the same page."""
import re

import pytest

from harness import BOOKINFO, NETWORKING, SAMPLE, SUBSETS, instance, wait_for

FILES = sorted(f for folder in ("networking", "platform/kube", "gateway-api") for f in (SAMPLE / folder).glob("*.yaml")
               if f.name != "kustomization.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_manifest_is_accepted(mesh, file):
    said = mesh.weft("apply", "--dry-run", "-f", file)
    objects = len(re.findall(r"^kind: ", file.read_text(), re.MULTILINE))
    assert len(re.findall(r"(created|configured|unchanged) \(dry run\)", said.stdout)) == objects, said.stdout + said.stderr


def test_the_readme_lists_each_manifest_that_is_left_out_and_none_that_is_there():
    readme = (SAMPLE / "README.md").read_text()
    listed = re.search(r"## Not here yet\n(.*?)\n## ", readme, re.DOTALL).group(1)
    names = re.findall(r"`([\w-]+\.yaml)`", listed)
    there = {f"{f.parent.name}/{f.name}" for f in FILES}
    assert names and not any(f"{folder}/{n}" in there for n in names for folder in ("networking", "kube")), names
    for name in ("virtual-service-ratings-test-delay.yaml", "virtual-service-ratings-test-abort.yaml",
                 "fault-injection-details-v1.yaml", "destination-rule-all-mtls.yaml", "egress-rule-google-apis.yaml"):
        assert (name in names) != (NETWORKING / name).exists(), f"{name} must be there or in the README's list"


def test_todays_ingress_opens_the_page():
    with instance(BOOKINFO, BOOKINFO.with_name("bookinfo-ingress.yaml")) as mesh:
        wait_for("the page through the Ingress", lambda: mesh.get().status == 200)
        assert mesh.get("/static/bookinfo.css").status == 200 and mesh.get("/api/v1/products/0").status == 200
        assert mesh.get("/metrics").status == 404 and mesh.get("/productpage/x").status == 404


def test_pods_held_to_the_restricted_level_run_as_somebody_who_is_not_root():
    with instance(BOOKINFO.with_name("bookinfo-psa.yaml"), SUBSETS, NETWORKING / "bookinfo-gateway.yaml") as mesh:
        assert mesh.get().status == 200
        for pod in mesh.pods():
            status = open(f"/proc/{mesh.application_pid(pod['metadata']['name'])}/status").read()
            assert re.search(r"^Uid:\s+1000\s", status, re.MULTILINE), status


def test_the_acme_gateway_opens_one_path_and_leaves_the_others_alone(mesh):
    path = "/.well-known/acme-challenge/token"
    assert mesh.get(path).status == 404
    mesh.apply(NETWORKING / "certmanager-gateway.yaml")
    try:
        assert mesh.get(path).status == 503 and mesh.get().status == 200 and mesh.get("/.well-known/other").status == 404
    finally:
        mesh.weft("delete", "-f", NETWORKING / "certmanager-gateway.yaml")
    assert mesh.get(path).status == 404


def test_59_the_flooding_image_asks_reviews_a_hundred_and_one_times(tmp_path):
    manifest = tmp_path / "bookinfo.yaml"
    manifest.write_text(BOOKINFO.read_text().replace("examples-bookinfo-productpage-v1:", "examples-bookinfo-productpage-v-flooding:"))
    with instance(manifest, SUBSETS, NETWORKING / "bookinfo-gateway.yaml", NETWORKING / "virtual-service-reviews-v3.yaml") as mesh:
        page = mesh.get()
        assert page.status == 200 and "<dt>Calls of reviews for nothing</dt><dd>100</dd>" in page.text
        pod = mesh.pod_name("reviews", "v3")
        wait_for("101 calls of reviews", lambda: mesh.log(pod, "reviews").count('"/reviews/0"') == 101)
        assert mesh.log(mesh.pod_name("details"), "details").count('"/details/0"') == 1


def test_details_and_its_versions_can_be_built_up_service_by_service():
    kube = BOOKINFO.parent
    with instance(kube / "bookinfo-details.yaml", kube / "bookinfo-versions.yaml") as mesh:
        pod = mesh.pod_name("details")
        assert mesh.pods("details")[0]["spec"].get("serviceAccountName", "default") == "default"
        addresses = {s["metadata"]["name"]: s["spec"]["clusterIP"] for s in mesh.objects("services")}
        assert {"details", "details-v1", "reviews-v1", "reviews-v2", "reviews-v3", "ratings-v1", "productpage-v1"} <= set(addresses)
        assert mesh.log(pod, "details")
