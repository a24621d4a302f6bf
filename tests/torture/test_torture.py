"""Each torture for TORTURE_MINUTES (1 by default), as a user would run it. SEED repeats one."""
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
MINUTES = float(os.environ.get("TORTURE_MINUTES", "1"))

# The part of that time: what takes no turns with anything finds its differences sooner.
PARTS = {"data_plane": 1, "control_plane": 1, "machine": 1, "differential": 0.4}


@pytest.mark.parametrize(("name", "part"), PARTS.items(), ids=PARTS.keys())
def test_no_invariant_breaks(name, part):
    minutes = MINUTES * part
    done = subprocess.run([sys.executable, HERE / name / "run.py"], env=os.environ | {"MINUTES": str(minutes)}, text=True, capture_output=True,
                          timeout=600 + 180 * minutes)
    print(done.stdout[-20000:] + done.stderr[-5000:])
    assert done.returncode == 0
