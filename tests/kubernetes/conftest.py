import pytest

from harness import BOOKINFO, NETWORKING, SYSTEM, Cluster


@pytest.fixture(scope="session")
def cluster():
    return Cluster()


@pytest.fixture(scope="session")
def mesh(cluster):
    """The cluster with weft installed; taken out again at the end, so that each file starts from the same cluster."""
    cluster.install("demo")
    yield cluster
    cluster.uninstall()


@pytest.fixture(scope="session")
def shop(mesh):
    """Bookinfo with sidecars, its ingress at the gateway's node port: a namespace's name and the page's address."""
    with mesh.injected() as ns:
        mesh.deploy(ns, BOOKINFO, NETWORKING / "destination-rule-all.yaml", NETWORKING / "bookinfo-gateway.yaml")
        yield ns, f"http://{mesh.node_address('istio-ingressgateway', SYSTEM)}/productpage"
