"""details v2: the book comes from an external service, over TLS or in plain text."""
import random
import socket
import subprocess

import pytest

import shop
from shop import BOOK, SLOW, Certificate, StandIn, at_once, closed_port

FORWARDED = ["x-request-id", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-parentspanid", "x-b3-flags",
             "x-ot-span-context", "x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority",
             "traceparent", "tracestate", "x-cloud-trace-context", "grpc-trace-bin", "sw8", "end-user", "user-agent",
             "authorization", "jwt", "cookie"]
VOLUME = {"authors": ["William Shakespeare", "Another"], "publisher": "A House", "publishedDate": "2002-09-01",
          "printType": "BOOK", "pageCount": 96, "language": "en", "industryIdentifiers": [
              {"type": "ISBN_13", "identifier": "9780486424613"}, {"type": "ISBN_10", "identifier": "0486424618"}]}
MAPPED = {"id": 3, "author": "William Shakespeare", "year": "2002-09-01", "type": "paperback", "pages": 96,
          "publisher": "A House", "language": "English", "ISBN-10": "0486424618", "ISBN-13": "9780486424613"}


def volumes(**changes):
    volume = {key: value for key, value in {**VOLUME, **changes}.items() if value is not ...}
    return {"kind": "books#volumes", "totalItems": 1, "items": [{"volumeInfo": volume}]}


@pytest.fixture
def details_before(start):
    """details v2 before a stand-in or a port of the loopback; `encrypt` and more of the environment as told."""
    def make(books, host="127.0.0.1", encrypt=False, **environment):
        return start.service("details", ENABLE_EXTERNAL_BOOK_SERVICE="true", EXTERNAL_BOOK_SERVICE_HOSTNAME=host,
                             EXTERNAL_BOOK_SERVICE_PORT=str(getattr(books, "port", books)),
                             **({} if encrypt else {"DO_NOT_ENCRYPT": "true"}), **environment)
    return make


def fails(service, said=""):
    answer = service.ask("/details/0")
    assert answer.status == 400 and list(answer.json) == ["error"], answer.text
    assert isinstance(answer.json["error"], str) and said in answer.json["error"], answer.json
    assert service.ask("/health").status == 200
    return answer


def test_06_the_first_volume_becomes_the_book_whose_year_is_a_string(start, details_before):
    books = start.stand_in((200, volumes()))
    answer = details_before(books).ask("/details/3")
    assert answer.status == 200 and answer.json == MAPPED and list(answer.json) == list(BOOK)
    assert [(r.method, r.path, r.headers["Host"]) for r in books.requests] == [
        ("GET", "/books/v1/volumes?q=isbn:0486424618", f"127.0.0.1:{books.port}")]


@pytest.mark.parametrize("changes, facts", [
    ({"printType": "MAGAZINE", "language": "fr"}, {"type": "unknown", "language": "unknown"}),
    ({"publisher": ..., "pageCount": ...}, {"publisher": None, "pages": None})])
def test_06_what_the_volume_does_not_say_is_unknown_or_null(start, details_before, changes, facts):
    assert details_before(start.stand_in((200, volumes(**changes)))).ask("/details/3").json == {**MAPPED, **facts}


def test_06_twenty_headers_reach_the_book_service_and_no_others(start, details_before):
    books = start.stand_in((200, volumes()))
    sent = {name: f"value of {name}" for name in [*FORWARDED, "b3", "baggage", "x-other"]}
    details_before(books).ask("/details/0", headers=sent)
    arrived = {name.lower(): value for name, value in books.requests[0].headers.items()}
    assert {name: arrived[name] for name in FORWARDED} == {name: sent[name] for name in FORWARDED}
    assert set(arrived) == {*FORWARDED, "host", "accept"}


def test_06_v1_and_any_other_word_than_true_ask_nobody(start):
    books = start.stand_in((200, volumes()))
    for word in ["false", "True", "1", ""]:
        service = start.service("details", ENABLE_EXTERNAL_BOOK_SERVICE=word, DO_NOT_ENCRYPT="true",
                                EXTERNAL_BOOK_SERVICE_HOSTNAME="127.0.0.1", EXTERNAL_BOOK_SERVICE_PORT=str(books.port))
        assert service.ask("/details/0").json == BOOK
    assert books.requests == []


def test_06_an_id_that_is_no_number_asks_nobody(start, details_before):
    books = start.stand_in((200, volumes()))
    answer = details_before(books).ask("/details/abc")
    assert answer.status == 400 and answer.json == {"error": "please provide numeric product id"}
    assert books.requests == []


def test_06_the_status_of_the_book_service_is_not_looked_at(start, details_before):
    assert details_before(start.stand_in((503, volumes()))).ask("/details/3").json == MAPPED


@pytest.mark.parametrize("body, said", [
    ("<html>", "not JSON"), ("", "not JSON"), ("[" * 5000, "not JSON"), ([], "volume"), ({"totalItems": 0}, "volume"),
    ({"items": []}, "volume"), (volumes(authors=...), "author"), (volumes(industryIdentifiers=[]), "ISBN_10"),
    ("x" * 2_000_000, "receive")])
def test_07_rubbish_from_the_book_service_is_400_and_asked_for_once(start, details_before, body, said):
    books = start.stand_in((200, body))
    fails(details_before(books), said)
    assert len(books.requests) == 1


