"""What a training keeps on disk to go on exactly where it was killed."""

from __future__ import annotations

import json
import time
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np

from keras_prune.errors import ResultWarning
from keras_prune.utils.archives import read_arrays
from keras_prune.utils.environment import number
from keras_prune.utils.files import read_json
from keras_prune.utils.generations import Generations
from keras_prune.utils.reasons import reason

Row = dict[str, float]

_VARIABLE, _SECONDS = "KERAS_PRUNE_CHECKPOINT_SECONDS", 30.0


@dataclass
class Position:
    """How far a training has come.

    Args:
        epoch: epochs that are done.
        step: batches of the next one that are done.
        rows: the figures of each epoch that is done.
        finished: whether nothing is left to do.
        steps: batches in an epoch; None where an older version has not said so.
    """

    epoch: int = 0
    step: int = 0
    rows: list[Row] = field(default_factory=list)
    finished: bool = False
    steps: int | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.step, int) and self.step >= 0):
            raise ValueError(f"its step is {self.step!r}")
        if not (isinstance(self.rows, list) and self.epoch == len(self.rows)):
            raise ValueError(f"its epoch is {self.epoch!r}, and it tells of {len(self.rows)}")


class Checkpoint:
    """Saves a training's variables and position now and then.

    Weights, the optimizer's variables, random seeds and running metrics are one generation.

    Args:
        folder: where.
        identity: a text that another training would not have; what one of those left is ignored.
        interval: seconds between two saves; the end of a training that took longer is saved, too.
            Default: what the environment's KERAS_PRUNE_CHECKPOINT_SECONDS says, else 30.
    """

    def __init__(self, folder: Path, identity: str, interval: float | None = None) -> None:
        self._generations = Generations(folder)
        self._identity = identity
        self._interval = number(_VARIABLE, _SECONDS) if interval is None else interval
        self._saved = time.monotonic()
        self._told = self._refused = False

    def load(self) -> tuple[Position, list[np.ndarray]] | None:
        """The position and the variables' values of the newest whole save; None without one."""
        self._refused = False
        for place in self._generations.newest_first():
            try:
                content = read_json(place / "position.json")
                if content.pop("identity") != self._identity:
                    return None
                return Position(**content), [*read_arrays(place / "variables.npz").values()]
            except Exception as error:  # whatever a foreign file leads JSON and NumPy to
                self.ignored(reason(error))
        if self._generations.damaged:
            self.ignored("its files are not those that were written")
        return None

    def refuse(self, why: str = "") -> None:
        """Lets what was loaded last count for nothing.

        Args:
            why: is said, if anything.
        """
        self._refused = True
        if why:
            self.ignored(why)

    def ignored(self, why: str) -> None:
        """Says that what was found is not used; once, for what was found may be asked for again."""
        if self._told:
            return
        self._told = True
        warnings.warn(
            f"A saved state of the training in {self._generations.folder} is not used: {why}.",
            ResultWarning,
            stacklevel=2,
        )

    def rows(self) -> list[Row]:
        """The figures of the epochs that an earlier attempt has finished."""
        if self._refused:
            return []
        found = self.load()
        return [] if found is None else found[0].rows

    def save_if_due(self, trainer: keras.Model, position: Position) -> None:
        """Saves if the interval has passed since the last time, and all variables are numbers."""
        if time.monotonic() - self._saved < self._interval:
            return
        content = {**asdict(position), "identity": self._identity}
        values = [storable(variable) for variable in variables_of(trainer)]
        if any(np.isnan(value).any() for value in values if value.dtype.kind == "f"):
            return  # the next step ends the training

        def write(place: Path) -> None:
            (place / "position.json").write_text(json.dumps(content), encoding="utf-8")
            np.savez(place / "variables.npz", *values)

        self._generations.save(write)
        self._saved = time.monotonic()


def variables_of(trainer: keras.Model) -> list[keras.Variable]:
    """All that changes in a training: weights, seeds, the optimizer's memory, running metrics."""
    found = [*trainer.variables, *trainer.optimizer.variables, *trainer.metrics_variables]
    return list({id(variable): variable for variable in found}.values())


def storable(variable: keras.Variable) -> np.ndarray:
    """NumPy files know no bfloat16; float32 holds its values exactly."""
    value = keras.ops.convert_to_numpy(variable)
    return value.astype("float32") if value.dtype.name == "bfloat16" else value
