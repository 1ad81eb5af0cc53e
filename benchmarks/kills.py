"""Kills runs at random moments (SIGKILL), resumes them, and compares them with an unbroken one.

    python benchmarks/kills.py --kills 20 --jobs 2
    python benchmarks/kills.py rl_pruner train --kills 4

For each method and for `train`: one unbroken run on digits, and runs that are killed several times
each and go on until they end. Weights must be the same bit for bit, plan, tables and report but for
times, all on one thread. Ends with 1 if a run differs.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

TRAIN = """
[common]
model = "conv248"
dataset = "digits"
batch_size = 32
seed = 3

[train]
epochs = 3
learning_rate = 0.02
"""
TRAININGS = """
[recovery]
epochs = 1
steps_per_epoch = 12
learning_rate = 0.005

[finetune]
epochs = 3
learning_rate = 0.01
"""
PRUNE = {
    "filter_agent": "b = 2.0\nmax_updates = 3\npatience = 2\nreward_images = 120\nrounds = 2",
    "magnitude": 'threshold = "global"\nsparsity = 0.8\nsteps = 4\nturns = 0',
    "ranking": "macs = 0.5\nsteps = 4\ncalibration_images = 200",
    "rl_pruner": "macs = 0.5\nsteps = 3\nsamples = 4\nreward_images = 120",
    "rnp": "sets = 2\nsteps = 3\nepisodes = 12\ncalibration_images = 200",
}
NAMES = ("train", *PRUNE)
KILLS_A_RUN = 5
TIMED = ("latency.csv", "sizes.csv")
TIMES = ("seconds", "peak_memory_mb", "resumed", "exports", "notes")
ONE_THREAD = {
    "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1",
    "KERAS_PRUNE_CHECKPOINT_SECONDS": "0.5",
}  # fmt: skip


@dataclass
class Outcome:
    """What became of a method's runs."""

    name: str
    kills: int = 0
    runs: int = 0
    differences: tuple[str, ...] = ()


def configuration(name: str) -> str:
    """The TOML of a run."""
    if name == "train":
        return f'method = "train"\n{TRAIN}'
    trainings = TRAININGS.partition("[finetune]")[0] if name == "rnp" else TRAININGS
    return f'method = "{name}"\n{TRAIN}\n[prune]\n{PRUNE[name]}\n{trainings}'


def kill_and_resume(name: str, kills: int, folder: Path, seed: int) -> Outcome:
    """Kills runs of a method until so many kills have hit, and compares each with a whole one."""
    chance, outcome = random.Random(f"{name}{seed}"), Outcome(name)
    config = folder / "config.toml"
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(configuration(name), encoding="utf-8")
    started = time.monotonic()
    _finish(_start(config, folder / "whole", folder / "cache-whole"))
    duration = time.monotonic() - started
    while outcome.kills < kills:
        run = folder / f"run{outcome.runs}"
        outcome.kills += _broken(config, run, folder, chance, duration, kills - outcome.kills)
        outcome.runs += 1
        outcome.differences += tuple(differences(folder / "whole", run))
        shutil.rmtree(run)
    return outcome


def _broken(
    config: Path, run: Path, folder: Path, chance: random.Random, duration: float, most: int
) -> int:
    """One run that is killed up to so many times and then ends; returns how often it was."""
    cache, hits = folder / f"cache-{run.name}", 0
    for _ in range(min(KILLS_A_RUN, most)):
        process = _start(config if not _begun(run) else run, run, cache)
        try:
            process.communicate(timeout=chance.uniform(0.2, 1.0) * duration)
            break  # it had ended before
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            hits += 1
    _finish(_start(config if not _begun(run) else run, run, cache))
    shutil.rmtree(cache, ignore_errors=True)
    return hits


def _begun(run: Path) -> bool:
    return (run / "config.toml").exists()


def _start(what: Path, run: Path, cache: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from keras_prune.cli import main; main()", "run", str(what)]
    if what != run:
        shutil.rmtree(run, ignore_errors=True)  # it was killed before it had written anything
        command += ["--out", str(run)]
    environment = os.environ | ONE_THREAD | {"KERAS_PRUNE_CACHE": str(cache)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(command, env=environment, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def _finish(process: subprocess.Popen[str]) -> None:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a run ended with {process.returncode}: {output[-2000:]}")


def differences(whole: Path, broken: Path) -> list[str]:
    """What differs between two run directories, but for times."""
    found = []
    ours, theirs = ({p.name for p in each.iterdir()} for each in (whole, broken))
    if ours != theirs:
        found.append(f"files: {ours ^ theirs}")
    for name in sorted(ours & theirs):
        one, other = whole / name, broken / name
        if one.suffix == ".keras":
            same = _weights(one) == _weights(other)
        elif name == "report.json":
            same = _report(one) == _report(other)
        elif name == "plan.json" or (one.suffix in (".csv", ".toml") and name not in TIMED):
            same = one.read_text() == other.read_text()
        else:
            continue
        if not same:
            found.append(name)
    return found


def _weights(path: Path) -> list[bytes]:
    from keras_prune.runtimes.loading import load_model

    return [np.ascontiguousarray(w).tobytes() for w in load_model(path).get_weights()]


def _report(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in content.items() if name not in TIMES}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for and prints a table; 1 if anything differed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(NAMES), metavar="METHOD")
    parser.add_argument("--kills", type=int, default=20, help="of each")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        jobs = [
            pool.submit(kill_and_resume, name, options.kills, Path(folder) / name, options.seed)
            for name in options.names
        ]
        print("| run | kills | resumed runs | differences |\n| --- | ---: | ---: | --- |")
        failed = False
        for job in as_completed(jobs):
            found = job.result()
            failed |= bool(found.differences)
            shown = ", ".join(found.differences) or "none"
            print(f"| {found.name} | {found.kills} | {found.runs} | {shown} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
