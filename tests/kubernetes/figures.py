"""The figures that a run measured: one line each in build/kubernetes-figures.txt, and an assertion of the limit."""
from harness import ROOT

FILE = ROOT / "build/kubernetes-figures.txt"


def record(what, value, unit, limit):
    line = f"{what:<64} {value:>9.1f} {unit:<10} at most {limit:g}"
    print("\n" + line)
    with FILE.open("a") as file:
        file.write(line + "\n")
    assert value <= limit, line
