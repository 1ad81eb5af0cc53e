"""The cache of trained baselines: what lies there is whole, or it is made anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
from filelock import FileLock, Timeout

from keras_prune.errors import ConfigError, ResultWarning
from keras_prune.training.checkpoint import Row
from keras_prune.training.good_weights import not_numbers
from keras_prune.utils.files import read_json, sha256, whole_file, write_text
from keras_prune.utils.reasons import reason

Trained = tuple[keras.Model, tuple[Row, ...]]

_FILE = re.compile(
    r"\.?(?P<name>.+-[0-9a-f]{12})(-\d+(-[0-9a-f]+)?)?(\.keras|\.json|\.partial|\.lock)(\.damaged)?"
)


class CacheEntry:
    """One trained network: the model, a note of what made it, and what a killed training left.

    Args:
        name: what the names of its files begin with.
        made_by: all that the network depends on, as JSON takes it.
    """

    def __init__(self, name: str, made_by: Mapping[str, Any]) -> None:
        content = json.dumps(made_by, sort_keys=True)
        self.name = f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
        self._made_by = json.loads(content)

    @property
    def partial(self) -> Path:
        """The folder of a training that is not finished."""
        return self._file(".partial")

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes away; one that makes the same network is waited for.

        Raises:
            ConfigError: the cache cannot be written.
        """
        lock_file = self._file(".lock")
        try:
            cache_folder().mkdir(parents=True, exist_ok=True)
            if lock_file.is_dir():
                self._set_aside(lock_file, "it is a folder")
            lock = _locked(lock_file, self.name)
        except OSError as error:
            raise ConfigError(
                f"Cannot write the cache of baselines in {cache_folder()}: {reason(error)}. Let "
                "KERAS_PRUNE_CACHE name a folder that can be written."
            ) from error
        try:
            if self.partial.is_file():
                self._set_aside(self.partial, "it is no folder")
            for draft in cache_folder().glob(f".{self.name}-*"):  # of a process that was killed
                draft.unlink()
            yield
        finally:
            lock_file.unlink(missing_ok=True)
            lock.release()

    def load(self) -> Trained | None:
        """The network and a row per epoch; None where there is none, or none that is whole.

        What is damaged, or of another network, is set aside, and said.

        Raises:
            ConfigError: the files are as they were written, but cannot be loaded.
        """
        if not self._file(".json").exists():  # the note is written last
            return None
        try:
            found = self._whole()
            shutil.rmtree(self.partial, ignore_errors=True)  # if killed before that
            return found
        except ConfigError:
            raise
        except Exception as error:  # whatever a damaged file leads JSON and Keras to
            why = reason(error)
        for suffix in (".keras", ".json"):
            self._set_aside(self._file(suffix), why)
        return None

    def save(self, model: keras.Model, rows: tuple[Row, ...]) -> None:
        """Puts a trained network into the cache.

        Raises:
            ConfigError: its weights are no numbers.
        """
        if bad := not_numbers(model):
            raise ConfigError(
                f"The weight {bad!r} holds numbers that are infinite or none after the training. "
                "Lower the learning rate, and look for NaN in the data."
            )
        with whole_file(self._file(".keras")) as draft:
            model.save(draft)
            checksum = sha256(draft)
        note = {
            "made_by": self._made_by,
            "history": rows,
            "sha256": checksum,
            "versions": {"keras_prune": version("keras-prune"), "keras": keras.version()},
        }
        write_text(self._file(".json"), json.dumps(note, indent=2))
        shutil.rmtree(self.partial, ignore_errors=True)

    def _file(self, suffix: str) -> Path:
        return cache_folder() / (self.name + suffix)

    def _whole(self) -> Trained:
        """The network and the rows of its note; whatever is raised but ConfigError is a damage."""
        note = read_json(self._file(".json"))
        if note["made_by"] != self._made_by:
            raise ValueError("its note is of another network")
        rows = note["history"]
        if [row["epoch"] for row in rows] != list(range(1, len(rows) + 1)):
            raise ValueError("its note lacks epochs")
        model = self._model(note)
        shapes = (list(model.input_shape[1:]), model.output_shape[-1])
        if shapes != (self._made_by["input_shape"], self._made_by["num_classes"]):
            raise ValueError("its model takes or makes something else")
        if bad := not_numbers(model):
            raise ValueError(f"its weight {bad!r} holds no numbers")
        return model, tuple(rows)

    def _model(self, note: Mapping[str, Any]) -> keras.Model:
        """The model of the file with the note's checksum."""
        path = self._file(".keras")
        if "sha256" not in note:  # version 0.1 wrote none
            return keras.models.load_model(path)
        if note["sha256"] != sha256(path):
            raise ValueError("it is not the file that was written")
        try:
            return keras.models.load_model(path)
        except Exception as error:  # memory is short, or another version of Keras has written it
            raise ConfigError(
                f"{path} is whole, but cannot be loaded: {reason(error)}. "
                "Remove it if it is to be made anew."
            ) from error

    def _set_aside(self, path: Path, why: str) -> None:
        aside = path.with_name(path.name + ".damaged")
        if aside.is_dir():
            shutil.rmtree(aside)
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, aside)
            _say(f"{path} cannot be used: {why}. It is {aside.name} now, and made anew.")


