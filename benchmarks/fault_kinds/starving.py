"""Runs that get no space, no memory, no place to write to, or a strange surrounding."""

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .found import Found, unclean
from .killing import ALONE, CONFIG, differences
from .process import Ended, Fault, run


@dataclass(frozen=True)
class Case:
    """A run that starves.

    Args:
        name: of what it lacks.
        fault: what goes wrong.
        environment: variables that are set, or with None are not.
        codes: the exit codes that are right.
        out: where the run is written, below the current directory.
    """

    name: str
    fault: Fault = field(default_factory=Fault)
    environment: Mapping[str, str | None] = field(default_factory=dict)
    codes: Sequence[int] = (2,)
    out: str = "run"


def carry_out(folder: Path, count: int, jobs: int) -> Found:
    """Starves `count` runs, lets them go on with all they need, and compares them in the end."""
    whole = _place(folder / "whole")
    ended = _called(whole, Case("nothing"))
    if ended.code:
        raise RuntimeError(f"the run fails without a fault: {ended.err[-2000:]}")
    cases = _cases(ended.writes, count)
    found = Found("starvations")
    with ThreadPoolExecutor(jobs) as pool:
        places = [_place(folder / f"case {number}") for number, _ in enumerate(cases)]
        results = pool.map(lambda each: _starved(*each, whole), zip(cases, places, strict=True))
        for case, (lost, raw) in zip(cases, results, strict=True):
            found.count(case.name, lost=lost, raw=raw)
    return found


def _cases(writes: int, count: int) -> list[Case]:
    """Strange surroundings, and what starves at writes that are spread over the run."""
    strange = _surroundings()
    if count < len(strange):
        return strange[:: -(-len(strange) // count)]
    kinds = ("full", "read-only", "end", "removed")
    number = count - len(strange)
    cases = []
    for step in range(number):
        kind, at = kinds[step % len(kinds)], 1 + step * writes // number
        codes = (130,) if kind == "end" else (0, 2) if kind == "removed" else (2,)
        cases.append(Case(f"{kind} at write {at} of {writes}", Fault(kind, at), codes=codes))
    return cases + strange


def _surroundings() -> list[Case]:
    return [
        Case("files of 100 bytes", Fault(limits={"RLIMIT_FSIZE": 100})),
        Case("files of 200 KB", Fault(limits={"RLIMIT_FSIZE": 200_000})),
        Case("30 open files", Fault(limits={"RLIMIT_NOFILE": 30}), codes=(0, 2)),
        Case("no home", environment={"HOME": None, "KERAS_PRUNE_CACHE": None}, codes=(0, 2)),
        Case("a home that is not there", environment={"HOME": "/nowhere"}, codes=(0,)),
        Case("a cache that is a file", environment={"KERAS_PRUNE_CACHE": "my.toml"}),
        Case("a cache in /proc", environment={"KERAS_PRUNE_CACHE": "/proc/cache"}),
        Case("no TMPDIR", environment={"TMPDIR": "/nowhere"}, codes=(0, 2)),
        Case("no language", environment={"LC_ALL": "C", "PYTHONUTF8": "0"}, codes=(0,)),
        Case("Unicode in a path", out="läufe/日本 1", codes=(0,)),
        Case(
            "Unicode in a path, and no language", out="läufe/ä ö", codes=(0,),
            environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        ),
        Case("one column", environment={"COLUMNS": "1", "TERM": "dumb"}, codes=(0,)),
        Case("standard input closed", Fault(closed=(0,)), codes=(0,)),
        Case("standard output closed", Fault(closed=(1,)), codes=(0,)),
        Case("all closed", Fault(closed=(0, 1, 2)), codes=(0,)),
        Case("a place in /proc", out="/proc/run"),
    ]  # fmt: skip


def _place(place: Path) -> Path:
    place.mkdir(parents=True)
    (place / "my.toml").write_text(CONFIG, encoding="utf-8")
    return place


def _called(place: Path, case: Case) -> Ended:
    begun = (place / case.out / "config.toml").exists()
    arguments = ("run", case.out) if begun else ("run", "my.toml", "--out", case.out)
    environment = {**ALONE, "KERAS_PRUNE_CACHE": str(place / "cache"), **case.environment}
    return run(arguments, place, case.fault, environment)


def _starved(case: Case, place: Path, whole: Path) -> tuple[str, str]:
    """What was lost, and what was raw."""
    ended = _called(place, case)
    if raw := unclean(ended, case.codes):
        return "", raw
    out = case.out if case.out != "/proc/run" else "run"
    if ended.code:
        ended = _called(place, Case("nothing", out=out))
        if raw := unclean(ended, (0,)):
            return "", f"when it goes on: {raw}"
    lost = ", ".join(differences(whole / "run", place / out))
    shutil.rmtree(place)
    return lost, ""
