"""Bookinfo's kustomizations and the profiles of `weft install`: a real API server accepts what each renders."""
import re
import sys

import pytest
import yaml

from harness import ROOT, SAMPLE, weft

sys.path.append(str(ROOT / "tests/e2e"))
import kustomize

FOLDERS = [SAMPLE / "platform/kube", SAMPLE / "networking", SAMPLE / "gateway-api", *sorted((SAMPLE / "overlays").iterdir())]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_kustomization_renders_to_objects_that_the_server_accepts(mesh, folder):
    rendered = mesh.kubectl("kustomize", folder).stdout
    kinds = re.findall(r"^kind: (\w+)$", rendered, re.MULTILINE)
    assert kinds
    documents = rendered.split("\n---\n")
    if folder.name == "namespace":  # what a dry run has not made cannot hold the rest
        assert kinds.count("Namespace") == 1
        documents = [re.sub(r"^  namespace: bookinfo$", "  namespace: default", d, flags=re.MULTILINE) for d in documents]
    accepted = mesh.kubectl("apply", "--dry-run=server", "-f", "-", input="\n---\n".join(documents)).stdout
    assert accepted.count("server dry run") == len(documents), accepted


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_kubectl_renders_what_the_tests_without_a_cluster_render(mesh, folder):
    def by_name(one):
        return one["kind"], one["metadata"]["name"]
    real = yaml.safe_load_all(mesh.kubectl("kustomize", folder).stdout)
    assert sorted(real, key=by_name) == sorted(kustomize.render(folder), key=by_name)


@pytest.mark.parametrize("profile", ["minimal", "default"])
def test_the_stream_of_a_profile_is_accepted_whole(mesh, profile):
    """The walk-through and the other suites install the other two."""
    stream = weft("install", "--profile", profile).stdout
    said = mesh.kubectl("apply", "--dry-run=server", "-f", "-", input=stream).stdout
    assert said.count("(server dry run)") == stream.count("\nkind: ") + stream.startswith("kind: ")
