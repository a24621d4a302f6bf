"""The contract of the store interface, kept by the real API server: the unit tests of src/store with one place more."""
import json
import os

from harness import BUILD, ENVIRONMENT, run

PROGRAM = BUILD / "src/store/weft_store_test"


def test_the_real_api_server_keeps_the_stores_contract(cluster, tmp_path):
    report = tmp_path / "report.json"
    done = run(PROGRAM, "--gtest_filter=*Contract*RealCluster*", f"--gtest_output=json:{report}", "--gtest_brief=1", check=False,
               timeout=240, environment={**ENVIRONMENT, "WEFT_TEST_KUBECONFIG": os.environ["KUBECONFIG"]})
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    cases = [case for suite in json.loads(report.read_text())["testsuites"] for case in suite["testsuite"]]
    print(f"\n{len(cases)} statements of the contract against the real API server")
    assert cases and all(c["result"] == "COMPLETED" for c in cases)
