"""What a fresh machine shows while packages are installed and weft is compiled."""
import os
import pty
import re
import subprocess
import time

import pytest

from harness import ROOT, SLOW

PROGRESS = ROOT / "scripts/progress"


@pytest.fixture
def fresh(tmp_path):
    """A machine that has no package, and an apt-get that does as the test says."""
    def tool(name, text):
        (tmp_path / name).write_text("#!/bin/bash\n" + text)
        (tmp_path / name).chmod(0o755)
    tool("dpkg-query", "exit 1\n")
    tool("id", "echo 0\n")
    tool("sleep", "exit 0\n")

    def install(apt_get):
        tool("apt-get", f"echo \"$@\" >>{tmp_path}/asked\n{apt_get}")
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "POLICY_FILE": str(tmp_path / "policy")}
        done = subprocess.run([ROOT / "scripts/deps"], env=environment, capture_output=True, text=True, timeout=60 * SLOW)
        assert not (tmp_path / "policy").exists()
        return done, (tmp_path / "asked").read_text()
    return install


def test_packages_wait_for_whoever_else_installs_some(fresh, tmp_path):
    locked = "Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)"
    done, asked = fresh(f'[ -e {tmp_path}/3 ] && exit 0; for n in 1 2 3; do [ -e {tmp_path}/$n ] || '
                        f'{{ touch {tmp_path}/$n; break; }}; done; echo "E: {locked}" >&2; exit 100\n')
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("another program is installing packages") == 1
    assert asked.count("update") == 4 and "DPkg::Lock::Timeout=600" in asked


def test_packages_that_cannot_be_had_are_an_error_at_once(fresh):
    done, asked = fresh('echo "E: Failed to fetch http://deb.example" >&2; exit 100\n')
    assert done.returncode == 1 and "Failed to fetch" in done.stderr and asked.count("update") == 1


def test_packages_show_how_far_they_are(fresh):
    done, _ = fresh('case "$*" in *install*) for p in 0 17 50 99; do echo "dlstatus:1:$p.5:Retrieving file" >&3; done; '
                    'for p in 0 7 50 100; do echo "pmstatus:gcc:$p.0:Unpacking gcc" >&3; done;; esac\n')
    assert done.returncode == 0, done.stderr
    shown = re.findall(r"packages \[(\d+)/200\] (\d+) %", done.stdout)
    assert shown == [("50", "20"), ("99", "40"), ("100", "50"), ("150", "70"), ("200", "100")], done.stdout


def test_a_long_step_tells_each_tenth_and_what_went_wrong():
    steps = "".join(f"{n} 40 Building CXX object {n}\n" for n in range(1, 41)) + "x.cc:1: error: what\n"
    done = subprocess.run([PROGRESS, "release", "80"], input=steps, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert [line.split(" % ")[0] for line in lines[:10]] == [f"release [{n * 4}/40] {n}0" for n in range(1, 11)]
    assert lines[10:] == ["x.cc:1: error: what"]


def test_a_person_sees_one_line_that_moves_at_least_every_five_seconds():
    parent, child = pty.openpty()
    with subprocess.Popen([PROGRESS, "release", "80"], stdin=subprocess.PIPE, stdout=child, text=True,
                          env={**os.environ, "TERM": "xterm", "COLUMNS": "80"}) as process:
        os.close(child)
        process.stdin.write("3 40 Building CXX object a.cc.o\n")
        process.stdin.flush()
        shown, began = b"", time.monotonic()
        while shown.count(b"\r") < 3:
            shown += os.read(parent, 4096)
            assert time.monotonic() - began < 15 * SLOW, shown
        process.stdin.close()
        process.wait(timeout=30)
    os.close(parent)
    assert b"[3/40]" in shown and b"left" in shown and b"\n" not in shown


def test_a_line_that_comes_in_two_halves_is_one_line():
    parent, child = pty.openpty()
    with subprocess.Popen([PROGRESS, "release", "80"], stdin=subprocess.PIPE, stdout=child, text=True,
                          env={**os.environ, "TERM": "xterm", "COLUMNS": "80"}) as process:
        os.close(child)
        shown = b""
        for half, seen in (("3 200 Building\n1", 3), ("08 200 Linking\n", 5)):
            process.stdin.write(half)
            process.stdin.flush()
            while shown.count(b"\r") < seen:  # it has looked at its input since, at each second
                shown += os.read(parent, 4096)
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    os.close(parent)
    assert b"[108/200]" in shown and b"Linking" in shown, shown
