"""Saved classifiers of images, run alike: a file of any kind that `export` writes."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from keras_prune.errors import ModelError, ResultWarning
from keras_prune.runtimes import Runtime, open_runtime
from keras_prune.runtimes.base import attributed
from keras_prune.runtimes.loading import image_classifier
from keras_prune.utils.labels import sum_to_one

_SMALLEST = 1e-7
"""As in Keras' losses."""

Run = Callable[[np.ndarray], np.ndarray]
"""Images `(batch, height, width, channels)` -> outputs `(batch, classes)`."""


@dataclass(frozen=True)
class Predictor:
    """A classifier of images.

    Args:
        input_shape: `(height, width, channels)`.
        num_classes: number of classes.
        run: computes logits or probabilities of a batch.
    """

    input_shape: tuple[int, int, int]
    num_classes: int
    run: Run

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Probabilities of some images.

        Args:
            images: float32 `(examples, height, width, channels)`, values as the model wants them.

        Returns:
            float64 `(examples, classes)`. Outputs that are not probabilities are taken for logits.
        """
        scores = self._scores(images)
        return scores if sum_to_one(scores) else np.exp(_log_softmax(scores))

    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        """The logarithms of the probabilities, exact also where these are too small for a number.

        Of outputs that are probabilities they are those that Keras' losses compute with.
        """
        scores = self._scores(images)
        if sum_to_one(scores):
            return np.log(np.clip(scores, _SMALLEST, 1 - _SMALLEST))
        return _log_softmax(scores)

    def _scores(self, images: np.ndarray) -> np.ndarray:
        """One of each class; a single probability is that of the second of two."""
        scores = self.run(images).astype("float64")
        if wrong := np.isnan(scores).any(axis=1).sum():
            raise ModelError(
                f"The model gives NaN for {wrong} of {len(images)} images: its weights are "
                "damaged, or the images have other values than it was trained on (--rescale)."
            )
        if scores.shape[1] > 1:
            return scores
        if not ((scores >= 0) & (scores <= 1)).all():
            raise ModelError(_no_probability("The model", scores))
        return np.hstack([1 - scores, scores])


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def open_predictor(path: str | Path, *, trusted: bool = False) -> Predictor:
    """Opens a classifier.

    Args:
        path: a `.keras`, `.kpz`, `.tflite` or `.onnx` file, or the directory of a SavedModel.
        trusted: as `open_runtime` takes it.

    Returns:
        The predictor.

    Raises:
        ModelError: the path is none of these, or its model does not classify images; or it gives
            one score that is no probability.
    """
    runtime = open_runtime(path, trusted=trusted)
    scores = [port for port in runtime.outputs if port.dtype != "int32"]  # the others: decisions
    sides = (runtime.inputs, scores)
    shapes = [[port.shape[1:] for port in ports] for ports in sides]
    predictor = Predictor(
        *image_classifier(path, *shapes),
        _in_batches_of(runtime.inputs[0].shape[0], _first_output(path, runtime)),
    )
    if scores[0].shape[1] == 1:
        _check_probability(path, predictor)
    return predictor


def _first_output(path: str | Path, runtime: Runtime) -> Run:
    def run(images: np.ndarray) -> np.ndarray:
        with attributed(path, "run"):
            return runtime([images])[0]

    return run


def _in_parts_that_fit(run: Run, images: np.ndarray) -> np.ndarray:
    """What a model gives; images that do not fit into memory go in halves, and that is said."""
    try:
        return run(images)
    except MemoryError as error:
        half = len(images) // 2
        if not half:
            raise ModelError(f"There is not enough memory for one image: {error}") from error
        warnings.warn(
            f"There is not enough memory for {len(images)} images at once: they go in halves. "
            "Give a smaller --batch-size to begin with.",
            ResultWarning,
            stacklevel=2,
        )
    parts = images[:half], images[half:]
    return np.concatenate([_in_parts_that_fit(run, part) for part in parts])


def _check_probability(path: str | Path, predictor: Predictor) -> None:
    """Refuses one score that leaves 0 to 1 on any of very different images.

    Which class it means is not known then.
    """
    noise = np.random.default_rng(0).uniform(0, 255, (2, *predictor.input_shape))
    images = np.concatenate([noise * scale for scale in (1, 1e-2, 0, 1e3, -1e3)])
    scores = predictor.run(images.astype("float32"))
    if (scores < 0).any() or (scores > 1).any():
        raise ModelError(_no_probability(path, scores))


def _no_probability(what: str | Path, scores: np.ndarray) -> str:
    return (
        f"{what} does not classify images: it gives one score, from {np.nanmin(scores):.3g} to "
        f"{np.nanmax(scores):.3g}. Expected a probability: let the model end in a sigmoid, or give "
        "it a unit for each class."
    )


def _in_batches_of(size: int | None, run: Run) -> Run:
    """Runs a model whose batch has a fixed size; what a last batch lacks is filled up."""
    if size is None:
        return partial(_in_parts_that_fit, run)

    def in_batches(images: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            missing = size - len(part)
            full = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
            parts.append(run(full)[: len(part)])
        return np.concatenate(parts)

    return in_batches
