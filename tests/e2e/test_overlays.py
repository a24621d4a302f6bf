"""The kustomizations of the sample, rendered and started: each overlay does what its first line says."""
import contextlib
import re

import pytest

import kustomize
from harness import NETWORKING, SAMPLE, instance, stars, wait_for

OVERLAYS = sorted((SAMPLE / "overlays").iterdir())
FOLDERS = [SAMPLE / "platform/kube", SAMPLE / "networking", SAMPLE / "gateway-api", *OVERLAYS]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@contextlib.contextmanager
def overlay(name, folder, *rules):
    """A mesh with this overlay applied."""
    manifest = folder / f"{name}.yaml"
    manifest.write_text(kustomize.text_of(kustomize.render(SAMPLE / "overlays" / name)))
    with instance(manifest, *rules) as mesh:
        wait_for("the page", lambda: mesh.get().status == 200)
        yield mesh


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_kustomization_renders_to_objects_that_weft_accepts(mesh, folder):
    objects = kustomize.render(folder)
    if any(one["kind"] == "Namespace" for one in objects):  # what a dry run has not made cannot hold the rest
        for one in objects:
            one["metadata"].pop("namespace", None)
    done = mesh.weft("apply", "--dry-run", "-f", "-", input=kustomize.text_of(objects))
    assert len(re.findall(r"\(dry run\)", done.stdout)) == len(objects) > 0, done.stdout + done.stderr


def test_59_the_flooding_overlay_asks_reviews_a_hundred_and_one_times(tmp_path):
    with overlay("flooding", tmp_path, NETWORKING / "virtual-service-reviews-v3.yaml") as mesh:
        page = mesh.get()
        assert page.status == 200 and "<dt>Calls of reviews for nothing</dt><dd>100</dd>" in page.text
        # The calls of earlier pages may still be on their way into the logs: only those with this page's id count.
        identifier = re.search(r"<dt>Request id</dt><dd>([0-9a-f-]{36})</dd>", page.text).group(1)
        def calls(app, version):
            lines = mesh.log(mesh.pod_name(app, version), app).splitlines()
            return sum(f'"/{app}/0"' in line and identifier in line for line in lines)
        wait_for("101 calls of reviews and one of details", lambda: (calls("reviews", "v3"), calls("details", "v1")) == (101, 1))


def test_54_the_compat_overlay_is_the_bookinfo_of_2017_in_all_its_services(tmp_path):
    with overlay("compat-0.2.9", tmp_path, NETWORKING / "virtual-service-reviews-v3.yaml") as mesh:
        page = mesh.get().text
        assert page.count("glyphicon-star") == 10 and '<font color="red">' in page
        login = mesh.get("/login", method="POST", body="username=jason&passwd=x", headers={**FORM, "Referer": "/productpage"})
        assert login.status == 302 and login.headers["Set-Cookie"] == "user=jason; Path=/"
        assert set(mesh.get("/api/v1/products/0/reviews").json) == {"id", "reviews"}
        for pod in mesh.pods():
            environment = open(f"/proc/{mesh.application_pid(pod['metadata']['name'])}/environ").read().split("\0")
            assert "BOOKINFO_COMPAT=0.2.9" in environment


def test_the_restricted_overlay_runs_as_somebody_who_is_not_root(tmp_path):
    with overlay("restricted", tmp_path) as mesh:
        for pod in mesh.pods():
            status = open(f"/proc/{mesh.application_pid(pod['metadata']['name'])}/status").read()
            assert re.search(r"^Uid:\s+1000\s", status, re.MULTILINE), status


def test_the_namespace_overlay_opens_the_page_from_a_namespace_of_its_own(tmp_path):
    with overlay("namespace", tmp_path) as mesh:
        assert not mesh.pods() and len(mesh.objects("pods", "-n", "bookinfo")) == 6
        assert "PublisherA" in mesh.get().text


@pytest.fixture(scope="module")
def gateway_api_mesh(tmp_path_factory):
    with overlay("gateway-api", tmp_path_factory.mktemp("gateway-api")) as mesh:
        yield mesh


@pytest.mark.parametrize("path, status", [
    ("/productpage", 200), ("/api/v1/products", 200), ("/api/v1/products/0", 200), ("/api/v1/products/0/reviews", 200),
    ("/api/v1/products/0/ratings", 200), ("/static/bookinfo.css", 200), ("/static/img/izzy.png", 200), ("/logout", 302),
    ("/login", 405), ("/", 200), ("/x", 404), ("/index.html", 404), ("/health", 404), ("/metrics", 404), ("/productpage/", 404)])
def test_67_the_gateway_of_the_gateway_api_serves_what_it_names(gateway_api_mesh, path, status):
    answer = gateway_api_mesh.get(path)
    assert answer.status == status
    # The gateway's own 404 has no body; productpage's would be a page.
    assert status != 404 or not answer.body


def test_67_a_login_goes_through_the_gateway_of_the_gateway_api(gateway_api_mesh):
    login = gateway_api_mesh.get("/login", method="POST", body="username=jason&passwd=x", headers=FORM)
    assert login.status == 302 and login.headers["Location"] == "/productpage"
    page = gateway_api_mesh.get(headers={"Cookie": login.headers["Set-Cookie"].split(";")[0]})
    assert 'class="user">jason' in page.text and "sign-in-button" not in page.text and stars(page.text) in (0, 9)
