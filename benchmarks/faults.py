"""Carries out faults on purpose, and counts what was lost, run and shown raw by them.

    python benchmarks/faults.py
    python benchmarks/faults.py kills --count 20 --jobs 2

Processes are killed at each of the files they write; they get no space, no memory, no place to
write to; files of others are damaged or made to do harm; commands and functions get what makes no
sense. Nothing should be lost, no code of a file's be run, and no traceback be seen. Ends with 1 if
that is not so.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fault_kinds import hostile, killing, senseless, starving
from fault_kinds.found import Found

KINDS: dict[str, tuple[Callable[[Path, int, int], Found], int]] = {
    "kills": (killing.carry_out, 100),
    "starvations": (starving.carry_out, 30),
    "files": (hostile.carry_out, 60),
    "inputs": (senseless.carry_out, 100),
}
"""Name -> what carries so many out, and how many."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carries out what is asked for and prints a table; 1 if anything was lost, run or raw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=list(KINDS), metavar="|".join(KINDS))
    parser.add_argument("--count", type=int, help="of each kind; default that of the whole")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    options = parser.parse_args(arguments)
    print("| faults | carried out | lost | run | raw |\n| --- | ---: | ---: | ---: | ---: |")
    failed = False
    for name in options.kinds:
        carry_out, whole = KINDS[name]
        with tempfile.TemporaryDirectory() as folder:
            found = carry_out(Path(folder), options.count or whole, options.jobs)
        shown = (found.tried, found.lost, found.run, found.raw)
        print(f"| {name} | {' | '.join(map(str, shown))} |", flush=True)
        print(*found.told, sep="\n", file=sys.stderr, flush=True)
        failed |= bool(found.told)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
