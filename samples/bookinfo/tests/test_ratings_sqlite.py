"""ratings v2 on SQLite: the file is made and seeded; whatever is wrong with it is said, and nothing hangs."""
import contextlib
import json
import os
import sqlite3
import subprocess
import threading
import time

import pytest

from shop import RATINGS, SLOW, at_once, wait_for

NOT_CONNECTED = {"error": "could not connect to ratings database"}
NOT_READ = {"error": "could not perform select"}
HEALTHY = {"status": "Ratings is healthy"}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ratings.db"


@pytest.fixture
def on_sqlite(start):
    def make(file, **environment):
        return start.service("ratings", SERVICE_VERSION="v2", DB_TYPE="sqlite", SQLITE_FILE=str(file), **environment)
    return make


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 8 KiB; `remount` changes its options."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "bookinfo-test", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def remount(place, options):
    subprocess.run(["mount", "-o", f"remount,{options}", place], check=True)


def change(file, *statements):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


@contextlib.contextmanager
def locked(file):
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")


def not_healthy(service):
    answer = service.ask("/health")
    return answer.status == 500 and answer.json["status"] == "Ratings is not healthy" and answer.json["error"]


def test_16_a_file_is_made_and_seeded_and_a_change_shows_at_the_next_request(on_sqlite, file):
    ratings = on_sqlite(file)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 200 and answer.json == RATINGS
    assert answer.text == '{"id":0,"ratings":{"Reviewer1":5,"Reviewer2":4}}'
    change(file, "UPDATE ratings SET Rating = 1 WHERE ReviewID = 1")
    assert ratings.ask("/ratings/7").json == {"id": 7, "ratings": {"Reviewer1": 1, "Reviewer2": 4}}
    assert ratings.ask("/health").json == HEALTHY


def test_what_is_in_the_file_stays_when_the_service_starts_again(on_sqlite, file, start):
    on_sqlite(file)
    start.started.pop().stop()
    change(file, "UPDATE ratings SET Rating = 2 WHERE ReviewID = 2")
    assert on_sqlite(file).ask("/ratings/0").json["ratings"] == {"Reviewer1": 5, "Reviewer2": 2}


def test_15_a_post_is_501_after_the_id_and_the_json_are_looked_at(on_sqlite, file):
    ratings = on_sqlite(file)
    def post(path, body): return ratings.ask(path, method="POST", body=body)
    answer = post("/ratings/0", json.dumps({"Reviewer1": 1}))
    assert answer.status == 501 and answer.json == {"error": "Post not implemented for database backed ratings"}
    assert post("/ratings/0", "{bad").json == {"error": "please provide valid ratings JSON"}
    assert post("/ratings/abc", "{}").json == {"error": "please provide numeric product ID"}
    assert ratings.ask("/ratings/0").json == RATINGS


@pytest.mark.parametrize("statements, shown", [
    (["DELETE FROM ratings"], [0, 0]), (["DELETE FROM ratings WHERE ReviewID = 2"], [5, 0]),
    (["INSERT INTO ratings VALUES (3, 1)", "INSERT INTO ratings VALUES (4, 2)"], [5, 4]),
    (["UPDATE ratings SET Rating = -1 WHERE ReviewID = 1", "UPDATE ratings SET Rating = 7 WHERE ReviewID = 2"], [-1, 7]),
    (["UPDATE ratings SET Rating = 'many <b>' WHERE ReviewID = 1", "UPDATE ratings SET Rating = NULL WHERE ReviewID = 2"],
     ["many <b>", None]),
    (["UPDATE ratings SET Rating = 2.5 WHERE ReviewID = 1", "UPDATE ratings SET Rating = x'00ff' WHERE ReviewID = 2"],
     [2.5, None])])
def test_19_rows_are_shown_as_they_are_and_missing_ones_are_0(on_sqlite, file, statements, shown):
    ratings = on_sqlite(file)
    change(file, *statements)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 200 and answer.json["ratings"] == dict(zip(("Reviewer1", "Reviewer2"), shown))
    assert ratings.ask("/health").json == HEALTHY


@pytest.mark.parametrize("value", ["CAST(x'ff41' AS TEXT)", "printf('%.*c', 1000000, 'x')"])
def test_text_that_json_or_memory_cannot_hold_is_a_failed_select(on_sqlite, file, value):
    ratings = on_sqlite(file)
    change(file, f"UPDATE ratings SET Rating = {value} WHERE ReviewID = 1")
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_READ


def test_18_no_table_is_a_failed_select_and_comes_back_with_the_table(on_sqlite, file):
    ratings = on_sqlite(file)
    change(file, "ALTER TABLE ratings RENAME TO away")
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_READ and "no such table" in not_healthy(ratings)
    change(file, "ALTER TABLE away RENAME TO ratings")
    assert ratings.ask("/ratings/0").json == RATINGS and ratings.ask("/health").status == 200


def test_a_file_that_goes_away_is_no_connection_until_it_is_back(on_sqlite, file):
    ratings = on_sqlite(file)
    away = file.with_suffix(".away")
    file.rename(away)
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_CONNECTED and str(file) in not_healthy(ratings)
    assert not file.exists(), "a new file would hide that the old one is gone"
    away.rename(file)
    assert ratings.ask("/ratings/0").json == RATINGS and ratings.ask("/health").status == 200


