"""A shell that is typed into, and the Markdown of what it said."""
import os
import pathlib
import re
import select
import subprocess
import time
import uuid

from harness import ENVIRONMENT


class Shell:
    """One bash for all lines, so what one line exports the next one sees."""

    def __init__(self, directory):
        self.bash = subprocess.Popen(["bash"], cwd=directory, env=ENVIRONMENT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)
        os.set_blocking(self.bash.stdout.fileno(), False)

    def type(self, line, seconds=150):
        """Returns (output, status)."""
        mark = uuid.uuid4().hex
        self.bash.stdin.write(f"{line}\nprintf '%s %d\\n' {mark} $?\n".encode())
        self.bash.stdin.flush()
        said, deadline = b"", time.monotonic() + seconds
        while time.monotonic() < deadline:
            if select.select([self.bash.stdout], [], [], 0.5)[0]:
                said += self.bash.stdout.read() or b""
            found = re.search(rf"{mark} (\d+)\n".encode(), said)
            if found:
                return said[:found.start()].decode(errors="replace"), int(found.group(1))
            assert self.bash.poll() is None, f"the shell ended in: {line}\n{said.decode(errors='replace')}"
        raise AssertionError(f"no end within {seconds} s of: {line}\n{said.decode(errors='replace')}")

    def close(self):
        self.bash.stdin.close()
        self.bash.wait(timeout=10)


class Transcript:
    """Commands with their output under headings; kept even when the run fails half-way."""

    def __init__(self, shell, file):
        self.shell, self.file = shell, pathlib.Path(file)
        self.parts = []

    def text(self, words):
        self.parts.append(words + "\n")
        self._save()

    def type(self, line, seconds=150, fails=False):
        output, status = self.shell.type(line, seconds)
        self.parts.append("```console\n$ " + line + "\n" + output.rstrip() + "\n```\n")
        self._save()
        assert fails or status == 0, f"$ {line}\n{output}\nended with {status}"
        return output

    def _save(self):
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text("\n".join(self.parts))
