"""gRPC through two sidecars, with the gRPC library's own client and server: calls of every shape, balanced one by one, by rules that
name a method."""
import base64
import collections
import contextlib
import json
import re
import subprocess

import pytest

from harness import BUILD, ROOT, SLOW, instance, wait_for

SAMPLE = ROOT / "samples/grpc-echo"
PROGRAM = BUILD / "samples/grpc-echo/grpc-echo"
BY_METHOD = SAMPLE / "networking/virtual-service-echo-by-method.yaml"


@pytest.fixture(scope="module")
def mesh():
    with instance(SAMPLE / "echo.yaml", up_options=[f"--image=grpc-echo={PROGRAM}"]) as made:
        made.wait_ready(count=3)
        yield made


@pytest.fixture
def by_method(mesh):
    mesh.apply(BY_METHOD)
    yield
    mesh.weft("delete", "-f", BY_METHOD)


def call(mesh, method, *arguments):
    """From the caller's pod: the replies as (version, text, number), what else was printed, and the exit status."""
    pid = str(mesh.application_pid(mesh.pod_name("caller")))
    done = subprocess.run(["nsenter", "-t", pid, "-m", "-n", PROGRAM, "call", method, "--to=echo:9000", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60 * SLOW)
    assert not done.stderr, done.stderr
    replies, rest = [], []
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 5 and words[2] == "says":
            replies.append((words[0], words[3], int(words[4].strip("()"))))
        else:
            rest.append(line)
    return replies, rest, done.returncode


def test_calls_of_every_shape_get_their_replies_in_order(mesh):
    assert call(mesh, "say", "--text=one")[0][0][1:] == ("one", 1)
    replies, rest, status = call(mesh, "count", "--times=20")
    assert ([number for _, _, number in replies], rest, status) == (list(range(1, 21)), [], 0)
    assert len({version for version, _, _ in replies}) == 1, "one call has one server"
    assert call(mesh, "collect", "--times=20")[0][0][2] == 20
    replies, rest, status = call(mesh, "talk", "--times=20", "--interval=5")
    assert ([number for _, _, number in replies], rest, status) == (list(range(1, 21)), [], 0)


def test_calls_of_one_connection_are_balanced_one_by_one(mesh):
    replies, rest, status = call(mesh, "say", "--times=100")
    assert (rest, status) == ([], 0)
    shares = collections.Counter(version for version, _, _ in replies)
    assert min(shares["v1"], shares["v2"]) >= 20, shares


def test_a_rule_that_names_a_method_decides_for_it_alone(mesh, by_method):
    wait_for("Say to reach v1 only", lambda: {v for v, _, _ in call(mesh, "say", "--times=20")[0]} == {"v1"})
    assert {version for version, _, _ in call(mesh, "count", "--times=3")[0]} == {"v2"}
    assert {version for version, _, _ in call(mesh, "talk", "--times=3")[0]} == {"v2"}


def test_the_servers_statuses_and_messages_arrive(mesh):
    for status in (1, 5, 16):
        assert call(mesh, "say", f"--status={status}")[1:] == ([f"status {status}: as was asked: hello"], status)
    replies, rest, status = call(mesh, "count", "--times=2", "--status=8")
    assert (len(replies), rest, status) == (2, ["status 8: as was asked: hello"], 8), "also behind messages"


def test_a_deadline_ends_a_stream_and_what_is_behind_it_serves_on(mesh):
    replies, rest, status = call(mesh, "count", "--times=1000", "--interval=50", "--deadline=1000")
    assert replies and status == 4, (replies, rest)
    assert call(mesh, "say")[2] == 0


def test_without_an_endpoint_a_call_is_unavailable(mesh):
    for version in ("v1", "v2"):
        mesh.weft("scale", "deployment", f"echo-{version}", "--replicas=0")
    try:
        wait_for("no endpoint to be left", lambda: call(mesh, "say")[1:] == (["status 14: no healthy upstream"], 14))
    finally:
        for version in ("v1", "v2"):
            mesh.weft("scale", "deployment", f"echo-{version}", "--replicas=1")
        mesh.wait_ready(count=3)
    wait_for("calls to be answered", lambda: call(mesh, "say")[2] == 0)


@contextlib.contextmanager
def rule(mesh, text):
    """While it lasts, this is what is said of every call to echo."""
    mesh.apply(text=f"""
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: echo}}
spec: {{hosts: [echo], http: [{{route: [{{destination: {{host: echo}}}}], {text}}}]}}
""")
    try:
        yield
    finally:
        mesh.weft("delete", "virtualservice", "echo")


def test_a_fault_ends_calls_with_the_status_that_it_names(mesh):
    for name, number in (("UNAVAILABLE", 14), ("PERMISSION_DENIED", 7)):
        with rule(mesh, f"fault: {{abort: {{grpcStatus: {name}, percentage: {{value: 100}}}}}}"):
            assert call(mesh, "say") == ([], [f"status {number}: fault filter abort"], number)
            assert call(mesh, "count", "--times=3") == ([], [f"status {number}: fault filter abort"], number)
    with rule(mesh, "fault: {abort: {httpStatus: 404, percentage: {value: 100}}}"):
        assert call(mesh, "say")[2] == 12, "a status of HTTP is told to calls as the one that goes with it"
    assert call(mesh, "say")[2] == 0


def test_a_status_that_there_is_not_is_rejected_with_its_field(mesh):
    with pytest.raises(AssertionError, match=r"spec.http\[0\].fault.abort.grpcStatus: \"14\": must be the name of a gRPC status"):
        with rule(mesh, 'fault: {abort: {grpcStatus: "14"}}'):
            pass


def test_the_time_of_a_rule_ends_a_stream_with_a_status_behind_what_has_come(mesh):
    with rule(mesh, "timeout: 1s"):
        replies, rest, status = call(mesh, "count", "--times=1000", "--interval=50")
        # The server is told the limit too, and may be the one that says so.
        assert len(replies) >= 5 and status == 4 and rest[0].startswith("status 4: "), (replies, rest)
    assert call(mesh, "say")[2] == 0


def test_both_sidecars_log_the_call_as_http_2(mesh):
    call(mesh, "say", "--text=logged")
    for app, version in (("caller", None), ("echo", "v1")):
        name = mesh.pod_name(app, version)
        line = wait_for(f"a line of {name}", lambda: [each for each in mesh.weft("logs", name, "-c", "istio-proxy").stdout.splitlines()
                                                      if "/weft.samples.echo.v1.Echo/Say HTTP/2" in each])[-1]
        assert "POST /weft.samples.echo.v1.Echo/Say HTTP/2\" 200 - via_upstream" in line, line
        assert line.endswith(" grpc_status=0"), line


def counted(mesh, app, cluster, version=None):
    """What the sidecar of a pod has counted of the calls to a cluster."""
    pid = str(mesh.application_pid(mesh.pod_name(app, version)))
    stats = subprocess.run(["nsenter", "-t", pid, "-m", "-n", "curl", "-sS", "http://127.0.0.1:15000/stats"],
                           capture_output=True, text=True, check=True, timeout=60 * SLOW).stdout
    found = re.findall(rf"^cluster\.{re.escape(cluster)}\.grpc\.(\w+): (\d+)$", stats, re.MULTILINE)
    return {name: int(value) for name, value in found}


def test_a_call_that_fails_behind_a_200_is_a_failure_in_the_counters_and_in_the_log(mesh):
    to = "outbound|9000||echo.default.svc.cluster.local"
    wait_for("a call to be counted", lambda: counted(mesh, "caller", to)["success"])
    before = counted(mesh, "caller", to)
    assert call(mesh, "say", "--status=14")[2] == 14, "the status is in a head alone"
    assert call(mesh, "count", "--times=2", "--status=8")[2] == 8, "the status is in trailers"
    wait_for("both to be counted", lambda: counted(mesh, "caller", to)["failure"] >= before["failure"] + 2)
    after = counted(mesh, "caller", to)
    assert after["failure"] == before["failure"] + 2 and after["total"] == after["success"] + after["failure"], (before, after)
    for method, status in (("Say", 14), ("Count", 8)):
        wanted = re.compile(rf'/{method} HTTP/2" 200 .* grpc_status={status}$', re.MULTILINE)
        wait_for(f"a line with status {status}", lambda: wanted.search(mesh.weft("logs", mesh.pod_name("caller"), "-c", "istio-proxy").stdout))
    served = [counted(mesh, "echo", "inbound|9000||", version) for version in ("v1", "v2")]
    assert sum(one["failure"] for one in served) >= 2 and all(one["total"] >= one["failure"] for one in served), served


WEB = """
apiVersion: v1
kind: Service
metadata: {name: echo-web}
spec: {selector: {app: echo}, ports: [{name: grpc-web, port: 9001, targetPort: 9000}]}
"""


@pytest.fixture(scope="module")
def web(mesh):
    mesh.apply(text=WEB)
    yield mesh
    mesh.weft("delete", "service", "echo-web")


def frame(payload, flag=0):
    return bytes([flag]) + len(payload).to_bytes(4, "big") + payload


def frames(body):
    """Of a response of grpc-web: its messages, and the fields of the last frame."""
    messages = []
    while body:
        flag, size = body[0], int.from_bytes(body[1:5], "big")
        payload, body = body[5:5 + size], body[5 + size:]
        if flag & 0x80:
            assert not body, "nothing is behind the trailers"
            return messages, dict(line.split(":", 1) for line in payload.decode().splitlines())
        messages.append(payload)
    raise AssertionError("no trailers")


def browse(mesh, method, message, kind="application/grpc-web+proto", http="--http1.1"):
    """From the caller's pod, as a browser would: the head and the body of the response."""
    pid = str(mesh.application_pid(mesh.pod_name("caller")))
    body = base64.b64encode(frame(message)) if "text" in kind else frame(message)
    done = subprocess.run(["nsenter", "-t", pid, "-m", "-n", "curl", "-sS", "-i", http, "--data-binary", "@-",
                           "-H", f"content-type: {kind}", "-H", f"accept: {kind}",
                           f"http://echo-web:9001/weft.samples.echo.v1.Echo/{method}"], input=body, capture_output=True, timeout=60 * SLOW)
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return head.decode().lower(), body


SAY = b"\x0a\x02hi"  # text: "hi"
COUNT = SAY + b"\x10\x03"  # times: 3


@pytest.mark.parametrize("http", ["--http1.1", "--http2-prior-knowledge"])
def test_a_browser_s_request_to_a_port_of_grpc_web_is_a_call(web, http):
    wait_for("the port", lambda: "200" in browse(web, "Say", SAY, http=http)[0].splitlines()[0])
    head, body = browse(web, "Say", SAY, http=http)
    assert "content-type: application/grpc-web+proto" in head
    messages, trailers = frames(body)
    assert len(messages) == 1 and messages[0].startswith(SAY) and trailers["grpc-status"] == "0"
    messages, trailers = frames(browse(web, "Count", COUNT, http=http)[1])
    assert len(messages) == 3 and trailers["grpc-status"] == "0"


def test_a_browser_s_request_in_text_is_a_call_too(web):
    head, body = browse(web, "Count", COUNT, kind="application/grpc-web-text")
    assert "content-type: application/grpc-web-text+proto" in head
    quanta = [body[at:at + 4] for at in range(0, len(body), 4)]
    messages, trailers = frames(b"".join(map(base64.b64decode, quanta)))
    assert len(messages) == 3 and trailers["grpc-status"] == "0"


def test_a_browser_is_told_a_status_without_messages_in_the_head(web):
    head, body = browse(web, "None", SAY)
    assert "grpc-status: 12" in head and "content-type: application/grpc-web+proto" in head and body == b""
