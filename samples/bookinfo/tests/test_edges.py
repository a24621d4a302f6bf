"""What clients and operators rely on without a number of its own: addresses, signals, slow bodies, odd methods."""
import contextlib
import http.client
import signal
import socket
import threading

import pytest

from shop import RATINGS, SLOW, Service, at, ask
from test_reviews import FORWARDED

KINDS = ["details", "ratings", "reviews", "productpage"]
PIECES, GAP = 4, 2.0  # 6 s from the first piece to the last


def has_ipv6():
    with open("/proc/net/if_inet6") as file:
        return any(line.startswith("0" * 31 + "1 ") for line in file)


def status_over(address, port):
    connection = http.client.HTTPConnection(address, port, timeout=5)
    with contextlib.closing(connection):
        connection.request("GET", "/health")
        return connection.getresponse().status


@pytest.mark.parametrize("kind", KINDS)
def test_without_an_address_it_answers_by_ipv4_and_ipv6(start, kind):
    service = start.service(kind, BIND_ADDRESS="")
    assert status_over("127.0.0.1", service.port) == 200
    assert not has_ipv6() or status_over("::1", service.port) == 200


def test_an_address_that_is_named_is_the_only_one(start):
    service = start.service("details", BIND_ADDRESS="127.0.0.2")
    assert status_over("127.0.0.2", service.port) == 200
    with pytest.raises(ConnectionRefusedError):
        status_over("127.0.0.1", service.port)


@pytest.mark.parametrize("kind", KINDS)
def test_sigint_ends_it_well(kind):
    service = Service(kind)
    try:
        assert ask(service.port, "/health").status == 200
        service.process.send_signal(signal.SIGINT)
        assert service.process.wait(timeout=10 * SLOW) == 0
    finally:
        service.stop()


class Dripping:
    """A service whose answer comes in pieces, with a pause before each but the first."""

    def __init__(self, body, pause=GAP):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        size = -(-len(body) // PIECES)
        self.pieces = [body[at:at + size] for at in range(0, len(body), size)]
        self.length, self.pause = len(body), pause
        self.ended = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % self.length)
            connection.sendall(self.pieces[0])
            for piece in self.pieces[1:]:
                if self.ended.wait(self.pause):
                    return
                connection.sendall(piece)

    def stop(self):
        self.ended.set()
        self.listener.close()


def test_an_answer_that_drips_for_six_seconds_is_waited_for_since_no_gap_is_three(start, page_before):
    details = Dripping(b'{"id": 0, "publisher": "A slow house"}')
    start.started.append(details)
    answer = page_before(details=details).ask("/api/v1/products/0")
    assert answer.status == 200 and answer.json == {"id": 0, "publisher": "A slow house"}
    assert (PIECES - 1) * GAP - 0.1 <= answer.seconds < (PIECES - 1) * GAP + 1.0 * SLOW


def test_an_answer_with_one_gap_of_four_seconds_is_given_up_at_three(start, page_before):
    details = Dripping(b'{"id": 0, "publisher": "A slow house"}', pause=4.0)
    start.started.append(details)
    answer = page_before(details=details).ask("/api/v1/products/0")
    assert answer.status == 500 and 2.9 <= answer.seconds < 3.0 + 0.9 * SLOW


@pytest.mark.parametrize("path, allow", [
    ("/productpage", {"GET", "HEAD", "OPTIONS"}), ("/", {"GET", "HEAD", "OPTIONS"}), ("/health", {"GET", "HEAD", "OPTIONS"}),
    ("/api/v1/products/0", {"GET", "HEAD", "OPTIONS"}), ("/metrics", {"GET", "HEAD", "OPTIONS"}),
    ("/login", {"POST", "OPTIONS"})])
def test_44_options_on_productpage_names_the_methods_and_asks_nobody(page_before, path, allow):
    page = page_before()
    answer = page.ask(path, method="OPTIONS")
    assert answer.status == 200 and answer.body == b"" and set(answer.headers["Allow"].split(", ")) == allow
    assert page.ask("/nowhere", method="OPTIONS").status == 404
    assert not any(place.requests for place in page.places.values())


@pytest.mark.parametrize("method, path", [("POST", "/health"), ("GET", "/health/"), ("POST", "/health/"), ("POST", "/ratings"),
                                          ("POST", "/foo")])
def test_12_what_ratings_does_not_know_is_404_and_empty(bookshop, method, path):
    answer = bookshop.ratings.ask(path, method=method, body="{}" if method == "POST" else None)
    assert answer.status == 404 and answer.body == b"" and "Content-Type" not in answer.headers


@pytest.mark.parametrize("sent", [[], ["x-request-id"], ["user-agent", "cookie"]])
def test_35_headers_that_the_client_did_not_send_stay_absent_at_ratings(start, sent):
    ratings = start.stand_in((200, RATINGS))
    reviews = start.service("reviews", ENABLE_RATINGS="true", **at(ratings=ratings))
    assert reviews.ask("/reviews/0", headers={name: "here" for name in sent}).status == 200
    arrived = {name.lower() for name in ratings.requests[0].headers}
    assert arrived & set(FORWARDED) == set(sent)
    assert arrived == {*sent, "host", "accept"}


def test_20_v_faulty_refuses_between_45_and_55_percent(start):
    """Four thousand times: 6.3 standard deviations lie between one half and the bounds."""
    service = start.service("ratings", SERVICE_VERSION="v-faulty")
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    seen = {200: 0, 503: 0}
    with contextlib.closing(connection):
        for _ in range(4000):
            connection.request("GET", "/ratings/0")
            answer = connection.getresponse()
            answer.read()
            seen[answer.status] += 1
    assert 0.45 <= seen[503] / 4000 <= 0.55, seen
