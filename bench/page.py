"""Measures what a page of Bookinfo costs in the mesh on this machine and prints a table and JSON.

    scripts/python bench/page.py [--runs 5] [--seconds 4]

`weft up` with the sample, reviews at version 3, and wrk with eight connections at the ingress. The processor time of the
proxies (the ingress among them) and of the services, divided by the pages, is the cost: a machine that others share
changes it little. The median of the runs counts, with the lowest and the highest beside it; a run with an answer that is
not 200, or in which a SYN was sent twice, is void. Exit code 1 when a bound is missed.
"""
import argparse
import json
import re
import statistics
import subprocess
import sys

from run import BUILD, ROOT

sys.path += [str(ROOT / "tests/e2e"), str(ROOT / "tests/soak")]
from harness import BOOKINFO, GATEWAY, NETWORKING, SUBSETS, instance
from watch import Watch, total

# Microseconds of processor time a page.
AT_MOST = {"proxies": 300, "services": 300}


def one_run(mesh, watch, seconds):
    spent = {"proxies": -watch.cpu("proxy"), "services": -watch.cpu("service")}
    sent_twice = total(watch.look(), "syn_retransmitted")
    out = subprocess.run(["wrk", "-t1", "-c8", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{mesh.port}/productpage"],
                         check=True, capture_output=True, text=True).stdout
    if bad := re.search(r"(Non-2xx|Socket errors).*", out):
        raise RuntimeError(bad.group(0))
    if total(watch.look(), "syn_retransmitted") != sent_twice:
        raise RuntimeError("a SYN was sent twice: the run is void")
    pages = int(re.search(r"(\d+) requests in", out).group(1))
    spent["proxies"] += watch.cpu("proxy")
    spent["services"] += watch.cpu("service")
    return {what: value * 1e6 / pages for what, value in spent.items()} | {"pages_per_s": pages / seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    options = parser.parse_args()
    print("measuring Bookinfo's page ...", file=sys.stderr, flush=True)
    with instance(BOOKINFO, SUBSETS, GATEWAY, NETWORKING / "virtual-service-reviews-v3.yaml") as mesh:
        mesh.wait_ready()
        watch = Watch(mesh)
        one_run(mesh, watch, 1)
        runs = [one_run(mesh, watch, options.seconds) for _ in range(options.runs)]
    figures = {key: {"median": statistics.median(run[key] for run in runs), "low": min(run[key] for run in runs),
                     "high": max(run[key] for run in runs)} for key in runs[0]}
    names = {"proxies": "Bookinfo's page: CPU us in proxies", "services": "Bookinfo's page: CPU us in services",
             "pages_per_s": "Bookinfo's page: pages a second"}
    for key, name in names.items():
        print(f"{name:42} {figures[key]['median']:10.1f} ({figures[key]['low']:.0f}-{figures[key]['high']:.0f})")
    missed = [f"{key}: {figures[key]['median']:.0f} us a page, more than {bound}" for key, bound in AT_MOST.items()
              if figures[key]["median"] > bound]
    (BUILD / "bench-page.json").write_text(json.dumps({"page": figures, "missed": missed}, indent=1))
    for each in missed:
        print(f"missed: {each}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
