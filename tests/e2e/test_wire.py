"""Bad bytes get their listed answer, whole and in pieces, and never a byte of them reaches the upstream.

The rows are those of the catalogue in docs/bad-input.md; the same tables run at every split point inside the codec's
own tests, here they go through the real proxy in front of an upstream that counts.
"""
import re
import socket
import threading

import pytest

from harness import SLOW, wait_for
from proxy_harness import Proxy, Upstream, read_answer, read_to_end, send_in_pieces

H = b"Host: a\r\n"
REFUSED = [
    ("A01", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("A01", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
    ("A02", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    ("A03", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5, 5\r\n\r\nhello"),
    ("A03", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    *[("A04", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: " + v + b"\r\n\r\nhello")
      for v in [b"+5", b"-5", b"0x5", b"5_0", b"5;a", b"5 5", b"5,", b"\xd9\xa5"]],
    ("A05", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length:\r\n\r\n"),
    ("A05", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length:\r\nContent-Length: 5\r\n\r\nhello"),
    ("A06", 400, b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 18446744073709551617\r\n\r\n"),
    ("A08", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    ("A08", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("A09", 501, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: gzip\r\n\r\n"),
    ("A09", 501, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: identity\r\n\r\n"),
    ("A10", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("A10", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    *[("A11", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: " + v + b"\r\n\r\n0\r\n\r\n")
      for v in [b"xchunked", b'"chunked"', b"chunked;a=1", b",chunked", b"chunked\x0b", b"\xa0chunked", b"chunked, xchunked"]],
    ("A13", 400, b"POST / HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("A14", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A : b\r\n\r\n"),
    ("A14", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A\t: b\r\n\r\n"),
    ("A15", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A: b\r\n c\r\n\r\n"),
    ("A15", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("A16", 400, b"POST / HTTP/1.1\r\n" + H + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("A16", 400, b"POST / HTTP/1.1\r\n" + H + b"Content_Length: 5\r\n\r\nhello"),
    ("A17", 400, b"GET / HTTP/1.1\n" + H + b"\r\n"),
    ("A17", 400, b"GET / HTTP/1.1\r\nHost: a\n\r\n"),
    ("A18", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A: b\rc\r\n\r\n"),
    ("A18", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A: b\r\n\rX"),
    ("A19", 400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("A20", 400, b"GET / HTTP/1.1\r\n" + H + b"nocolon\r\n\r\n"),
    ("A20", 400, b"GET / HTTP/1.1\r\nHo\r\nst: a\r\n\r\n"),
    ("A23", 400, b"GET  / HTTP/1.1\r\n" + H + b"\r\n"),
    ("A23", 400, b"GET\t/ HTTP/1.1\r\n" + H + b"\r\n"),
    ("A23", 400, b"GET / HTTP/1.1 \r\n" + H + b"\r\n"),
    ("A25", 505, b"GET / HTTP/2.0\r\n" + H + b"\r\n"),
    ("A25", 505, b"GET / HTTP/9.9\r\n" + H + b"\r\n"),
    *[("A26", 400, b"GET / " + v + b"\r\n" + H + b"\r\n")
      for v in [b"HTTP/1.10", b"HTTP/01.1", b"HTTP/+1.1", b"http/1.1", b"HTTP/4294967297.1"]],
    ("A27", 400, b"GET /\r\n"),
    ("A28", 400, b'G=":<> / HTTP/1.1\r\n' + H + b"\r\n"),
    ("A33", 417, b"POST / HTTP/1.1\r\n" + H + b"Expect: y 100-continue\r\nContent-Length: 5\r\n\r\n"),
    ("B01", 400, b"GET / HTTP/1.1\r\n\r\n"),
    *[("B01", 400, b"GET / HTTP/1.1\r\n" + h + b"\r\n") for h in
      [b"Host: a\r\nHost: b\r\n", b"Host: a, b\r\n", b"Host: a b\r\n", b"Host: u@b\r\n", b"Host: a/b\r\n"]],
    *[("B01", 400, b"GET / HTTP/1.1\r\nHost: " + h + b"\r\n\r\n") for h in [b"a:b:c:d", b"[::1", b"a#b", b"a|b^{}", b":80", b"a%2"]],
    *[("B02", 400, b"GET " + t + b" HTTP/1.1\r\n" + H + b"\r\n") for t in [b"http://a|b^{}/", b"http://a#b/", b"http://a:b:c/"]],
    *[("B16", 400, b"GET " + t + b" HTTP/1.1\r\n" + H + b"\r\n") for t in [b"/admin#x", b"http://a/admin#x"]],
    ("B12", 431, b"GET / HTTP/1.1\r\n" + H + b"Connection: " + b"a," * 28000 + b"b\r\n\r\n"),
    ("B05", 400, b"GET / HTTP/1.1\r\n" + H + b": v\r\n\r\n"),
    ("B06", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A: b\0c\r\n\r\n"),
    *[("B07", 400, b"GET / HTTP/1.1\r\n" + H + b"X-A: b" + bytes([c]) + b"c\r\n\r\n") for c in [1, 8, 0x0b, 0x1f, 0x7f]],
    *[("B08", 400, b"GET / HTTP/1.1\r\n" + H + b"X" + c + b"A: b\r\n\r\n") for c in [b" ", b'"', b"(", b"\x80", b"\xff"]],
    ("B15", 400, b"GET / HTTP/1.1\r\n" + H + b"Connection: x-request-id\r\n\r\n"),
]
CHUNKED = b"POST / HTTP/1.1\r\n" + H + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_CHUNKS = [
    ("D01", b"11111111111111111\r\n"), ("D01", b"ffffffffffffffff\r\n"),
    *[("D02", v + b"\r\nhello\r\n0\r\n\r\n") for v in [b"0x5", b"+5", b"-5", b"5_0", b" 5", b"5\t", b"5g"]],
    ("D03", b"\r\nhello\r\n0\r\n\r\n"), ("D04", b"5;\r\nhello\r\n0\r\n\r\n"),
    ("D05", b"5;a\rb\r\nhello\r\n0\r\n\r\n"), ("D05", b"5;a\nhello\r\n0\r\n\r\n"), ("D05", b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
    ("D05", b"5\nhello\r\n0\r\n\r\n"), ("D06", b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n'),
    ("D07", b"5;" + b"a" * 17000 + b"\r\nhello\r\n0\r\n\r\n"),
    ("D08", b"5\r\nhello!\r\n0\r\n\r\n"), ("D09", b"5\r\nhello\n0\r\n\r\n"), ("D09", b"5\r\nhelloXX0\r\n\r\n"),
    ("D12", b"0" * 1024 + b"\r\n\r\n"),
]
LARGE = [
    ("B11", 431, b"GET / HTTP/1.1\r\n" + H + b"X" * (70 * 1024) + b": v\r\n\r\n"),
    ("B11", 431, b"GET / HTTP/1.1\r\n" + H + b"X-A: " + b"v" * (1024 * 1024) + b"\r\n\r\n"),
    ("B12", 431, b"GET / HTTP/1.1\r\n" + H + b"".join(b"X-%d: a\r\n" % i for i in range(101)) + b"\r\n"),
    ("B12", 431, b"GET / HTTP/1.1\r\n" + H + b"X-A: " + b"v" * (60 * 1024 + 1) + b"\r\n\r\n"),
    ("A28", 501, b"M" * 1024 + b" / HTTP/1.1\r\n" + H + b"\r\n"),
]


@pytest.fixture(scope="module")
def upstream():
    made = Upstream()
    yield made
    made.close()


@pytest.fixture(scope="module")
def proxy(upstream, tmp_path_factory):
    with Proxy(upstream.port, tmp_path_factory.mktemp("wire")) as made:
        yield made


def pieces_of(data):
    yield [data]
    step = max(1, len(data) // 120)
    for at in range(1, len(data), step):
        yield [data[:at], data[at:]]


def refused(proxy, pieces, status):
    with proxy.connect() as connection:
        try:
            send_in_pieces(connection, pieces)
        except (ConnectionResetError, BrokenPipeError):
            pass
        answer = read_to_end(connection)
    head = answer.split(b"\r\n\r\n")[0].lower()
    assert answer.startswith(b"HTTP/1.1 %d " % status), (pieces, answer[:200])
    assert b"connection: close" in head, answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, answer


@pytest.mark.parametrize("index", range(len(REFUSED)), ids=lambda i: f"{REFUSED[i][0]}-{i}")
def test_a_refused_head_never_reaches_the_upstream(proxy, upstream, index):
    _, status, data = REFUSED[index]
    before = len(upstream.requests)
    for pieces in pieces_of(data):
        refused(proxy, pieces, status)
    assert len(upstream.requests) == before


@pytest.mark.parametrize("index", range(len(LARGE)), ids=lambda i: f"{LARGE[i][0]}-{i}")
def test_a_head_over_a_limit_never_reaches_the_upstream(proxy, upstream, index):
    _, status, data = LARGE[index]
    before = len(upstream.requests)
    for pieces in [[data], [data[:100], data[100:]], [data[:-3], data[-3:]]]:
        refused(proxy, pieces, status)
    assert len(upstream.requests) == before


@pytest.mark.parametrize("index", range(len(BAD_CHUNKS)), ids=lambda i: f"{BAD_CHUNKS[i][0]}-{i}")
def test_a_bad_chunk_ends_the_connection_and_completes_no_request(proxy, upstream, index):
    _, chunks = BAD_CHUNKS[index]
    before = len(upstream.requests)
    for pieces in pieces_of(CHUNKED + chunks):
        with proxy.connect() as connection:
            try:
                send_in_pieces(connection, pieces)
            except (ConnectionResetError, BrokenPipeError):
                pass
            answer = read_to_end(connection)
        assert answer.startswith(b"HTTP/1.1 400 ") and answer.count(b"HTTP/1.1 ") == 1, (pieces, answer[:200])
    assert len(upstream.requests) == before


CONTROLS = [
    ("A07", b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 010\r\n\r\n0123456789", b"content-length: 10\r\n", b"0123456789"),
    ("A12", b"POST / HTTP/1.1\r\n" + H + b"tRANSFER-eNCODING: cHuNkEd\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"transfer-encoding: chunked", b"hello"),
    ("A21", b"\r\nGET / HTTP/1.1\r\n" + H + b"\r\n", b"get / http/1.1", b""),
    ("A24", b"GET / HTTP/1.2\r\n" + H + b"\r\n", b"get / http/1.1", b""),
    ("D13", CHUNKED + b'5;a=b;c="d"\r\nhello\r\n0\r\n\r\n', b"transfer-encoding: chunked", b"hello"),
]


def unchunked(data):
    """The body behind a chunked coding without extensions or trailers."""
    pieces, at = [], 0
    while True:
        begin = data.index(b"\r\n", at) + 2
        end = begin + int(data[at:begin], 16)
        assert data[end:end + 2] == b"\r\n", data[at:end + 10]
        if begin == end:
            return b"".join(pieces)
        pieces.append(data[begin:end])
        at = end + 2


@pytest.mark.parametrize("index", range(len(CONTROLS)), ids=lambda i: CONTROLS[i][0])
def test_a_good_request_is_served_whole_at_every_split_point(proxy, upstream, index):
    _, data, in_head, body = CONTROLS[index]
    for pieces in pieces_of(data):
        with proxy.connect() as connection:
            send_in_pieces(connection, pieces)
            assert read_answer(connection)[0] == 200
        got = upstream.requests[-1]
        head, rest = got.split(b"\r\n\r\n", 1)
        assert in_head in (head + b"\r\n").lower(), got
        if b"transfer-encoding: chunked" in head.lower():
            assert b";a" not in rest
            rest = unchunked(rest)
        assert rest == body, got


def test_a33_expect_100_continue_keeps_the_framing_and_the_next_request_right(proxy, upstream):
    with proxy.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"
                           b"GET /next HTTP/1.1\r\n" + H + b"\r\n")
        data = b""
        while data.count(b"\r\n\r\nok") < 2:
            piece = connection.recv(65536)
            assert piece, data
            data += piece
    assert upstream.requests[-1].startswith(b"GET /next ") and upstream.requests[-2].endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("expectation", [
    b" HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nExpect: 100-continue\r\n",
    b" HTTP/1.0\r\n" + H + b"Connection: keep-alive\r\nExpect: y 100-continue\r\n",
], ids=["twice", "unknown on 1.0"])
def test_a33_an_expectation_written_twice_or_on_http_1_0_harms_nothing(proxy, upstream, expectation):
    with proxy.connect() as connection:
        connection.sendall(b"POST /first" + expectation + b"Content-Length: 5\r\n\r\nhello"
                           b"GET /last HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n")
        answer = read_to_end(connection)
    assert answer.count(b"HTTP/1.1 200 ") + answer.count(b"HTTP/1.0 200 ") == 2, answer
    assert upstream.requests[-1].startswith(b"GET /last ")
    assert upstream.requests[-2].startswith(b"POST /first ") and upstream.requests[-2].endswith(b"\r\n\r\nhello")


def test_a34_an_end_in_the_middle_of_a_body_aborts_the_upstream_request(proxy, upstream):
    before = len(upstream.requests)
    with proxy.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 100\r\n\r\nonly this")
        connection.shutdown(1)
        read_to_end(connection)
    assert len(upstream.requests) == before


def test_a35_a_good_request_before_a_bad_one_is_answered_in_full_first(proxy, upstream):
    before = len(upstream.requests)
    with proxy.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + H + b"\r\nGET / HTTP/1.1\r\nBad Header: x\r\n\r\n")
        answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 400 " in answer, answer
    assert len(upstream.requests) == before + 1


def test_d10_an_end_before_the_last_chunk_completes_no_request(proxy, upstream):
    before = len(upstream.requests)
    with proxy.connect() as connection:
        connection.sendall(CHUNKED + b"5\r\nhello\r\n")
        connection.shutdown(1)
        read_to_end(connection)
    assert len(upstream.requests) == before


def test_d16_a_body_delivered_byte_by_byte_is_the_same_as_in_one_piece(proxy, upstream):
    data = CHUNKED + b"5;x=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    with proxy.connect() as connection:
        send_in_pieces(connection, [bytes([b]) for b in data])
        assert read_answer(connection)[0] == 200
    body = upstream.requests[-1].split(b"\r\n\r\n", 1)[1]
    text, at = b"", 0
    while True:
        line_end = body.index(b"\r\n", at)
        size = int(body[at:line_end], 16)
        if size == 0:
            break
        text += body[line_end + 2:line_end + 2 + size]
        at = line_end + 2 + size + 2
    assert text == b"hello world"


def test_b02_an_absolute_target_wins_over_host(proxy, upstream):
    with proxy.connect() as connection:
        connection.sendall(b"GET http://b.example/x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_answer(connection)[0] == 200
    head = upstream.requests[-1].lower()
    assert head.startswith(b"get /x http/1.1") and b"host: b.example" in head and b"host: a\r\n" not in head


def test_b15_nominated_fields_are_removed(proxy, upstream):
    with proxy.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + H + b"Connection: x-user\r\nX-User: me\r\nX-Other: kept\r\n\r\n")
        assert read_answer(connection)[0] == 200
    head = upstream.requests[-1].lower()
    assert b"x-user" not in head and b"x-other: kept" in head


BAD_ANSWERS = [
    ("A38", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!"),
    ("A38", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("A38", b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("A38", b"HTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    ("A38", b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 2\r\n\r\nok"),
]


@pytest.mark.parametrize("index", range(len(BAD_ANSWERS)), ids=lambda i: f"{BAD_ANSWERS[i][0]}-{i}")
def test_a_malformed_answer_is_502_and_its_connection_is_not_used_again(tmp_path, index):
    with Proxy((upstream := Upstream(reply=BAD_ANSWERS[index][1])).port, tmp_path) as proxy:
        for _ in range(2):
            with proxy.connect() as connection:
                connection.sendall(b"GET / HTTP/1.1\r\n" + H + b"\r\n")
                assert read_answer(connection)[0] == 502
        assert upstream.connections == 2
    upstream.close()


FOUL_ENDINGS = [
    ("A37", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", b"GET", 200),
    ("A39", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"GET", 200),
    ("A40", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"HEAD", 200),
    ("A40", b"HTTP/1.1 204 No Content\r\n\r\nevil", b"GET", 204),
    ("A40", b"HTTP/1.1 304 Not Modified\r\n\r\nevil", b"GET", 304),
]


@pytest.mark.parametrize("index", range(len(FOUL_ENDINGS)), ids=lambda i: f"{FOUL_ENDINGS[i][0]}-{i}")
def test_an_answer_with_a_doubtful_end_is_passed_on_clean_and_its_connection_is_not_used_again(tmp_path, index):
    _, reply, method, status = FOUL_ENDINGS[index]
    with Proxy((upstream := Upstream(reply=reply)).port, tmp_path) as proxy:
        for _ in range(2):
            with proxy.connect() as connection:
                connection.sendall(method + b" / HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n")
                answer = read_to_end(connection)
                assert answer.startswith(b"HTTP/1.1 %d " % status) and b"evil" not in answer, answer
        assert upstream.connections == 2
    upstream.close()


def test_a39_an_answer_before_any_request_is_never_matched_to_one(tmp_path):
    early = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def act(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        # The second answer comes when the first is long gone and its connection lies in the pool.
        answered.wait(10 * SLOW)
        connection.sendall(early)
    answered = threading.Event()
    with Proxy((upstream := Upstream(act=act)).port, tmp_path) as proxy:
        with proxy.connect() as connection:
            connection.sendall(b"GET /one HTTP/1.1\r\n" + H + b"\r\n")
            assert read_answer(connection)[2] == b"ok"
            answered.set()
            wait_for("the pool to let the connection go", lambda: pooled(proxy) == 0)
            connection.sendall(b"GET /two HTTP/1.1\r\n" + H + b"\r\n")
            assert read_answer(connection)[2] == b"ok"
        assert upstream.connections == 2
    upstream.close()


def pooled(proxy):
    """Upstream connections that the proxy has open."""
    with socket.create_connection(("127.0.0.1", proxy.admin), timeout=10 * SLOW) as connection:
        connection.sendall(b"GET /stats HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        text = read_to_end(connection).decode()
    return int(re.search(r"cluster\.upstream\.upstream_cx_active: (\d+)", text)[1])


def test_d14_what_follows_a_bad_chunk_is_never_taken_for_a_request(proxy, upstream):
    aborted, before = upstream.aborted, len(upstream.requests)
    with proxy.connect() as connection:
        connection.sendall(CHUNKED + b"5\r\nhello\r\n")
        wait_for("the head to reach the upstream", lambda: pooled(proxy) > 0)
        connection.sendall(b"zz\r\nGET /smuggled HTTP/1.1\r\n" + H + b"\r\n")
        answer = read_to_end(connection)
    assert answer.count(b"HTTP/1.1 ") == 1 and answer.startswith(b"HTTP/1.1 400 "), answer
    wait_for("the upstream to see its request given up", lambda: upstream.aborted > aborted)
    assert len(upstream.requests) == before


def test_d11_a_million_small_chunks_to_a_slow_reader_take_no_more_memory_than_the_limit(tmp_path):
    count = 1_000_000
    chunks = b"1\r\nx\r\n" * count + b"0\r\n\r\n"

    def flood(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks)
    unhurried = "- {match: {prefix: /}, route: {cluster: upstream, timeout: 0s}}"
    with Proxy((upstream := Upstream(act=flood)).port, tmp_path, memory_counts=True, routes=unhurried) as proxy:
        before = proxy.anonymous_kilobytes()
        with proxy.connect() as reader:
            reader.sendall(b"GET / HTTP/1.1\r\n" + H + b"Connection: close\r\n\r\n")
            answer = reader.recv(1)
            settle(proxy)
            assert proxy.anonymous_kilobytes() - before < 3 * 1024 * SLOW
            answer += read_to_end(reader)
    assert unchunked(answer.split(b"\r\n\r\n", 1)[1]) == b"x" * count
    upstream.close()


def test_d15_a_bad_chunk_from_the_upstream_is_never_a_clean_end(tmp_path):
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"
    with Proxy((upstream := Upstream(reply=reply)).port, tmp_path) as proxy:
        with proxy.connect() as connection:
            connection.sendall(b"GET / HTTP/1.1\r\n" + H + b"\r\n")
            answer = read_to_end(connection)
    assert answer.startswith(b"HTTP/1.1 502 ") or not answer.endswith(b"0\r\n\r\n"), answer
    upstream.close()


def test_a_reader_that_stops_bounds_memory_in_both_directions(tmp_path):
    megabyte = b"x" * (1 << 20)

    def flood(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"100000\r\n" + megabyte + b"\r\n")
    upstream = Upstream(act=flood)
    with Proxy(upstream.port, tmp_path, memory_counts=True) as proxy:
        before = proxy.anonymous_kilobytes()
        with proxy.connect() as reader:
            reader.sendall(b"GET / HTTP/1.1\r\n" + H + b"\r\n")
            reader.recv(1)
            settle(proxy)
            assert proxy.anonymous_kilobytes() - before < 3 * 1024 * SLOW
    stopped = Upstream(act=lambda connection, request: False)
    stopped.take_request = lambda buffer: None
    stopped.serve = lambda connection: stopped_reader(connection)
    with Proxy(stopped.port, tmp_path, memory_counts=True) as proxy:
        before = proxy.anonymous_kilobytes()
        with proxy.connect() as sender:
            sender.sendall(b"POST / HTTP/1.1\r\n" + H + b"Content-Length: 1099511627776\r\n\r\n")
            sender.settimeout(1)
            with pytest.raises(TimeoutError):
                for _ in range(200):
                    sender.sendall(megabyte)
            assert proxy.anonymous_kilobytes() - before < 3 * 1024 * SLOW
    upstream.close()


def stopped_reader(connection):
    import threading
    with connection:
        threading.Event().wait(60)


def settle(proxy):
    """Until the proxy's memory has not changed for ten looks in a row."""
    import time
    same, last = 0, 0
    while same < 10:
        now = proxy.anonymous_kilobytes()
        same = same + 1 if now == last else 0
        last = now
        time.sleep(0.05)
