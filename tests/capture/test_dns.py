"""A pod whose questions for names are captured: the rules, the sidecar behind them, and the pod's own name server."""
import contextlib
import os
import socket
import struct
import subprocess
import threading
import time

import pytest

from pod import BUILD, FAR, FAR6, INJECTED, POD, POD6, SIDECAR, WEFT

PROXY = BUILD / "src/app/weft-proxy"
ID = b"\x2a\x07"
QUESTION = ID + b"\1\0\0\1\0\0\0\0\0\0" + b"\7reviews\7default\0" + b"\0\1\0\1"
ANSWER = ID + b"\x81\x80\0\1\0\1\0\0\0\0" + QUESTION[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3"


@pytest.fixture(params=[({}, POD, FAR[0]), ({"ipv4": False, "ipv6": True}, POD6, FAR6[0])], ids=["ipv4", "ipv6"])
def place(request, make_pod, tmp_path):
    """The pod with rules and sidecar, and the address of its name server."""
    families, address, server = request.param
    pod = make_pod(**families)
    for each in pod.listeners.pop(("outside", 53)):
        each.close()
    for port in (15020, 15021, 15090):
        for each in pod.listeners.pop(("pod", port)):
            each.close()
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text(f"search default.svc.cluster.local\nnameserver {server}\noptions ndots:5\n")
    inside = ["nsenter", f"--net={pod.inside.path}", "unshare", "--mount", "sh", "-c",
              'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(resolv_conf)]
    subprocess.run([*inside, WEFT, "capture", *INJECTED, "--redirect-dns"], check=True, timeout=30)
    variables = {"POD_NAME": "web-1", "POD_NAMESPACE": "default", "INSTANCE_IP": address, "CA_ADDR": "weft-control:15012",
                 "PROXY_CONFIG": '{"proxyMetadata":{"ISTIO_META_DNS_CAPTURE":"true"}}'}
    process = subprocess.Popen([*inside, "setpriv", f"--reuid={SIDECAR}", f"--regid={SIDECAR}", "--clear-groups",
                                "--inh-caps=-all", PROXY, "sidecar", "--secrets-directory", str(tmp_path)],
                               env={**os.environ, **variables})
    try:
        wait_for_port(pod, "::1" if families else "127.0.0.1", 15053)
        yield pod, server
    finally:
        process.kill()
        process.wait()


def wait_for_port(pod, host, port):
    end = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError):
            return pod.inside.dial(host, port, user=SIDECAR).close()
        assert time.monotonic() < end, f"nobody listens on {host}:{port}"
        time.sleep(0.02)


def serve(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def asking(server, patience):
    """An application that has asked; made in the pod's namespace. Connected, so that an answer from any address but the
    server's is dropped."""
    def ask():
        made = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
        made.settimeout(patience)
        made.connect((server, 53))
        made.send(QUESTION)
        return made
    return ask


def test_an_application_gets_its_servers_answer_through_the_sidecar(place):
    pod, server = place
    real, = pod.outside.listen(53, socket.SOCK_DGRAM, (server,))
    seen = []

    def answer():
        message, peer = real.recvfrom(512)
        seen.append((message, peer[1]))
        real.sendto(ANSWER, peer)

    with real, pod.inside.call(asking(server, 5)) as asked:
        thread = serve(answer)
        assert asked.recv(512) == ANSWER
        thread.join(5)
        (question, port), = seen
        assert question == QUESTION
        assert port != asked.getsockname()[1], "the application's own question came, not the sidecar's"


def test_by_tcp_too(place):
    pod, server = place
    real, = pod.outside.listen(53, addresses=(server,))

    def answer():
        with real.accept()[0] as connection:
            connection.settimeout(5)
            connection.recv(512)
            connection.sendall(struct.pack("!H", len(ANSWER)) + ANSWER)

    with real, pod.inside.dial(server, 53) as asked:
        thread = serve(answer)
        asked.sendall(struct.pack("!H", len(QUESTION)) + QUESTION)
        assert asked.recv(512) == struct.pack("!H", len(ANSWER)) + ANSWER
        thread.join(5)


def test_a_server_that_is_away_is_told_as_a_failure_not_as_silence(place):
    pod, server = place
    with pod.inside.call(asking(server, 8)) as asked:
        answer = asked.recv(512)
    assert answer[:2] == ID and answer[3] & 15 == 2
