"""Runs the suites of tests/kubernetes on a cluster of our own and counts, as run_tests.py does.

    scripts/e2e_kubernetes.py [FILE...]     file names in tests/kubernetes; default: all, in the order below

Programs, images and the cluster are there already (make e2e-kubernetes sees to it); whatever is missing is a failure. The
last line is "N passed, N failed".
"""
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

from run_tests import ROOT, Tally, say

SCRIPTS = ROOT / "scripts/kubernetes"
SUITES = ["test_images.py", "test_cluster.py", "test_walkthrough.py", "test_store_contract.py", "test_kustomize.py",
          "test_injection.py", "test_capture.py", "test_webhooks.py", "test_control.py", "test_lifecycle.py", "test_figures.py", "test_faults.py"]
SUITE_LIMIT_SECONDS = 600 + int(os.environ.get("API_AWAY", "0"))  # test_faults.py keeps the API server away that long
FIGURES = ROOT / "build/kubernetes-figures.txt"


def run_suite(tally, name):
    report = ROOT / "build" / f"kubernetes_{name.removesuffix('.py')}.xml"
    report.unlink(missing_ok=True)
    began = time.monotonic()
    try:
        code = subprocess.run([SCRIPTS / "run", ROOT / "scripts/python", "-m", "pytest", "-q", "--no-header", "-rP", "--tb=short",
                               "-p", "no:cacheprovider", f"--junitxml={report}", f"tests/kubernetes/{name}"], cwd=ROOT,
                              timeout=SUITE_LIMIT_SECONDS).returncode
    except subprocess.TimeoutExpired:
        code = "a time-out"
    passed, failures = 0, []
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            if any(case.find(bad) is not None for bad in ("failure", "error", "skipped")):
                failures.append(f"{name}::{case.get('name')}")
            else:
                passed += 1
    if (code != 0 and not failures) or passed + len(failures) == 0:
        failures.append(f"{name} ended with {code}")
    say(f"{name}: {passed} passed, {len(failures)} failed ({time.monotonic() - began:.0f} s)")
    tally.add(passed, failures)


def main():
    tally = Tally()
    began = time.monotonic()
    FIGURES.unlink(missing_ok=True)
    images = [ROOT / "build/images" / name for name in ("weft.tar", "bookinfo.tar")]
    up = subprocess.run([SCRIPTS / "up"]).returncode == 0 and subprocess.run([SCRIPTS / "import-image", *images]).returncode == 0
    try:
        if up:
            subprocess.run([ROOT / "scripts/python", "-c", ""], check=True)  # its packages come from outside the cluster
            for name in sys.argv[1:] or SUITES:
                run_suite(tally, name)
        else:
            tally.add(0, ["the cluster did not come up"])
    finally:
        if not os.environ.get("KEEP_CLUSTER") and subprocess.run([SCRIPTS / "down"]).returncode:
            tally.add(0, ["the cluster left something behind"])
    if FIGURES.exists():
        say(FIGURES.read_text().rstrip())
    for failure in tally.failures:
        say(f"FAILED {failure}")
    say(f"on the cluster: {time.monotonic() - began:.0f} s")
    say(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
