import pytest

from harness import BOOKINFO, GATEWAY, NETWORKING, SUBSETS, WORKERS, Instance


@pytest.fixture(scope="session")
def shared_mesh():
    """One Bookinfo mesh for every test that leaves it as it found it; productpage's sidecar has four workers."""
    mesh = Instance(SUBSETS, GATEWAY)
    manifest = mesh.state / "bookinfo.yaml"
    manifest.write_text(BOOKINFO.read_text().replace(
        '        prometheus.io/path: "/metrics"', '        prometheus.io/path: "/metrics"\n        proxy.istio.io/config: "concurrency: 4"'))
    mesh.files = (BOOKINFO if WORKERS else manifest, SUBSETS, GATEWAY)
    try:
        mesh.up()
        mesh.wait_ready()
        yield mesh
    finally:
        mesh.destroy()


@pytest.fixture
def mesh(shared_mesh):
    """The shared mesh; rules and scales that a test made are undone after it."""
    yield shared_mesh
    for rule in shared_mesh.objects("virtualservices"):
        if rule["metadata"]["name"] != "bookinfo":
            shared_mesh.weft("delete", "virtualservice", rule["metadata"]["name"])
    shared_mesh.apply(SUBSETS)
    for deployment in shared_mesh.objects("deployments"):
        if deployment["spec"]["replicas"] != 1:
            shared_mesh.weft("scale", "deployment", deployment["metadata"]["name"], "--replicas=1")
    shared_mesh.wait_ready()
