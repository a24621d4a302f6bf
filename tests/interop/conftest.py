import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))


def pytest_report_teststatus(report):
    """A line for each case, however quiet pytest is."""
    if report.when == "call" or report.failed:
        line = f"{report.outcome:7} {report.nodeid.rpartition('::')[2]}\n"
        return report.outcome, line, line
