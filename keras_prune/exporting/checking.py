"""How well a written file agrees with its model."""

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import numpy as np

from keras_prune.errors import ExportError
from keras_prune.exporting.settings import Arrays
from keras_prune.runtimes import Runtime
from keras_prune.runtimes.keras_file import compiled

_CHUNK = 32
"""Examples run at once, where the file leaves its batch size open."""


@dataclass(frozen=True)
class Agreement:
    """A file's outputs beside the model's, on the same examples.

    Args:
        max_abs_error: largest absolute difference; NaN where either has one.
        largest: largest absolute output of the model.
        top1: examples with the same largest class, in percent; None if the outputs are no class
            scores.
        accuracy, model_accuracy: right answers of file and model, in percent; None without labels.
    """

    max_abs_error: float
    largest: float
    top1: float | None
    accuracy: float | None
    model_accuracy: float | None


@dataclass(frozen=True)
class Tolerance:
    """What is admitted.

    Args:
        error: `max_abs_error` as a fraction of the model's largest output.
        top1: percent of examples; if given, it counts instead of the error where there are classes.
    """

    error: float
    top1: float | None = None

    def check(self, name: str, found: Agreement) -> None:
        """Raises an ExportError if the file called `name` is out of tolerance, or returns NaN."""
        if not np.isfinite(found.max_abs_error):
            reason = "returns NaN or infinity, or the model does"
        elif self.top1 is not None and found.top1 is not None:
            if found.top1 >= self.top1:
                return
            reason = (
                f"chooses the model's class in {found.top1:.1f} % of the examples; expected at "
                f"least {self.top1:g} %"
            )
        elif found.max_abs_error <= self.error * found.largest:
            return
        else:
            reason = (
                f"differs from the model by {found.max_abs_error:.3g}; expected at most "
                f"{self.error * found.largest:.3g}"
            )
        raise ExportError(f"The {name} export {reason}. The file was removed.")


def agreement(
    runtime: Runtime, model: keras.Model, batch: Arrays, labels: np.ndarray | None = None
) -> Agreement:
    """Runs file and model on the same examples.

    Args:
        runtime: the file, its inputs called as the model's are.
        model: what the file was made from.
        batch: one array `(n, ...)` per input of the model.
        labels: `(n,)`, the true classes.

    Raises:
        ExportError: the two have other output shapes.
    """
    outputs = compiled(model)
    pairs = [(_run(runtime, model, part), outputs(part)) for part in _parts(model, batch)]
    actual, expected = (
        [np.concatenate(arrays) for arrays in zip(*side, strict=True)]
        for side in zip(*pairs, strict=True)
    )
    if [a.shape for a in actual] != [e.shape for e in expected]:
        raise ExportError(
            f"The {runtime.kind} export has other output shapes than the model. Expected "
            f"{[e.shape for e in expected]}. Received: {[a.shape for a in actual]}."
        )
    error = max(float(np.max(np.abs(a - e))) for a, e in zip(actual, expected, strict=True))
    largest = max(float(np.max(np.abs(e))) for e in expected)
    if len(expected) > 1 or expected[0].ndim != 2 or expected[0].shape[1] < 2:
        return Agreement(error, largest, None, None, None)
    file, own = (side[0].argmax(axis=-1) for side in (actual, expected))
    right = (
        [None, None] if labels is None else [_percent(c == labels[: len(c)]) for c in (file, own)]
    )
    return Agreement(error, largest, _percent(file == own), *right)


def _percent(hits: np.ndarray) -> float:
    return 100 * float(np.mean(hits))


def _parts(model: keras.Model, batch: Arrays) -> Iterator[Arrays]:
    """The examples in chunks, of the model's own batch size where that is fixed."""
    fixed = model.inputs[0].shape[0]
    size, count = fixed or _CHUNK, len(batch[0])
    for start in range(0, count - size + 1 if fixed else count, size):
        yield [array[start : start + size] for array in batch]


def _run(runtime: Runtime, model: keras.Model, batch: Arrays) -> Arrays:
    """The file's outputs. It may list its inputs in another order than the model."""
    if len(batch) == 1:
        return runtime(batch)
    by_name = {tensor.name: array for tensor, array in zip(model.inputs, batch, strict=True)}
    return runtime([by_name[entry.name] for entry in runtime.inputs])
