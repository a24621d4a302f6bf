import pytest

from pod import Pod


@pytest.fixture
def make_pod():
    """Makes pods that end with the test."""
    made = []

    def make(**families):
        made.append(Pod(**families))
        return made[-1]

    yield make
    for pod in made:
        pod.remove()


@pytest.fixture
def pod(make_pod):
    return make_pod()
