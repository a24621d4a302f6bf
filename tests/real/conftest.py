import json
import pathlib
import shutil
import tempfile

import pytest

from lab import RATIOS, Lab
from software import SERVERS

ROWS = []


@pytest.fixture(scope="session")
def lab():
    """One mesh; servers come and go in it. Its folder is not pytest's, which servers that are not root cannot enter."""
    made = Lab(pathlib.Path(tempfile.mkdtemp(prefix="weft-real-")))
    made.folder.chmod(0o755)
    try:
        made.up()
        yield made
    finally:
        made.mesh.destroy()
        shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def served(lab):
    """Starts a software's server and those behind it; a server that the next test needs too stays."""
    def serve(name):
        software = next(each for each in SERVERS if each.name == name)
        for behind in software.behind:
            serve(behind)
        lab.serve(software)
        return software
    return serve


@pytest.fixture
def record():
    """Takes one row of the table of speeds."""
    return lambda *row: ROWS.append(row)


def pytest_terminal_summary(terminalreporter):
    if not ROWS:
        return
    RATIOS.write_text(json.dumps([dict(zip(("software", "unit", "plain", "meshed", "ratio"), row)) for row in ROWS], indent=1) + "\n")
    terminalreporter.section("speed without and with sidecars")
    for software, unit, plain, meshed, ratio in [("software", "unit", "without", "with", "ratio"), *ROWS]:
        numbers = [each if isinstance(each, str) else f"{each:.0f}" for each in (plain, meshed)]
        shown = ratio if isinstance(ratio, str) else f"{ratio:.2f}"
        terminalreporter.write_line(f"{software:16} {unit:12} {numbers[0]:>9} {numbers[1]:>9} {shown:>6}")
