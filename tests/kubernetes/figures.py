"""The figures that a run measured: one line each in build/kubernetes-figures.txt, and an assertion of the limit."""
from harness import ROOT

FILE = ROOT / "build/kubernetes-figures.txt"


def note(what, value, unit, remark):
    """A figure without a limit."""
    line = f"{what:<64} {value:>9.1f} {unit:<10} {remark}"
    print("\n" + line)
    with FILE.open("a") as file:
        file.write(line + "\n")
    return line


def record(what, value, unit, limit):
    line = note(what, value, unit, f"at most {limit:g}")
    assert value <= limit, line
