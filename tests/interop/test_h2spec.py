"""h2spec's cases of HTTP/2 and HPACK, the strict ones too, against a listener of HTTP/2 on plain
text, with an HTTP/1 endpoint behind it."""
import subprocess
from xml.etree import ElementTree

import pytest

from harness import ROOT
from proxy_harness import Proxy, Upstream

H2SPEC = ROOT / "build/interop/h2spec"
CASES = 146  # of version 2.2.1
REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"x" * 300


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Each case by its place in the specification and its words: None, or what went wrong."""
    folder = tmp_path_factory.mktemp("h2spec")
    upstream = Upstream(REPLY)
    with Proxy(upstream.port, folder, extra_hcm="codec_type: HTTP2") as proxy:
        subprocess.run([H2SPEC, "--strict", "--host=127.0.0.1", f"--port={proxy.port}", "--path=/", "--timeout=3",
                        f"--junit-report={folder / 'report.xml'}"], capture_output=True, timeout=400)
        assert proxy.process.poll() is None, "the proxy has ended"
    upstream.close()
    cases = {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        wrong = [each for name in ("failure", "error", "skipped") for each in case.iter(name)]
        cases[f"{case.get('package')} {case.get('classname')}"] = "".join(wrong[0].itertext()) or wrong[0].tag if wrong else None
    return cases


def test_every_case_was_run(report):
    assert len(report) == CASES


def test_every_case_passes(report):
    assert {case: wrong for case, wrong in report.items() if wrong} == {}
