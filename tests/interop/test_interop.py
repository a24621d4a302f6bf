"""grpc-go's interoperability client and server with two sidecars between them."""
import re
import subprocess

import pytest

from harness import ROOT, instance, wait_for
from pods import CALLER, server

PROGRAMS = ROOT / "build/interop"
# What asks a cloud who the caller is.
CLOUD = {"compute_engine_creds", "service_account_creds", "jwt_token_creds", "per_rpc_creds", "oauth2_auth_token",
         "google_default_credentials", "compute_engine_channel_credentials"}
# Asks for an id of the server, which grpc-go's server does not give: it fails without sidecars too.
OTHER_SERVER = {"pick_first_unary"}
# Part of the program, and not of its list.
UNLISTED = ["rpc_soak", "channel_soak"]
# Soak cases count failures; how fast this machine is just now is none.
SLOW_MACHINE = ["-soak_overall_timeout_seconds=100", "-soak_per_iteration_max_acceptable_latency_ms=20000"]
ORCA = '{"loadBalancingConfig": [{"test_backend_metrics_load_balancer": {}}]}'
OPTIONS = {"orca_per_rpc": [f"-service_config_json={ORCA}"], "orca_oob": [f"-service_config_json={ORCA}"],
           "rpc_soak": ["-soak_iterations=200", *SLOW_MACHINE], "channel_soak": ["-soak_iterations=20", *SLOW_MACHINE]}
MANIFEST = server("server", "interop", "interop-server", '-port, "10000"') + CALLER


def listed_cases():
    """The cases that the client says it has; none while it is not built."""
    if not (PROGRAMS / "client").exists():
        return []
    said = subprocess.run([PROGRAMS / "client", "-help"], capture_output=True, text=True).stderr
    return re.findall(r"^\s+(\w+) ?: \w", said.partition("Valid options are:")[2], re.MULTILINE)


CASES = [case for case in listed_cases() + UNLISTED if case not in CLOUD | OTHER_SERVER]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    manifest = tmp_path_factory.mktemp("interop") / "interop.yaml"
    manifest.write_text(MANIFEST)
    with instance(manifest, up_options=[f"--image=interop-server={PROGRAMS / 'server'}", "--image=idle=/bin/sleep"]) as made:
        made.wait_ready(count=2)
        yield made


@pytest.mark.parametrize("case", CASES)
def test_case(mesh, case):
    pid = str(mesh.application_pid(mesh.pod_name("caller")))
    done = subprocess.run(["nsenter", "-t", pid, "-m", "-n", PROGRAMS / "client", "-server_host=interop", "-server_port=10000",
                           f"-test_case={case}", *OPTIONS.get(case, [])], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_list_of_cases_was_read():
    assert {"empty_unary", "ping_pong", "special_status_message", "cancel_after_begin"} <= set(CASES), CASES


@pytest.mark.parametrize("app", ["caller", "server"])
def test_the_calls_went_through_the_sidecar_of(mesh, app):
    """More than one call of a case: the log has a line for each."""
    pod = mesh.pod_name(app)
    wait_for("lines of calls", lambda: mesh.log(pod).count("POST /grpc.testing.TestService/") >= len(CASES))
