"""The rules with a sidecar behind them, configured as the control plane does it: what goes through, and what must not loop."""
import contextlib
import json
import os
import select
import socket
import subprocess
import time

import pytest

from pod import BUILD, FAR, FAR6, INBOUND, INJECTED, OUTBOUND, POD, POD6, SIDECAR

PROXY = BUILD / "src/app/weft-proxy"
ADMIN = 15000
CONNECTIONS = 20
TYPES = "type.googleapis.com/envoy.extensions.filters"


def address(host, port):
    return {"socket_address": {"address": host, "port_value": port}}


def chain(name, cluster, port=None):
    filters = [{"name": "tcp", "typed_config": {"@type": f"{TYPES}.network.tcp_proxy.v3.TcpProxy", "stat_prefix": name,
                                                "cluster": cluster}}]
    return {"name": name, "filters": filters, **({"filter_chain_match": {"destination_port": port}} if port else {})}


def listener(name, port, cluster, six, **more):
    addresses = ({"address": address("::", port), "additional_addresses": [{"address": address("0.0.0.0", port)}]} if six
                 else {"address": address("0.0.0.0", port)})
    return {"name": name, **addresses, "filter_chains": [chain("blackhole", "BlackHoleCluster", port)],
            "default_filter_chain": chain("rest", cluster), **more}


def cluster(name, **more):
    return {"name": name, "connect_timeout": "5s", **more}


def to_original(name, **more):
    return cluster(name, type="ORIGINAL_DST", lb_policy="CLUSTER_PROVIDED", **more)


def source(host):
    return {"address": host, "port_value": 0}


def bootstrap(six):
    """What the control plane says to a pod of IPv4, and with `six` to one whose first address is of IPv6."""
    bind = ({"source_address": source("::6"), "extra_source_addresses": [{"address": source("127.0.0.6")}]} if six
            else {"source_address": source("127.0.0.6")})
    return {
        "node": {"id": "sidecar", "cluster": "test"},
        "admin": {"address": address("127.0.0.1", ADMIN)},
        "static_resources": {
            "listeners": [
                listener("virtualOutbound", OUTBOUND, "PassthroughCluster", six, use_original_dst=True),
                listener("virtualInbound", INBOUND, "InboundPassthroughCluster", six, listener_filters=[
                    {"name": "original_dst", "typed_config": {"@type": f"{TYPES}.listener.original_dst.v3.OriginalDst"}}]),
            ],
            "clusters": [
                cluster("BlackHoleCluster", type="STATIC"),
                to_original("PassthroughCluster"),
                to_original("InboundPassthroughCluster", upstream_bind_config=bind),
            ],
        },
    }


class Place:
    """The addresses of one family in a pod."""

    def __init__(self, six):
        self.pod, self.far, self.localhost, self.inbound_source = (
            (POD6, FAR6[0], "::1", "::6") if six else (POD, FAR[0], "127.0.0.1", "127.0.0.6"))


IPV4, IPV6, BOTH = {}, {"ipv4": False, "ipv6": True}, {"ipv6": True}


@pytest.fixture(params=[(IPV4, False), (IPV6, True), (BOTH, False), (BOTH, True)],
                ids=["ipv4", "ipv6", "ipv4-of-both", "ipv6-of-both"])
def place(request, make_pod):
    """A pod of one family or of both, and the family that the test speaks."""
    families, six = request.param
    found = Place(six)
    found.space, found.families = make_pod(**families), families
    return found


@pytest.fixture
def pod(place):
    return place.space


@pytest.fixture
def sidecar(place, pod):
    for port in (OUTBOUND, INBOUND):
        for each in pod.listeners.pop(("pod", port)):
            each.close()
    pod.capture(*INJECTED, *(["--dual-stack"] if place.families == BOTH else []))
    process = subprocess.Popen(["nsenter", f"--net={pod.inside.path}", "setpriv", f"--reuid={SIDECAR}",
                                f"--regid={SIDECAR}", "--clear-groups", "--inh-caps=-all", PROXY, "--config-yaml",
                                json.dumps(bootstrap("ipv6" in place.families)), "--concurrency", "1"])
    try:
        wait_until("the sidecar listens",
                   lambda: all(can_connect(pod, place.localhost, port) for port in (OUTBOUND, INBOUND)))
        yield process
    finally:
        process.kill()
        process.wait()


def can_connect(pod, host, port):
    try:
        pod.inside.dial(host, port).close()
        return True
    except OSError:
        return False


def wait_until(what, condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def accept(pod, place):
    ready, _, _ = select.select(pod.listeners[place], [], [], 5)
    assert ready, f"nothing came to {place}"
    connection, peer = ready[0].accept()
    connection.settimeout(5)
    return connection, peer[0]


def speaks(client, server):
    client.sendall(b"question")
    assert server.recv(100) == b"question"
    server.sendall(b"answer")
    return client.recv(100) == b"answer"


def test_what_comes_in_reaches_the_application_from_the_inbound_address_once(place, pod, sidecar):
    with pod.outside.dial(place.pod, 8080) as client:
        client.sendall(b"x")
        server, peer = accept(pod, ("pod", 8080))
        with server:
            assert peer == place.inbound_source and server.recv(1) == b"x" and speaks(client, server)
        assert not select.select(pod.listeners["pod", 8080], [], [], 0)[0]


def test_what_goes_out_passes_the_sidecar_and_leaves_once(place, pod, sidecar):
    with pod.inside.dial(place.far, 443, user=1000) as client:
        client.sendall(b"x")
        server, peer = accept(pod, ("outside", 443))
        with server:
            # The connection outside is the sidecar's: another one than the application's.
            assert peer == place.pod and server.getpeername() != client.getsockname()
            assert server.recv(1) == b"x" and speaks(client, server)


# Statement 19.

@pytest.mark.parametrize("port", [OUTBOUND, INBOUND])
@pytest.mark.parametrize("start", ["outside", "inside"])
def test_a_connection_to_a_capture_port_itself_is_closed_and_does_not_loop(place, pod, sidecar, port, start):
    before = descriptors(sidecar)
    most = 0
    for _ in range(CONNECTIONS):
        # Closed, perhaps before the client knows that it is connected; never refused.
        with (contextlib.suppress(ConnectionResetError, BrokenPipeError),
              getattr(pod, start).dial(place.pod, port) as client):
            most = max(most, descriptors(sidecar))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(1) == b""
    # Two hops at most, each with two descriptors; a loop takes all there are.
    assert most <= before + 4 * CONNECTIONS
    wait_until("its descriptors are closed", lambda: descriptors(sidecar) <= before)
    assert sidecar.poll() is None
