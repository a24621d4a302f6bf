"""Each torture for TORTURE_MINUTES (1 by default), as a user would run it. SEED repeats one."""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
MINUTES = os.environ.get("TORTURE_MINUTES", "1")


@pytest.mark.parametrize("name", ["data_plane", "control_plane", "machine"])
def test_no_invariant_breaks(name):
    done = subprocess.run([sys.executable, HERE / name / "run.py"], env=os.environ | {"MINUTES": MINUTES}, text=True, capture_output=True,
                          timeout=600 + 180 * float(MINUTES))
    print(done.stdout[-20000:] + done.stderr[-5000:])
    assert done.returncode == 0
