"""Builds the presets named and runs every test on each; without names each test on the build that shows most. Counts.
On `tsan`: the unit tests, and of the others those in which several threads or many connections share something.

Three kinds of tests: the checks of the tree, the GoogleTest programs (*_test), and the pytest suites. Each suite that
cannot be built or run counts as one failure, so a missing piece is never a pass. The last line is "N passed, N failed".
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
CHECKS = ["check_arrows", "check_sizes", "check_names", "check_limits", "check_fields", "check_json"]
PYTEST_SUITES = ["samples/bookinfo/tests", "tests/capture", "tests/e2e", "tests/torture"]
# Speed and memory of what users run; a sanitizer's say nothing.
RELEASE_SUITES = ["tests/soak"]
# Without names: what users run meets the end-to-end tests, the sanitizers the unit tests and fuzz corpora, and both the tortures.
PROGRAMS = ["weft", "weft-proxy", "bookinfo", "grpc-echo"]
SANITIZED_SUITES = ["tests/torture"]
# ThreadSanitizer makes all of it several times slower and finds nothing in one thread: rules, load, faults and limits of
# both planes, and both under torture, with this many workers in each proxy.
TSAN_WORKERS = "4"
TSAN_SUITES = [f"tests/e2e/test_{name}.py" for name in (
    "proxy", "wire", "bodies", "first_bytes", "pod_proxy", "rules", "shop_rules", "faults", "comes_back", "control_plane_limits")]
TSAN_SUITES += [f"tests/torture/test_torture.py::test_no_invariant_breaks[{name}]" for name in ("data_plane", "control_plane")]
# A whole mesh on a simulated loop is some 20 times as fast without sanitizers, which see 60 seeds of it.
MESH_TORTURE, MESH_SEEDS = ["weft_app_test", "MeshTorture.*"], "1000"
UNIT_LIMIT_SECONDS = 900
SUITE_LIMIT_SECONDS = 2100
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Tally:
    def __init__(self):
        self.passed = 0
        self.failures = []

    def add(self, passed, failures):
        self.passed += passed
        self.failures += failures


def say(text):
    print(text, flush=True)


def check(tally):
    for name in CHECKS:
        done = subprocess.run([ROOT / "scripts" / name], cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            say(done.stdout + done.stderr)
        tally.add(int(done.returncode == 0), [name] if done.returncode else [])


def build(preset, targets=()):
    began = time.monotonic()
    done = subprocess.run([ROOT / "scripts" / "build", preset, *targets], cwd=ROOT)
    say(f"{preset}: built in {time.monotonic() - began:.0f} s")
    return done.returncode == 0


def run_unit(binary, preset, only="*", more=None):
    report = binary.with_suffix(".json")
    report.unlink(missing_ok=True)
    began = time.monotonic()
    label = f"{preset} {binary.name}"
    try:
        done = subprocess.run([binary, f"--gtest_output=json:{report}", f"--gtest_filter={only}", "--gtest_brief=1"], cwd=ROOT,
                              text=True, env={**os.environ, **SANITIZER_OPTIONS, **(more or {})}, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=UNIT_LIMIT_SECONDS, errors="replace")
        output, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as expired:
        output, code = (expired.stdout or b"").decode(errors="replace"), "a time-out"
    passed, failures = 0, []
    if report.exists():
        for suite in json.loads(report.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                if case.get("failures"):
                    failures.append(f"{label} {suite['name']}.{case['name']}")
                elif case.get("result") == "COMPLETED":
                    passed += 1
    if (code != 0 and not failures) or passed + len(failures) == 0:
        failures.append(f"{label} ended with {code}")
    return label, passed, failures, output, time.monotonic() - began


def unit_tests(tally, preset):
    binaries = sorted(p for p in (ROOT / "build" / preset).rglob("*_test") if p.is_file() and os.access(p, os.X_OK))
    # The namespaces and processes of the local runtime are timed; it runs by itself after the others.
    alone = [b for b in binaries if "local" in b.name]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda b: run_unit(b, preset), [b for b in binaries if b not in alone]))
    results += [run_unit(b, preset) for b in alone]
    for result in results:
        count(tally, result)


def count(tally, result):
    label, passed, failures, output, seconds = result
    say(f"{label}: {passed} passed, {len(failures)} failed ({seconds:.1f} s)")
    if failures:
        say(output[-20000:])
    tally.add(passed, failures)


def mesh_torture(tally):
    program, only = MESH_TORTURE
    binary = next((ROOT / "build/release").rglob(program))
    count(tally, run_unit(binary, f"release, {MESH_SEEDS} seeds:", only, {"SEEDS": MESH_SEEDS}))


def replays(tally, preset):
    """Every fuzz target on its corpus; a target without one is a failure."""
    for binary in sorted((ROOT / "build" / preset).rglob("weft_*_fuzz_replay")):
        name = binary.name.removesuffix("_replay")
        try:
            done = subprocess.run([binary, ROOT / "fuzz/corpus" / name], text=True, env={**os.environ, **SANITIZER_OPTIONS}, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=UNIT_LIMIT_SECONDS)
            code, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired:
            code, output = "a time-out", ""
        say(f"{preset} {name}: {output.splitlines()[-1] if code == 0 else f'ended with {code}'}")
        if code != 0:
            say(output[-5000:])
        tally.add(int(code == 0), [f"{preset} {name} on its corpus"] if code != 0 else [])


def pytest_suites(tally, preset):
    for suite in PYTEST_SUITES + (RELEASE_SUITES if preset == "release" else []):
        run_pytest(tally, preset, suite)


def with_threads(tally):
    """Tests of the whole under ThreadSanitizer. What it reports of our programs is in files (cmake/tsan_defaults.cc)."""
    folder = ROOT / "build/tsan/reports"
    for old in folder.glob("report.*"):
        old.unlink()
    for suite in TSAN_SUITES:
        run_pytest(tally, "tsan", suite, {"TSAN_OPTIONS": "", "WEFT_TEST_WORKERS": TSAN_WORKERS})
        for report in sorted(folder.glob("report.*")):
            say(report.read_text(errors="replace")[-20000:])
            tally.add(0, [f"tsan {suite}: {report.name}"])
            report.unlink()


def run_pytest(tally, preset, suite, more=None):
    report = ROOT / "build" / preset / (re.sub(r"\W+", "_", suite.removesuffix(".py")) + ".xml")
    report.unlink(missing_ok=True)
    environment = {**os.environ, **SANITIZER_OPTIONS, "WEFT_BUILD": str(ROOT / "build" / preset),
                   "BOOKINFO_BIN": str(ROOT / "build" / preset / "samples/bookinfo/bookinfo"), **(more or {})}
    began = time.monotonic()
    try:
        code = subprocess.run([ROOT / "scripts" / "python", "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider",
                               f"--junitxml={report}", suite], cwd=ROOT, env=environment,
                              timeout=SUITE_LIMIT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        code = "a time-out"
    passed, failures = 0, []
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            bad = case.find("failure") is not None or case.find("error") is not None or case.find("skipped") is not None
            if bad:
                failures.append(f"{preset} {case.get('classname')}::{case.get('name')}")
            else:
                passed += 1
    if (code != 0 and not failures) or passed + len(failures) == 0:
        failures.append(f"{preset} {suite} ended with {code}")
    say(f"{preset} {suite}: {passed} passed, {len(failures)} failed ({time.monotonic() - began:.0f} s)")
    tally.add(passed, failures)


def each_where_it_shows_most(tally):
    if build("asan"):
        unit_tests(tally, "asan")
        replays(tally, "asan")
        for suite in SANITIZED_SUITES:
            run_pytest(tally, "asan", suite)
    else:
        tally.add(0, ["asan build"])
    if build("release", [*PROGRAMS, MESH_TORTURE[0]]):
        mesh_torture(tally)
        pytest_suites(tally, "release")
    else:
        tally.add(0, ["release build"])


def main():
    tally = Tally()
    check(tally)
    if not sys.argv[1:]:
        each_where_it_shows_most(tally)
    for preset in sys.argv[1:]:
        if not build(preset):
            tally.add(0, [f"{preset} build"])
            continue
        unit_tests(tally, preset)
        replays(tally, preset)
        if preset == "tsan":
            with_threads(tally)
        else:
            pytest_suites(tally, preset)
    for failure in tally.failures:
        say(f"FAILED {failure}")
    say(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
