"""How well a written file agrees with its model."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import keras
import numpy as np

from keras_prune.errors import DataError, ExportError
from keras_prune.exporting.settings import Arrays
from keras_prune.runtimes import Runtime
from keras_prune.runtimes.keras_file import compiled
from keras_prune.utils.labels import chosen, right_answers


@dataclass(frozen=True)
class Agreement:
    """A file's outputs beside the model's, on the same examples.

    Args:
        max_abs_error: largest absolute difference; NaN where either has one.
        largest: largest absolute output of the model.
        top1: examples with the same largest class, in percent; None if the outputs are no class
            scores.
        accuracy, model_accuracy: right answers of file and model, in percent; None without labels.
        decided: examples with the same decisions, in percent, 100 if the model makes none; the
            error is of these alone.
    """

    max_abs_error: float
    largest: float
    top1: float | None
    accuracy: float | None
    model_accuracy: float | None
    decided: float = 100.0


@dataclass(frozen=True)
class Tolerance:
    """What is admitted.

    Args:
        error: `max_abs_error` as a fraction of the model's largest output.
        top1: percent of examples; if given, it counts instead of the error where there are classes.
        decided: percent of examples; less than all, for a decision may hang on the last digit.
    """

    error: float
    top1: float | None = None
    decided: float = 99

    def check(self, name: str, found: Agreement) -> None:
        """Raises an ExportError if the file called `name` is out of tolerance, or returns NaN."""
        if not np.isfinite(found.max_abs_error):
            reason = "returns NaN or infinity, or the model does"
        elif found.decided < self.decided:
            reason = (
                f"decides as the model does in {found.decided:.1f} % of the examples; expected at "
                f"least {self.decided:g} %"
            )
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
    runtime: Runtime,
    model: keras.Model,
    batch: Arrays,
    labels: np.ndarray | None = None,
    chunk: int = 32,
) -> Agreement:
    """Runs file and model on the same examples.

    Args:
        runtime: the file, its inputs called as the model's are.
        model: what the file was made from.
        batch: one array `(n, ...)` per input of the model.
        labels: `(n,)` or `(n, 1)`, the true classes; or 0 and 1 for each output, `(n, outputs)`.
        chunk: examples run at once, where the model leaves its batch size open.

    Raises:
        ExportError: the two have other output shapes.
    """
    outputs = compiled(model)
    pairs = [(_run(runtime, model, part), outputs(part)) for part in _parts(model, batch, chunk)]
    actual, expected = (
        [np.concatenate(arrays) for arrays in zip(*side, strict=True)]
        for side in zip(*pairs, strict=True)
    )
    if [a.shape for a in actual] != [e.shape for e in expected]:
        raise ExportError(
            f"The {runtime.kind} export has other output shapes than the model. Expected "
            f"{[e.shape for e in expected]}. Received: {[a.shape for a in actual]}."
        )
    alike, actual, expected = _decisions(actual, expected)
    error = max(_largest(a[alike] - e[alike]) for a, e in zip(actual, expected, strict=True))
    found = Agreement(error, max(map(_largest, expected)), None, None, None, _percent(alike))
    if len(expected) > 1 or expected[0].ndim != 2:
        if labels is not None:
            shapes = " and ".join(str(array.shape) for array in expected)
            raise ExportError(
                f"truth: expected a model with one output (n, classes). Received: outputs of shape "
                f"{shapes}. Leave truth out."
            )
        return found
    file, own = (chosen(side[0]) for side in (actual, expected))
    if expected[0].shape[1] > 1:
        found = replace(found, top1=_percent(file == own))
    if labels is None:
        return found
    if len(labels) < len(own):
        raise ExportError(
            f"truth: expected a label for each of {len(own)} examples. Received: {len(labels)}."
        )
    try:
        file_right, own_right = (
            _percent(right_answers(side[0], labels[: len(own)])) for side in (actual, expected)
        )
    except DataError as error:
        raise ExportError(f"truth: {error}") from error
    return replace(found, accuracy=file_right, model_accuracy=own_right)


def _decisions(actual: Arrays, expected: Arrays) -> tuple[np.ndarray, Arrays, Arrays]:
    """The examples with equal decisions, bool `(n,)`, and the outputs that are none.

    Decisions are int32 beside scores, such as how much a runtime-pruned model computes. Where they
    differ, what was computed differs, too.
    """
    alike = np.ones(len(expected[0]), bool)
    if all(array.dtype == np.int32 for array in expected):
        return alike, actual, expected
    for made, wanted in zip(actual, expected, strict=True):
        if wanted.dtype == np.int32:
            alike &= (made == wanted).reshape(len(alike), -1).all(axis=1)
    ours, theirs = ([a for a in side if a.dtype != np.int32] for side in (actual, expected))
    return alike, ours, theirs


def _largest(array: np.ndarray) -> float:
    return float(np.max(np.abs(array), initial=0))


def _percent(hits: np.ndarray) -> float:
    return 100 * float(np.mean(hits))


def _parts(model: keras.Model, batch: Arrays, chunk: int) -> Iterator[Arrays]:
    """The examples in chunks, of the model's own batch size where that is fixed."""
    fixed = model.inputs[0].shape[0]
    size, count = fixed or chunk, len(batch[0])
    for start in range(0, count - size + 1 if fixed else count, size):
        yield [array[start : start + size] for array in batch]


def _run(runtime: Runtime, model: keras.Model, batch: Arrays) -> Arrays:
    """The file's outputs. It may list its inputs in another order than the model."""
    if len(batch) == 1:
        return runtime(batch)
    by_name = {tensor.name: array for tensor, array in zip(model.inputs, batch, strict=True)}
    return runtime([by_name[entry.name] for entry in runtime.inputs])
