"""Statements 14 to 21 and 24: what is captured in a pod of a real cluster. The rules themselves, one by one, are tested
without a cluster (tests/capture, src/capture)."""
import pathlib
import socket
import threading

import pytest

from harness import PROXY_ID, server, tools_pod, wait_for, WEFT

OUT, IN = 15001, 15006


@pytest.fixture(scope="module")
def place(mesh):
    """A server, and a client beside it, both with sidecars."""
    with mesh.injected() as ns:
        mesh.deploy(ns, server("details"))
        mesh.apply(tools_pod("client"), ns)
        client, target = mesh.pod("app=client", ns), mesh.pod("app=details", ns)
        wait_for("the Service", lambda: client.status_of(f"http://details.{ns}:9080/health") == "200")
        yield mesh, ns, client, target


def rules(pod):
    return pod.inside("nft", "list", "ruleset").stdout


def test_14_capturing_twice_leaves_one_set_of_rules(place):
    _, _, client, _ = place
    before = rules(client)
    assert "15001" in before and "15006" in before
    arguments = client.containers()["istio-init"]["args"]
    client.inside(WEFT, *arguments)
    assert rules(client) == before


def test_15_exclusions_come_before_inclusions(place):
    mesh, ns, _, target = place
    mesh.apply(tools_pod("both", annotations=f', traffic.sidecar.istio.io/includeOutboundIPRanges: "{target.ip}/32,192.0.2.0/24", '
                         f'traffic.sidecar.istio.io/excludeOutboundIPRanges: "{target.ip}/32"'), ns)
    pod = mesh.pod("app=both", ns)
    assert pod.connect(target.ip, 9080) == {"connected": True, "accepted": True, "captured": 0, "error": "", "closed": False}
    assert pod.connect("192.0.2.7", 80)["accepted"]  # nobody has this address: whoever takes the connection is the proxy


def test_16_user_and_group_1337_are_never_captured_and_all_others_are(place):
    _, _, client, target = place
    assert client.connect(target.ip, 9080, uid=PROXY_ID)["captured"] == 0
    assert client.connect(target.ip, 9080, uid=1000, gid=PROXY_ID)["captured"] == 0
    assert client.connect(target.ip, 9080, uid=1000, gid=1000)["captured"] == OUT
    assert client.connect("192.0.2.1", 4444)["accepted"]  # an address that nobody has: capture does not ask


def test_17_inbound_reaches_15006_on_any_port_but_the_proxys_own(place):
    _, _, _, target = place
    listing = lambda: target.inside("ss", "-Htn", "sport", "=", f":{IN}").stdout
    for port, captured in ((9080, True), (15020, False), (15021, False), (15090, False)):
        with socket.create_connection((target.ip, port), timeout=5) as connection:
            own = "%s:%d" % connection.getsockname()
            assert (own in listing()) == captured, port
    # Nobody listens there: the kernel would refuse, the proxy takes the connection and ends it.
    try:
        socket.create_connection((target.ip, 7777), timeout=5).close()
    except ConnectionResetError:
        pass


def test_18_its_own_service_passes_the_inbound_listener_once_and_its_own_address_none(place):
    _, ns, _, target = place
    assert target.connect("127.0.0.1", 9080)["captured"] == 0
    assert target.connect(target.ip, 9080)["captured"] == 0
    request = f"statement-18-{ns}"
    answer = target.curl(f"http://details.{ns}:9080/details/0", "-D", "-", "-H", f"x-request-id: {request}").stdout
    assert answer.startswith("HTTP/1.1 200")
    passed = lambda: [line for line in target.logs("istio-proxy").splitlines() if request in line]
    wait_for("both entries of the access log", lambda: len(passed()) >= 2)
    assert len(passed()) == 2 and sum("inbound|9080||" in line for line in passed()) == 1, passed()


@pytest.mark.parametrize("port", [OUT, IN])
def test_19_a_connection_to_a_capture_port_from_outside_is_closed(place, port):
    _, _, _, target = place
    files = lambda: len(list(pathlib.Path(f"/proc/{target.pid('istio-proxy')}/fd").iterdir()))
    before = files()
    for _ in range(20):
        said = b""
        try:
            with socket.create_connection((target.ip, port), timeout=5) as connection:
                connection.settimeout(5)
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                said = connection.recv(4096)
        except ConnectionError:
            pass
        assert not said.startswith(b"HTTP/1.1 200")
    wait_for("the descriptors to be given back", lambda: files() <= before + 2, 10)


def test_20_ranges_and_ports_choose_what_is_captured(place):
    mesh, ns, _, _ = place
    mesh.apply(tools_pod("ranges", annotations=', traffic.sidecar.istio.io/includeOutboundIPRanges: "10.0.0.0/8", '
                         'traffic.sidecar.istio.io/excludeOutboundIPRanges: "10.1.0.0/16", '
                         'traffic.sidecar.istio.io/includeOutboundPorts: "80"'), ns)
    pod = mesh.pod("app=ranges", ns)
    # Nobody has these addresses: whoever takes the connection is the proxy.
    assert pod.connect("10.2.3.4", 81)["accepted"]
    assert not pod.connect("10.1.2.3", 81)["accepted"]
    assert not pod.connect("8.8.8.8", 81)["accepted"]
    assert pod.connect("8.8.8.8", 80)["accepted"]


def test_21_udp_is_not_touched(place):
    mesh, _, client, _ = place
    node = [a["address"] for a in mesh.objects("nodes")[0]["status"]["addresses"] if a["type"] == "InternalIP"][0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as echo:
        echo.bind((node, 0))
        echo.settimeout(10)
        def answer():
            data, peer = echo.recvfrom(100)
            echo.sendto(data + b" from " + peer[0].encode(), peer)
        thread = threading.Thread(target=answer)
        thread.start()
        said = client.inside("/usr/bin/python3", "-c", "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
                             f"s.settimeout(5)\ns.sendto(b'hello',('{node}',{echo.getsockname()[1]}))\nprint(s.recv(100).decode())").stdout
        thread.join()
    assert said.strip() == f"hello from {client.ip}"


def test_24_a_pod_with_ipv4_only_has_no_rule_for_ipv6(place):
    _, _, client, _ = place
    assert "::" not in client.item["status"]["podIP"]
    assert client.inside("ip", "-6", "addr", "show", "scope", "global").stdout.strip() == ""
    assert not [t for t in client.inside("nft", "list", "tables").stdout.splitlines() if " ip6 " in t]
