"""The tour of the sample's README, typed as it stands there: each command, in order, shows what the page says it shows."""
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

from harness import SAMPLE, SLOW, WEFT, Instance

README = SAMPLE / "README.md"
END = "end-of-output"
# Numbers and names that differ from run to run, and how a comparison sees them.
LOOSE = [(r"(-v\d+)-[a-z0-9]{10}-[a-z0-9]{5}\b", r"\1-POD"), (r"\b\d+(\.\d+)? (ms|s)\b", "TIME"), (r"\bunder 0\.1 ms\b", "TIME"),
         (r"under TIME", "TIME"), (r"(Running\s+)0(\s+)\d+s$", r"\1 0 AGE"), (r"127\.0\.0\.1:\d+", "ADDRESS"), (r"\s+", " ")]


def commands_of(text):
    """[(command, [line that it shows])] of the console blocks."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def loosely(line):
    for pattern, instead in LOOSE:
        line = re.sub(pattern, instead, line.strip())
    return line


def shows(expected, output):
    """Whether the output is the lines expected, where a line `...` stands for any number of others."""
    wanted, seen = [loosely(line) for line in expected], [loosely(line) for line in output.strip().splitlines()]
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in wanted)
    return re.fullmatch(pattern, "".join(line + "\n" for line in seen)) is not None


class Shell:
    """One bash for the whole tour, in the sample's folder, with an instance and a port of its own."""

    def __init__(self, mesh):
        self.port = mesh.port
        # What a command says while it waits, after a second of it, is not in the page.
        self.notes = open(mesh.state / "notes", "w")
        environment = {**mesh.environment, "WEFT_INSTANCE": mesh.name, "PATH": f"{WEFT.parent}:{os.environ['PATH']}"}
        # A session of its own, so that a command that hangs can be ended with the shell.
        self.process = subprocess.Popen(["bash"], cwd=SAMPLE, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.notes, start_new_session=True)

    def noted(self):
        return pathlib.Path(self.notes.name).read_text(errors="replace")

    def type(self, command, seconds=60):
        """What a command prints. The port is the only word of it that differs from the page."""
        own = command.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        own = re.sub(r"^weft up ", f"weft up --ingress-port {self.port} ", own)
        self.process.stdin.write(f"{own}\necho; echo {END}\n".encode())
        self.process.stdin.flush()
        deadline, said = time.monotonic() + seconds * SLOW, b""
        while not said.endswith(f"\n{END}\n".encode()):
            left = deadline - time.monotonic()
            is_readable = left > 0 and select.select([self.process.stdout], [], [], left)[0]
            assert is_readable, f"no end after {seconds * SLOW} s of: {command}\n{said.decode(errors='replace')}{self.noted()}"
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, f"the shell ended at: {command}\n{said.decode(errors='replace')}{self.noted()}"
            said += piece
        return said.decode(errors="replace").removesuffix(f"{END}\n")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process.stdout.close()
        self.notes.close()


def test_the_tour_in_the_readme_shows_what_it_says():
    tour = commands_of(README.read_text())
    assert len(tour) > 20 and tour[0][0].startswith("weft up ") and tour[-1][0].startswith("weft down")
    mesh = Instance()
    shell = Shell(mesh)
    try:
        for command, expected in tour:
            output = shell.type(command)
            # Pods come and go in their own time; looking again is what a reader would do. Logs are whole when asked for.
            deadline, again = time.monotonic() + 10 * SLOW, command.startswith(("curl ", "for i in"))
            while not shows(expected, output) and again and time.monotonic() < deadline:
                time.sleep(0.1)
                output = shell.type(command)
            assert shows(expected, output), f"$ {command}\n{output}{shell.noted()}\nThe page says:\n" + "\n".join(expected)
        assert "warning: " not in shell.noted(), shell.noted()
    finally:
        shell.close()
        mesh.destroy()


def test_a_command_that_does_not_end_is_told_with_what_it_printed_so_far():
    mesh = Instance()
    shell = Shell(mesh)
    try:
        assert shell.type("echo one; printf two") == "one\ntwo\n"
        with pytest.raises(AssertionError, match="(?s)no end after .*: echo begun; sleep 600.*begun"):
            shell.type("echo begun; sleep 600", seconds=0.5)
    finally:
        shell.close()
        mesh.destroy()
    assert shell.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("expected, output, same", [
    (["9"], "9\n", True), (["9"], "8\n", False), (["a", "...", "z"], "a\nb\nc\nz\n", True), (["...", "z"], "z\ny\n", False),
    (["within 0.3 ms; status 503."], "within 12 s; status 503.", True), (["0.3 ms; status 503"], "0.3 ms; status 500", False),
    (["reviews-v3-lzf559zvw9-7tv2j 2/2 Running 0 9s"], "reviews-v3-aaaaaaaaaa-bbbbb   2/2  Running   0   12s", True),
    (["reviews-v3-lzf559zvw9-7tv2j 2/2 Running 0 9s"], "reviews-v2-aaaaaaaaaa-bbbbb   2/2  Running   0   12s", False),
    (["reviews-v3-lzf559zvw9-7tv2j 2/2 Running 0 9s"], "reviews-v3-aaaaaaaaaa-bbbbb   2/2  Running   3   12s", False)])
def test_the_comparison_forgives_names_and_times_only(expected, output, same):
    assert shows(expected, output) == same
