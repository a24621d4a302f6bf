"""What works for a second works for an hour: Bookinfo at full speed under changing rules, with everything watched.

`make test` runs 60 s of it, `make soak MINUTES=60` an hour. Rates are counted per second of a core that others left free,
at the speed that this core had meanwhile, so that a machine that does something else beside does not decide. A slowdown
of ours stays, a disturbance passes: a last slice that was slow is looked at again. The rows are written to soak-*.json in the build.
"""
import contextlib
import json
import os
import pathlib
import shlex
import time

import pytest

from harness import BOOKINFO, BUILD, GATEWAY, NETWORKING, SUBSETS, instance, wait_for
from load import Pages, changing_rules, closing_clients, websockets
from watch import Free, Speed, Watch, describe, family, most, total

SECONDS = float(os.environ.get("SOAK_MINUTES", "1")) * 60
SLICE = 10
LOOKS_AGAIN = 4
ECHO = """
apiVersion: v1
kind: Service
metadata: {name: echo}
spec:
  ports: [{port: 9081, name: http}]
  selector: {app: echo}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo}
spec:
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers: [{name: echo, image: example/echo:1, ports: [{containerPort: 9081}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: echo}
spec:
  hosts: [soak.example]
  gateways: [bookinfo-gateway]
  http:
  - match: [{uri: {prefix: /echo}}]
    route: [{destination: {host: echo, port: {number: 9081}}}]
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    echo = tmp_path_factory.mktemp("soak") / "echo.yaml"
    echo.write_text(ECHO)
    server = shlex.join(["/usr/bin/python3", str(pathlib.Path(__file__).with_name("websocket_echo.py")), "9081"])
    with instance(BOOKINFO, SUBSETS, GATEWAY, NETWORKING / "virtual-service-reviews-v3.yaml", echo,
                  up_options=["--image", f"example/echo={server}"]) as mesh:
        mesh.wait_ready(count=7)
        yield mesh


def one_slice(mesh, watch, loads, rules, echoes):
    """Ten seconds of pages, and what was seen of the mesh meanwhile."""
    pages = Pages(mesh.port, SLICE)
    speed = Speed()
    free = Free(lambda: watch.pids() + [pid for load in [pages.process, *loads] for pid in family(load.pid)] + [os.getpid()])
    number, a_second, p99, faults = pages.result()
    row = watch.look(pages=a_second, rate=number / (free.seconds() * speed.stop()), p99=p99, faults=faults, rules=rules.count,
                     echoes=echoes.echoes)
    print(describe(row), *faults, flush=True)
    return row


def soak(mesh, with_closing_clients):
    watch = Watch(mesh)
    Pages(mesh.port, 2).result()
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        closing = stack.enter_context(closing_clients(mesh, mesh.pod_name("productpage"), {
            "details": "/details/0", "ratings": "/ratings/0"})) if with_closing_clients else []
        rules = stack.enter_context(changing_rules(mesh))
        echoes = stack.enter_context(websockets(mesh.port, "/echo"))
        before = watch.look(pages=0, rate=0, p99=0, faults=[], rules=0, echoes=0)
        while time.monotonic() - began < SECONDS / 2:
            one_slice(mesh, watch, closing, rules, echoes)
        for _ in range(LOOKS_AGAIN):
            if as_fast(watch.rows[1], watch.rows[-1]):
                break
            one_slice(mesh, watch, closing, rules, echoes)
        assert all(load.poll() is None for load in closing), "a client in the pod has ended"
    name = "closing" if with_closing_clients else "kept"
    (BUILD / f"soak-{name}.json").write_text(json.dumps(watch.rows, indent=1))
    assert echoes.faults == [], echoes.faults
    return before, watch.rows[1:], watch


def as_fast(first, last):
    return last["rate"] >= 0.9 * first["rate"] and last["p99"] <= 4 * first["p99"] + 100


def check(before, rows, watch):
    first, last = rows[0], rows[-1]
    assert [row["faults"] for row in rows if row["faults"]] == []
    assert total(last, "syn_retransmitted") == total(before, "syn_retransmitted"), describe(last)
    assert as_fast(first, last), f"{describe(first)}\n{describe(last)}"
    assert first["processes"].keys() == last["processes"].keys(), "a process was started anew"
    for role, growth_kb in [("proxy", 12_000), ("service", 8_000), ("control", 20_000)]:
        grown = most(last, role, "resident_kb") - most(first, role, "resident_kb")
        assert grown <= growth_kb, f"{role} has grown by {grown} kB\n{describe(first)}\n{describe(last)}"
    assert last["rules"] > len(rows) and last["echoes"] > len(rows)

    def quiet():
        now = watch.look(pages=0, rate=0, p99=0, faults=[], rules=0, echoes=0)
        return all(most(now, role, "descriptors") <= most(first, role, "descriptors") + 16
                   for role in ["proxy", "service", "control"])
    wait_for("descriptors as before", quiet, 30)


def test_pages_at_full_speed_go_on_as_they_began(shop):
    check(*soak(shop, with_closing_clients=False))


def test_clients_that_throw_their_connections_away_do_not_slow_down_the_pod(shop):
    check(*soak(shop, with_closing_clients=True))
