"""Many clients at once, silent ones, slow ones: what they cost, and that others do not wait for them."""
import contextlib
import resource
import select
import socket
import time

import pytest

from shop import NO_RATING, SLOW, StandIn, at, at_once, wait_for

KINDS = ["details", "ratings", "reviews", "productpage"]
CROWD = 10_000
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def kib(count):
    """As a bound of memory. AddressSanitizer keeps up to 256 MB that were given back."""
    return count if SLOW == 1 else 3 * count + 270_000


@contextlib.contextmanager
def connections(service, count):
    """So many open connections; the limit of descriptors is raised for as long as they are."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, before)
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=20)) for _ in range(count)]


def crowd_that_fits():
    """Ten thousand, or what the machine lets both sides have: a service gives three quarters of its descriptors away."""
    return min(CROWD, resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 4 * 3 - 100)


def is_answered(connection):
    connection.sendall(HEALTH)
    return connection.recv(4096).startswith(b"HTTP/1.1 200")


def is_closed(connection):
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0)) and connection.recv(1, socket.MSG_PEEK) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_silent_connections_do_no_harm(start, kind):
    service = start.service(kind)
    with connections(service, crowd_that_fits()) as crowd:
        assert all(is_answered(connection) for connection in crowd)
        answer = service.ask("/health")
        assert answer.status == 200 and answer.seconds < 0.5 * SLOW
        assert not any(is_closed(connection) for connection in crowd[::100])
        began = time.monotonic()
        assert all(is_answered(connection) for connection in crowd[::100])
        assert time.monotonic() - began < 1.0 * SLOW
        assert service.resident_kib < kib(45_000)
    assert service.ask("/health").status == 200


def test_when_every_place_is_taken_the_connection_that_was_silent_longest_makes_room(start):
    service = start.service("details", descriptors=200)
    with connections(service, 150) as crowd:
        assert all(is_answered(connection) for connection in crowd)
        assert is_answered(crowd[0])
        assert not any(is_closed(connection) for connection in crowd)
        with connections(service, 20) as others:
            assert all(is_answered(connection) for connection in others)
            wait_for("the silent ones to be told", lambda: sum(map(is_closed, crowd)) == 20)
        assert all(is_closed(connection) for connection in crowd[1:21])
        assert is_answered(crowd[0]) and is_answered(crowd[-1])


def test_heads_that_never_end_keep_nobody_out(start):
    service = start.service("details", descriptors=200)
    with connections(service, 400) as crowd:
        for connection in crowd:
            with contextlib.suppress(OSError):
                connection.sendall(b"GET /details/0 HT")
        answer = service.ask("/details/0", timeout=5)
        assert answer.status == 200 and answer.seconds < 0.5 * SLOW


@pytest.mark.parametrize("kind", KINDS)
def test_clients_that_are_slow_to_send_hold_up_nobody(start, kind):
    service = start.service(kind)
    with connections(service, 300) as slow:
        for connection in slow[::2]:
            connection.sendall(b"GET /health HTTP/1.1\r\nHo")
        for connection in slow[1::2]:
            connection.sendall(b"POST /ratings/0 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        answer = service.ask("/health")
        assert answer.status == 200 and answer.seconds < 0.5 * SLOW
        slow[0].sendall(b"st: x\r\n\r\n")
        assert slow[0].recv(4096).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_that_reads_no_answers_costs_little_and_holds_up_nobody(start, kind):
    service = start.service(kind)
    before = service.resident_kib
    with connections(service, 1) as (greedy,):
        greedy.setblocking(False)
        block = HEALTH * 1000

        def is_full():
            with contextlib.suppress(BlockingIOError):
                greedy.send(block)
                return False
            # Nothing more fits; it stays so when the service has stopped to read.
            poll = select.poll()
            poll.register(greedy, select.POLLOUT)
            return not poll.poll(300)
        wait_for("the service to read no more", is_full, 20)
        answer = service.ask("/health")
        assert answer.status == 200 and answer.seconds < 0.5 * SLOW
        assert service.resident_kib - before < kib(2_000)


def test_ratings_that_do_not_answer_hold_up_only_who_asked_for_them(start):
    service = start.service("reviews", ENABLE_RATINGS="true", STAR_COLOR="red",
                            **at(ratings=start.stand_in(StandIn.STALL)))
    *slow, quick = at_once(*[lambda: service.ask("/reviews/0")] * 100, lambda: service.ask("/health"))
    assert quick.status == 200 and quick.seconds < 0.5 * SLOW
    assert all(answer.json["reviews"][0]["rating"] == NO_RATING for answer in slow)
    assert all(answer.seconds < 2.5 + 0.7 * SLOW for answer in slow)


@pytest.mark.parametrize("kind", KINDS)
def test_a_service_at_rest_takes_less_than_ten_megabytes(start, kind):
    service = start.service(kind)
    for _ in range(100):
        service.ask("/health")
    assert service.resident_kib < kib(10_000)