@dataclass(frozen=True)
class Kept:
    """What the cache holds of one network.

    Args:
        name: what the names of its files begin with.
        state: "trained", "unfinished" or "damaged".
        epochs: that it was trained for; None if that is not known.
        bytes: of all its files.
    """

    name: str
    state: str
    epochs: int | None
    bytes: int


def kept() -> list[Kept]:
    """All that the cache holds, by name; nothing is loaded, and no checksum made."""
    return [_described(name, files) for name, files in sorted(entries().items())]


def entries() -> dict[str, list[Path]]:
    """The paths of each entry, by its name."""
    found: dict[str, list[Path]] = defaultdict(list)
    if cache_folder().is_dir():
        for path in sorted(cache_folder().iterdir()):
            if match := _FILE.fullmatch(path.name):
                found[match["name"]].append(path)
    return found


def clear() -> tuple[list[str], list[str]]:
    """Empties the cache; files that are not its own stay.

    Returns:
        The names that were removed, and those that another process is working at.
    """
    removed, busy = [], []
    for name in entries():
        lock = FileLock(cache_folder() / f"{name}.lock")
        lies_in_the_way = Path(lock.lock_file).is_dir()
        try:
            if not lies_in_the_way:
                lock.acquire(timeout=0)
        except (Timeout, OSError):  # the file of another user's process cannot be opened
            busy.append(name)
            continue
        for path in entries().get(name, []):  # what there is now
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        lock.release()
        removed.append(name)
    return removed, busy


def cache_folder() -> Path:
    """`KERAS_PRUNE_CACHE`, else `keras-prune` in `XDG_CACHE_HOME` or `~/.cache`.

    Raises:
        ConfigError: there is no home directory.
    """
    named = os.environ.get("KERAS_PRUNE_CACHE")
    try:
        if named:
            return Path(named).expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "keras-prune"
    except RuntimeError as error:
        raise ConfigError(
            "There is no home directory for the cache of baselines. Let KERAS_PRUNE_CACHE name a "
            "folder that can be written."
        ) from error


def _described(name: str, files: list[Path]) -> Kept:
    there = {path.name.removeprefix(name) for path in files}
    size = sum(_bytes(inner) for path in files for inner in (path, *path.rglob("*")))
    if {".json", ".keras"} <= there:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            note = read_json(cache_folder() / f"{name}.json")
            return Kept(name, "trained", len(note["history"]), size)
    damaged = ".json" in there or all(suffix.endswith(".damaged") for suffix in there)
    return Kept(name, "damaged" if damaged else "unfinished", None, size)


def _bytes(path: Path) -> int:
    """The size of a file; 0 of a folder, and of what a training has removed meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size if path.is_file() else 0
    return 0


def _locked(path: Path, name: str) -> FileLock:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        _say(f"Another process trains {name}: it is waited for.")
        lock.acquire()
    return lock


def _say(sentence: str) -> None:
    warnings.warn(sentence, ResultWarning, stacklevel=3)
