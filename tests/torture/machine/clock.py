"""A wall clock of their own for the programs under test, which can be set while they run. The machine's stays as it is.

A small library answers clock_gettime(2) for CLOCK_REALTIME; /etc/ld.so.preload names it, in a mount namespace of the test. Programs
that are linked statically (the release build) keep the machine's clock.
"""
import atexit
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
MARK = "WEFT_TORTURE_CLOCK"


def enter():
    """Runs this program again in a mount namespace of its own, once."""
    if MARK not in os.environ:
        os.environ[MARK] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


class Clock:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="weft-clock-", dir="/tmp"))
        atexit.register(shutil.rmtree, self.directory, ignore_errors=True)
        self.directory.chmod(0o755)
        file, library = self.directory / "offset", self.directory / "clock.so"
        file.write_bytes(bytes(8))
        with open(file, "r+b") as opened:
            self.memory = mmap.mmap(opened.fileno(), 8)
        subprocess.run(["clang-19", "-shared", "-fPIC", "-O1", f'-DOFFSET_FILE="{file}"', "-o", library, HERE / "clock.c"], check=True)
        etc = self.directory / "etc"
        shutil.copytree("/etc", etc, symlinks=True)
        (etc / "ld.so.preload").write_text(f"{library}\n")
        subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
        atexit.register(subprocess.run, ["umount", "-l", "/etc"], check=False)
        self.file = str(file)

    def set(self, seconds):
        self.memory[:] = struct.pack("=q", seconds)

    def rules(self, pid):
        """Whether that process goes by this clock."""
        return self.file in pathlib.Path(f"/proc/{pid}/maps").read_text()
