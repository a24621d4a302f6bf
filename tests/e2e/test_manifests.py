"""Every manifest of the sample is one that weft takes, and the ways in that are alternatives open the same page."""
import re

import pytest

from harness import BOOKINFO, NETWORKING, SAMPLE, SUBSETS, instance, wait_for

FILES = sorted(f for folder in ("networking", "platform/kube", "gateway-api") for f in (SAMPLE / folder).glob("*.yaml")
               if f.name != "kustomization.yaml")
# Every manifest of Istio's sample, by folder: those of today, and of release 0.2.9, which here end in -2017.
NAMES = {
    "platform/kube": """bookinfo bookinfo-psa bookinfo-dualstack bookinfo-versions bookinfo-details
        bookinfo-details-dualstack bookinfo-details-v2 bookinfo-ratings bookinfo-ratings-dualstack
        bookinfo-ratings-discovery bookinfo-ratings-discovery-dualstack bookinfo-ratings-v2 bookinfo-ratings-v2-mysql
        bookinfo-ratings-v2-mysql-vm bookinfo-reviews-v2 bookinfo-db bookinfo-mysql bookinfo-ingress
        productpage-nodeport bookinfo-certificate
        bookinfo-2017 bookinfo-ingress-2017 bookinfo-add-serviceaccount-2017 bookinfo-db-2017 bookinfo-mysql-2017
        bookinfo-ratings-v2-2017 bookinfo-ratings-v2-mysql-2017 bookinfo-ratings-2017 bookinfo-reviews-v2-2017""",
    "networking": """bookinfo-gateway destination-rule-all destination-rule-all-mtls destination-rule-reviews
        virtual-service-all-v1 virtual-service-reviews-v3 virtual-service-reviews-50-v3 virtual-service-reviews-80-20
        virtual-service-reviews-90-10 virtual-service-reviews-v2-v3 virtual-service-reviews-test-v2
        virtual-service-reviews-jason-v2-v3 virtual-service-ratings-test-delay virtual-service-ratings-test-abort
        virtual-service-ratings-db virtual-service-ratings-mysql virtual-service-ratings-mysql-vm
        virtual-service-details-v2 fault-injection-details-v1 egress-rule-google-apis certmanager-gateway""",
    "policy": "productpage_envoy_ratelimit",
    "gateway-api": """bookinfo-gateway route-all-v1 route-reviews-v1 route-reviews-v3 route-reviews-50-v3
        route-reviews-90-10""",
    ".": "demo-profile-no-gateways",
}
# Ours alone: a database that needs no server.
EXTRA = {"platform/kube/bookinfo-ratings-v2-sqlite.yaml", "networking/virtual-service-ratings-sqlite.yaml"}
EXPECTED = [f"{folder}/{name}.yaml" for folder, names in NAMES.items() for name in names.split()]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_manifest_is_accepted(mesh, file):
    said = mesh.weft("apply", "--dry-run", "-f", file)
    objects = len(re.findall(r"^kind: ", file.read_text(), re.MULTILINE))
    assert len(re.findall(r"(created|configured|unchanged) \(dry run\)", said.stdout)) == objects, said.stdout + said.stderr


def listed_as_absent():
    readme = (SAMPLE / "README.md").read_text()
    return set(re.findall(r"`([\w-]+\.yaml)`", re.search(r"## Not here yet\n(.*?)\n## ", readme, re.DOTALL).group(1)))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_manifest_of_the_original_is_there_or_listed_as_absent(name):
    is_listed = name.rsplit("/", 1)[1] in listed_as_absent()
    # bookinfo-gateway.yaml is the name of two files; neither is absent.
    assert (SAMPLE / name).exists() != is_listed, f"{name} must be either in the sample or in the README's list"


def test_the_sample_and_the_readme_name_no_manifests_besides_the_originals_and_sqlite():
    there = {str(f.relative_to(SAMPLE)) for f in FILES}
    assert there - set(EXPECTED) == EXTRA
    assert listed_as_absent() <= {name.rsplit("/", 1)[1] for name in EXPECTED} | {"destination-policy-reviews.yaml"}


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


def test_details_and_its_versions_can_be_built_up_service_by_service():
    kube = BOOKINFO.parent
    with instance(kube / "bookinfo-details.yaml", kube / "bookinfo-versions.yaml") as mesh:
        pod = mesh.pod_name("details")
        assert mesh.pods("details")[0]["spec"].get("serviceAccountName", "default") == "default"
        addresses = {s["metadata"]["name"]: s["spec"]["clusterIP"] for s in mesh.objects("services")}
        assert {"details", "details-v1", "reviews-v1", "reviews-v2", "reviews-v3", "ratings-v1", "productpage-v1"} <= set(addresses)
        assert mesh.log(pod, "details")
