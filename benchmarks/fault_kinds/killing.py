"""Processes that are killed at each of the files they write, and begun again."""

import itertools
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kills import ONE_THREAD, differences

from .found import Found, unclean
from .process import Ended, Fault, run

CONFIG = """
method = "ranking"
[common]
model = "conv248"
dataset = "digits"
batch_size = 64
seed = 3
[train]
epochs = 2
learning_rate = 0.02
[prune]
macs = 0.5
steps = 2
calibration_images = 100
[recovery]
epochs = 1
steps_per_epoch = 4
learning_rate = 0.005
[finetune]
epochs = 1
steps_per_epoch = 8
learning_rate = 0.01
"""
ALONE = ONE_THREAD | {
    "KERAS_PRUNE_CHECKPOINT_SECONDS": "0.2", "TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "200",
}  # fmt: skip
"""One thread computes, so that two runs give the same numbers."""


@dataclass(frozen=True)
class Work:
    """What is killed.

    Args:
        name: of it.
        arguments: of the command.
        again: of the command that goes on with what is there.
        made: the files that must be there in the end, and the same.
    """

    name: str
    arguments: Sequence[str]
    again: Callable[[Path], Sequence[str]]
    made: Callable[[Path], Path]


def _run_again(*stage: str) -> Callable[[Path], Sequence[str]]:
    def again(folder: Path) -> Sequence[str]:
        if (folder / "run" / "config.toml").exists():
            return ("run", "run", *stage)
        return ("run", "my.toml", "--out", "run", *stage)

    return again


WORKS = (
    Work(
        "baseline", ("run", "my.toml", "--out", "run", "--stage", "train"),
        _run_again("--stage", "train"), lambda folder: folder / "run",
    ),
    Work(
        "run", ("run", "my.toml", "--out", "run"), _run_again(), lambda folder: folder / "run",
    ),
    Work(
        "export", ("export", "run/baseline.keras", "--out", "made/m.tflite", "--force"),
        lambda _: ("export", "run/baseline.keras", "--out", "made/m.tflite", "--force"),
        lambda folder: folder / "made",
    ),
)  # fmt: skip
SHARES = {"baseline": 0.6, "run": 0.25, "export": 0.15}


def carry_out(folder: Path, count: int, jobs: int) -> Found:
    """Kills `count` processes, each at another write, and compares what is there in the end."""
    found = Found("kills")
    for work in WORKS:
        whole = _place(folder / f"{work.name}-whole", folder)
        ended = _called(work.arguments, whole)
        if ended.code:
            raise RuntimeError(f"{work.name} fails without a fault: {ended.err[-2000:]}")
        number = max(1, round(SHARES[work.name] * count))
        places = [1 + step * ended.writes // number for step in range(number)]
        with ThreadPoolExecutor(jobs) as pool:
            cases = [
                (work, at, folder / f"{work.name}-{at}", whole) for at in dict.fromkeys(places)
            ]
            for (_, at, _, _), (lost, raw) in zip(
                cases, pool.map(lambda case: _killed(*case, folder), cases), strict=True
            ):
                found.count(f"{work.name} at write {at} of {ended.writes}", lost=lost, raw=raw)
    return found


def _place(place: Path, folder: Path) -> Path:
    """A folder to work in; exports find the network of the whole baseline."""
    place.mkdir(parents=True)
    (place / "my.toml").write_text(CONFIG, encoding="utf-8")
    (place / "made").mkdir()
    trained = folder / "baseline-whole" / "run"
    if place.name.startswith("export"):
        shutil.copytree(trained, place / "run")
    return place


def _called(arguments: Sequence[str], place: Path, fault: Fault | None = None) -> Ended:
    environment = {**ALONE, "KERAS_PRUNE_CACHE": str(place / "cache")}
    return run(arguments, place, fault, environment)


def _killed(work: Work, at: int, place: Path, whole: Path, folder: Path) -> tuple[str, str]:
    """What was lost, and what was raw."""
    _place(place, folder)
    _called(work.arguments, place, Fault("kill", at))
    for draft in place.rglob(".export-*"):  # as if a while had passed: it may belong to the living
        os.utime(draft, (0, 0))
    ended = _called(work.again(place), place)
    raw = unclean(ended, (0,))
    lost = "" if raw else ", ".join(itertools.chain(_lost(work, place, whole), _left(place)))
    shutil.rmtree(place)
    return lost, raw


def _lost(work: Work, place: Path, whole: Path) -> Iterator[str]:
    yield from differences(work.made(whole), work.made(place))
    for made in work.made(whole).glob("*.tflite"):
        if made.read_bytes() != (work.made(place) / made.name).read_bytes():
            yield made.name


def _left(place: Path) -> Iterator[str]:
    """Drafts that the second process has not removed."""
    for path in place.rglob(".*"):
        if path.name not in (".lock", ".owner"):
            yield f"left: {path.relative_to(place)}"
    for path in (place / "cache").rglob("*"):
        if "partial" in path.name or "damaged" in path.name:
            yield f"left: {path.relative_to(place)}"
