"""Saved classifiers of images, run alike: a file of any kind that `export` writes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_prune.runtimes import open_runtime
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
        scores = self.run(images).astype("float64")
        return scores if sum_to_one(scores) else np.exp(_log_softmax(scores))

    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        """The logarithms of the probabilities, exact also where these are too small for a number.

        Of outputs that are probabilities they are those that Keras' losses compute with.
        """
        scores = self.run(images).astype("float64")
        if sum_to_one(scores):
            return np.log(np.clip(scores, _SMALLEST, 1 - _SMALLEST))
        return _log_softmax(scores)


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def open_predictor(path: str | Path) -> Predictor:
    """Opens a classifier.

    Args:
        path: a `.keras`, `.kpz`, `.tflite` or `.onnx` file, or the directory of a SavedModel.

    Returns:
        The predictor.

    Raises:
        ModelError: the path is none of these, or its model does not classify images.
    """
    runtime = open_runtime(path)
    scores = [port for port in runtime.outputs if port.dtype != "int32"]  # the others: decisions
    sides = (runtime.inputs, scores)
    shapes = [[port.shape[1:] for port in ports] for ports in sides]
    return Predictor(
        *image_classifier(path, *shapes),
        _in_batches_of(runtime.inputs[0].shape[0], lambda images: runtime([images])[0]),
    )


def _in_batches_of(size: int | None, run: Run) -> Run:
    """Runs a model whose batch has a fixed size; what a last batch lacks is filled up."""
    if size is None:
        return run

    def in_batches(images: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(images), size):
            part = images[start : start + size]
            missing = size - len(part)
            full = np.concatenate([part, np.repeat(part[-1:], missing, axis=0)])
            parts.append(run(full)[: len(part)])
        return np.concatenate(parts)

    return in_batches
