"""What a scraper of /metrics meets: the text format, and what counts how often."""
import re
import time

from shop import closed_port

SERIES = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$")
CLOCK_REALTIME_COARSE = 5  # of Linux, for which Python has no name


def exposition(page):
    """{name and labels: number}, after a look at the form: each series below the HELP and TYPE of its family."""
    answer = page.ask("/metrics")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text.endswith("\n")
    numbers, helped, typed, family = {}, [], {}, None
    for line in answer.text.splitlines():
        if line.startswith("# HELP "):
            family = line.split(" ", 3)[2]
            helped.append(family)
        elif line.startswith("# TYPE "):
            assert line.split()[2] == family, f"{line} is not below its HELP"
            typed[family] = line.split()[3]
        else:
            name, labels, number = SERIES.match(line).groups()
            assert name == family and name + (labels or "") not in numbers, line
            numbers[name + (labels or "")] = float(number)
    assert helped == list(typed), "each family once, with a type"
    return numbers, typed, answer.text


def of(service, status, what="total"):
    return f'request_result_{what}{{destination_app="{service}",response_code="{status}"}}'


def test_58_the_families_have_their_help_and_type_before_the_first_call_too(page_before):
    numbers, typed, text = exposition(page_before())
    assert typed["request_result_total"] == "counter" and typed["request_result_created"] == "gauge"
    assert "# HELP request_result_total Results of requests\n# TYPE request_result_total counter\n" in text
    assert not any(name.startswith("request_result") for name in numbers)


def test_58_each_series_has_the_time_of_its_first_count_beside_it(page_before):
    # The clock of time(2), which productpage notes, is behind the exact one by up to a tick.
    page, began = page_before(), int(time.clock_gettime(CLOCK_REALTIME_COARSE))
    page.ask("/productpage")
    first, _, _ = exposition(page)
    counted = {name for name in first if name.startswith("request_result_total")}
    assert counted == {of("details", 200), of("reviews", 200)}
    for service in ("details", "reviews"):
        assert began <= first[of(service, 200, "created")] <= time.time()
    page.ask("/productpage")
    second, _, _ = exposition(page)
    assert second[of("details", 200)] == 2 and second[of("details", 200, "created")] == first[of("details", 200, "created")]


def test_58_what_the_process_is_stands_there_too(page_before):
    page = page_before()
    numbers, typed, _ = exposition(page)
    assert abs(numbers["process_resident_memory_bytes"] / 1024 - page.resident_kib) < 4096
    assert time.time() - 60 < numbers["process_start_time_seconds"] <= time.time()
    assert typed["process_resident_memory_bytes"] == typed["process_start_time_seconds"] == "gauge"


def test_59_each_fetch_of_a_flood_counts_once_whatever_its_attempts(start, page_before):
    page = page_before({"FLOOD_FACTOR": "3"})
    page.ask("/productpage")
    numbers, _, _ = exposition(page)
    assert (numbers[of("reviews", 200)], numbers[of("details", 200)]) == (4, 1)
    failing = page_before({"FLOOD_FACTOR": "3"}, reviews=start.stand_in((503, "down")), ratings=closed_port())
    failing.ask("/productpage")
    failing.ask("/api/v1/products/0/ratings")
    numbers, _, _ = exposition(failing)
    assert len(failing.places["reviews"].requests) == 8
    assert numbers[of("reviews", 503)] == 4 and numbers[of("ratings", 500)] == 1