@pytest.mark.parametrize("make", [
    lambda file: file.write_bytes(b"this is no database\n" * 1000), lambda file: file.mkdir(), os.mkfifo])
def test_what_is_no_database_at_start_is_said_and_not_overwritten(on_sqlite, file, make):
    make(file)
    before = file.read_bytes() if file.is_file() else None
    ratings = on_sqlite(file)
    answer = ratings.ask("/ratings/0", timeout=5)
    assert answer.status == 500 and answer.json == NOT_CONNECTED and str(file) in not_healthy(ratings)
    assert before is None or file.read_bytes() == before


def test_a_file_that_turns_corrupt_is_said(on_sqlite, file):
    ratings = on_sqlite(file)
    good = file.read_bytes()
    file.write_bytes(good[:4096] + b"\xff" * (len(good) - 4096))
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_READ and "malformed" in not_healthy(ratings)
    file.write_bytes(good)
    assert ratings.ask("/ratings/0").json == RATINGS and ratings.ask("/health").status == 200


def test_a_full_disk_is_said_and_once_there_is_room_the_file_is_made(on_sqlite, small_disk):
    (small_disk / "filler").write_bytes(b"x" * 8192)
    ratings = on_sqlite(small_disk / "ratings.db")
    answer = ratings.ask("/ratings/0")
    assert answer.status == 500 and answer.json == NOT_CONNECTED and "full" in not_healthy(ratings)
    remount(small_disk, "size=1m")
    assert ratings.ask("/ratings/0").json == RATINGS and ratings.ask("/health").status == 200


def test_a_read_only_disk_serves_what_is_there_and_says_when_nothing_is(on_sqlite, small_disk):
    remount(small_disk, "size=1m")
    seeded = on_sqlite(small_disk / "ratings.db")
    remount(small_disk, "ro")
    again = on_sqlite(small_disk / "ratings.db")
    for service in (seeded, again):
        assert service.ask("/ratings/0").json == RATINGS and service.ask("/health").json == HEALTHY
    missing = on_sqlite(small_disk / "other.db")
    assert missing.ask("/ratings/0").json == NOT_CONNECTED and "other.db" in not_healthy(missing)


def test_a_lock_of_ten_seconds_delays_only_those_who_need_the_table(on_sqlite, file):
    ratings = on_sqlite(file)
    waiting = []
    with locked(file):
        threads = [threading.Thread(target=lambda: waiting.append(ratings.ask("/ratings/0"))) for _ in range(50)]
        for thread in threads:
            thread.start()
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            for path, status in (("/ratings/abc", 400), ("/foo", 404)):
                answer = ratings.ask(path)
                assert answer.status == status and answer.seconds < 0.5 * SLOW
            time.sleep(0.2)
        assert not waiting
        health = ratings.ask("/health")
        assert health.json == HEALTHY, "a lock passes; it is no fault of the file"
        assert health.seconds < 1 * SLOW
    for thread in threads:
        thread.join()
    assert len(waiting) == 50 and all(answer.status == 200 and answer.json == RATINGS for answer in waiting)
    assert all(9 < answer.seconds < 14 * SLOW for answer in waiting)


def test_a_lock_past_the_deadline_is_a_failed_select_and_then_over(on_sqlite, file):
    ratings = on_sqlite(file, DATABASE_TIMEOUT_MS="500")
    with locked(file):
        answers = at_once(*[lambda: ratings.ask("/ratings/0")] * 30)
        assert all(answer.status == 500 and answer.json == NOT_READ for answer in answers)
        assert all(0.4 < answer.seconds < 1.5 * SLOW for answer in answers)
    wait_for("the lock to be over", lambda: ratings.ask("/ratings/0").json == RATINGS)


def test_a_lock_that_was_there_before_the_first_request_passes_too(on_sqlite, file, start):
    on_sqlite(file)
    start.started.pop().stop()
    with locked(file):
        ratings = on_sqlite(file, DATABASE_TIMEOUT_MS="1500")
        *answers, health = at_once(*[lambda: ratings.ask("/ratings/0")] * 20, lambda: ratings.ask("/health"))
        assert all(answer.status == 500 and answer.json == NOT_READ for answer in answers)
        assert all(1.4 < answer.seconds < 2.5 * SLOW for answer in answers)
        assert health.json == HEALTHY and health.seconds < 1 * SLOW
        health = ratings.ask("/health")
        assert health.json == HEALTHY and health.seconds < 1 * SLOW
    wait_for("the lock to be over", lambda: ratings.ask("/ratings/0").json == RATINGS)


def test_more_requests_than_may_wait_are_refused_at_once(on_sqlite, file):
    ratings = on_sqlite(file, DATABASE_TIMEOUT_MS="8000")
    with locked(file):
        answers = at_once(*[lambda: ratings.ask("/ratings/0")] * 300)
    assert all(answer.status == 500 and answer.json == NOT_READ for answer in answers)
    quick = [answer for answer in answers if answer.seconds < 5]
    assert 20 <= len(quick) <= 60, len(quick)
    assert ratings.ask("/ratings/0").json == RATINGS