def test_07_a_book_service_that_is_down_is_400(details_before):
    fails(details_before(closed_port()), "connect")
    fails(details_before(80, host="books.invalid"), "resolve")


def test_07_a_connection_that_breaks_is_made_once_more(start, details_before):
    books = start.stand_in(None)
    fails(details_before(books), "receive")
    assert len(books.requests) == 2
    assert details_before(start.stand_in(None, (200, volumes()))).ask("/details/3").json == MAPPED


def test_07_a_silent_book_service_costs_ten_seconds_and_nobody_else_waits(start, details_before):
    books = start.stand_in(StandIn.STALL)
    service = details_before(books)
    *slow, health = at_once(*[lambda: service.ask("/details/0")] * 20, lambda: service.ask("/health"))
    assert health.seconds < 1.0 * SLOW and len(books.requests) == 40
    for answer in slow:
        assert answer.status == 400 and isinstance(answer.json["error"], str)
        assert 9.9 <= answer.seconds < 19.9, "one behind another would wait twice as long"
    assert max(service.took("/details/0", 20)) <= 10.0 + 0.5 * SLOW


# Two addresses of the loopback that nobody else uses, so that the ports which the service takes by itself are free.
def test_08_the_port_is_443_with_tls_and_80_without(start, tmp_path):
    address = f"127.{random.randint(1, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}"
    own = Certificate(tmp_path, f"IP:{address}")
    plain = start.stand_in((200, volumes(publisher="Plain")), address=(address, 80))
    secret = start.stand_in((200, volumes(publisher="Secret")), address=(address, 443), tls=own)
    environment = {"ENABLE_EXTERNAL_BOOK_SERVICE": "true", "EXTERNAL_BOOK_SERVICE_HOSTNAME": address,
                   "SSL_CERT_FILE": str(own.chain)}
    for word, publisher in [("true", "Plain"), ("false", "Secret"), ("TRUE", "Secret")]:
        service = start.service("details", DO_NOT_ENCRYPT=word, **environment)
        assert service.ask("/details/3").json == {**MAPPED, "publisher": publisher}
    assert [request.headers["Host"] for request in plain.requests + secret.requests] == [address] * 3


def test_08_over_tls_the_headers_travel_as_in_plain_text(start, details_before, tmp_path):
    own = Certificate(tmp_path, "DNS:localhost")
    books = start.stand_in((200, volumes()), tls=own)
    service = details_before(books, host="localhost", encrypt=True, SSL_CERT_FILE=str(own.chain))
    assert service.ask("/details/3", headers={"x-request-id": "id-1", "baggage": "a=b"}).json == MAPPED
    assert books.requests[0].headers["x-request-id"] == "id-1" and books.requests[0].headers["baggage"] is None
    assert books.requests[0].headers["Host"] == f"localhost:{books.port}"


def test_08_a_directory_of_authorities_serves_as_well_as_a_file(start, details_before, tmp_path):
    own = Certificate(tmp_path, "DNS:localhost")
    name = subprocess.check_output(["openssl", "x509", "-noout", "-hash", "-in", own.chain], text=True).strip()
    (tmp_path / f"{name}.0").symlink_to(own.chain)
    books = start.stand_in((200, volumes()), tls=own)
    service = details_before(books, host="localhost", encrypt=True, SSL_CERT_DIR=str(tmp_path))
    assert service.ask("/details/3").json == MAPPED


def test_08_a_certificate_that_is_not_trusted_or_for_another_name_is_400(start, details_before, tmp_path):
    own = Certificate(tmp_path, "DNS:books.example")
    books = start.stand_in((200, volumes()), tls=own)
    fails(details_before(books, encrypt=True), "certificate verify failed")
    fails(details_before(books, encrypt=True, SSL_CERT_FILE=str(own.chain)), "certificate verify failed")
    assert books.requests == []


def test_08_who_names_a_file_of_authorities_trusts_no_others(start, details_before, tmp_path, monkeypatch):
    """The service has a machine of its own, as far as it can see: one whose authorities vouch for the book service."""
    own, nobody = tmp_path / "own", tmp_path / "nobody.pem"
    own.mkdir()
    nobody.write_text("")
    trusted = Certificate(own, "DNS:localhost")
    name = subprocess.check_output(["openssl", "x509", "-noout", "-hash", "-in", trusted.chain], text=True).strip()
    (own / f"{name}.0").write_bytes(trusted.chain.read_bytes())
    program = tmp_path / "bookinfo"
    program.write_text(f"""#!/bin/sh
exec unshare -m sh -c 'mount --bind {own} /etc/ssl/certs && exec {shop.BINARY} "$@"' sh "$@"
""")
    program.chmod(0o755)
    monkeypatch.setattr(shop, "BINARY", program)
    books = start.stand_in((200, volumes()), tls=trusted)
    assert details_before(books, host="localhost", encrypt=True).ask("/details/3").json == MAPPED
    fails(details_before(books, host="localhost", encrypt=True, SSL_CERT_FILE=str(nobody)), "certificate verify failed")


def test_08_plain_text_where_tls_is_expected_and_silence_in_the_handshake_are_400(start, details_before):
    fails(details_before(start.stand_in((200, volumes())), encrypt=True), "TLS handshake")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        service = details_before(silent.getsockname()[1], encrypt=True)
        assert 4.9 <= fails(service, "TLS handshake").seconds
        assert service.took("/details/0", 1)[0] <= 5.0 + 0.5 * SLOW
