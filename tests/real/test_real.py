"""Real servers and clients, once without and once with sidecars: what a client sees is the same.

Speed is measured beside and shown as a ratio; on a machine that others use too it decides nothing.
"""
import difflib

import pytest

from lab import CLIENT, MESHED, PLAIN, SIDES
from software import CLIENTS, SERVERS

PATIENCE = 120
MORE_LOOKS = 10
RESET = "Connection reset by peer"


def both(lab, line, pod=CLIENT):
    return {side: lab.run(side, line, PATIENCE, pod) for side in SIDES}


def likened(lab, line, pod, plain, meshed):
    """The output without sidecars. Where the server resets the connection it is a matter of chance whether its last response arrives: a
    line that says so is replaced by what is seen with sidecars, if the server does that without them too."""
    lines, wanted = plain.output.splitlines(keepends=True), meshed.output.splitlines(keepends=True)
    for _ in range(MORE_LOOKS):
        if lines == wanted or len(lines) != len(wanted) or not any(RESET in one for one in lines):
            break
        again = lab.run(PLAIN, line, PATIENCE, pod).output.splitlines(keepends=True)
        if len(again) == len(lines):
            lines = [want if RESET in one and other == want else one for one, other, want in zip(lines, again, wanted)]
    return lines


def compare(lab, line, server, pod=CLIENT):
    """The line on both sides: it succeeds, and prints the same."""
    done = both(lab, line, pod)
    plain, meshed = done[PLAIN], done[MESHED]
    lines = [likened(lab, line, pod, plain, meshed), meshed.output.splitlines(keepends=True)]
    if plain.code != meshed.code or lines[0] != lines[1] or plain.code != 0 or not plain.output:
        difference = [line[:400] for line in difflib.unified_diff(*lines, "without", "with", lineterm="", n=0)]
        logs = [lab.log(side, server, container) for side, container in [(PLAIN, None), (MESHED, None), (MESHED, "istio-proxy")]]
        pytest.fail("\n".join([*difference[:60], f"without: exit {plain.code} {plain.errors[-2000:]}",
                               f"with: exit {meshed.code} {meshed.errors[-2000:]}", *logs]), pytrace=False)


def measure(lab, name, what, record):
    if not what.load:
        return
    done = both(lab, what.load)
    for side, each in done.items():
        assert each.code == 0, f"{side}: {each}"
    speeds = [what.count / done[side].seconds for side in SIDES]
    record(name, what.unit, *speeds, speeds[1] / speeds[0])


@pytest.mark.parametrize("name", [each.name for each in SERVERS])
def test_a_server_is_seen_as_without_sidecars(lab, served, record, name):
    software = served(name)
    compare(lab, software.client, name)
    measure(lab, name, software, record)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_client_sees_what_it_sees_without_sidecars(lab, served, record, client):
    for each in client.servers:
        served(each)
    compare(lab, client.line, client.servers[0])
    measure(lab, client.name, client, record)


def test_a_pod_reaches_itself_by_every_name(lab, served):
    served("nginx")
    served("tcp")
    compare(lab, """address=$(getent ahostsv4 nginx-pods | cut -d ' ' -f 1 | head -1)
        for host in nginx nginx-pods nginx.$NAMESPACE.svc.cluster.local localhost 127.0.0.1 $address
        do curl -sS --max-time 20 -w '%{http_code}\\n' http://$host/small.txt; done""", "nginx", pod="nginx")
    for host in ("tcp", "localhost"):
        compare(lab, f"/usr/bin/python3 $HERE/clients/tcp.py {host}", "tcp", pod="tcp")
