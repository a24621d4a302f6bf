"""grpc-go's client and server at full speed with two sidecars between them."""
import subprocess

import pytest

from harness import ROOT, instance
from pods import CALLER, server

PROGRAM = ROOT / "build/interop/load"
MANIFEST = "".join(server(name, name, "load", f'serve, "10000", "{streams}"') for name, streams in (("many", 1000), ("few", 5))) + CALLER


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Runs the client in the caller's pod: what, of which server, how many, how many at once."""
    manifest = tmp_path_factory.mktemp("load") / "load.yaml"
    manifest.write_text(MANIFEST)
    with instance(manifest, up_options=[f"--image=load={PROGRAM}", "--image=idle=/bin/sleep"]) as made:
        made.wait_ready(count=3)
        pid = str(made.application_pid(made.pod_name("caller")))

        def run(what, server, count, at_once):
            done = subprocess.run(["nsenter", "-t", pid, "-m", "-n", PROGRAM, what, f"{server}:10000", str(count), str(at_once)],
                                  capture_output=True, text=True, timeout=120)
            return done.stdout + done.stderr

        yield run


@pytest.mark.parametrize("at_once", [1, 20])
@pytest.mark.parametrize("what", ["down", "up"])
def test_streams_of_many_small_messages_arrive_whole(ask, what, at_once):
    assert ask(what, "many", 200_000 // at_once, at_once) == "ok\n"


def test_a_client_that_measures_its_bandwidth_with_pings_is_no_flood(ask):
    assert ask("unary", "many", 400, 50) == "ok\n"


def test_a_burst_waits_for_a_server_that_lets_few_streams_on_a_connection(ask):
    for _ in range(3):
        assert ask("unary", "few", 3, 100) == "ok\n"
