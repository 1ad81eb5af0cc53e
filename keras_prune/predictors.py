"""Saved classifiers of images, run alike: a `.keras` file, a SavedModel or a TFLite file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_prune.errors import ModelError
from keras_prune.exporting.formats import interpreter
from keras_prune.graph import trace
from keras_prune.loading import classifier_shape, image_classifier, load_model
from keras_prune.quiet import quiet

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
        if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-2):
            return scores
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def open_predictor(path: str | Path) -> Predictor:
    """Opens a classifier.

    Args:
        path: a `.keras` file, a `.tflite` file, or the directory of a SavedModel.

    Returns:
        The predictor.

    Raises:
        ModelError: the path is none of these, or its model does not classify images.
    """
    path = Path(path)
    if path.is_dir():
        return _saved_model(path)
    if path.suffix == ".tflite" and path.is_file():
        return _tflite(path)
    return _keras_file(path)


def _keras_file(path: Path) -> Predictor:
    model = load_model(path)
    compiled = tf.function(lambda images: keras.tree.flatten(model(images, training=False))[0])
    run = _in_batches_of(
        trace(model).flat_inputs[0].shape[0], lambda images: compiled(tf.constant(images)).numpy()
    )
    return Predictor(*classifier_shape(path, model), run)


def _saved_model(path: Path) -> Predictor:
    try:
        with quiet():
            loaded = tf.saved_model.load(str(path))
        signature = loaded.signatures["serving_default"]
    except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
        raise ModelError(
            f"The directory {path} is not a SavedModel with the signature serving_default. "
            "Expected a directory made by keras-prune, keras.Model.export or tf.saved_model.save."
        ) from error
    inputs = signature.structured_input_signature[1]
    results = signature.structured_outputs
    shapes = [[tuple(spec.shape[1:]) for spec in specs.values()] for specs in (inputs, results)]
    name, spec = next(iter(inputs.items()))
    result = next(iter(results))

    def run(images: np.ndarray) -> np.ndarray:
        # By way of `loaded`: a signature does not own the model it belongs to.
        serve = loaded.signatures["serving_default"]
        return serve(**{name: tf.constant(images, spec.dtype)})[result].numpy()

    return Predictor(*image_classifier(path, *shapes), _in_batches_of(spec.shape[0], run))


def _tflite(path: Path) -> Predictor:
    try:
        with quiet():
            model = interpreter(path)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"{path} is not a TFLite file, or is damaged.") from error
    inputs, results = model.get_input_details(), model.get_output_details()
    shapes = [
        [tuple(map(int, side["shape_signature"][1:])) for side in sides]
        for sides in (inputs, results)
    ]
    batch = int(inputs[0]["shape_signature"][0])

    def run(images: np.ndarray) -> np.ndarray:
        model.resize_tensor_input(inputs[0]["index"], images.shape)
        model.allocate_tensors()
        model.set_tensor(inputs[0]["index"], _stored(images, inputs[0]))
        model.invoke()
        return _real(model.get_tensor(results[0]["index"]), results[0])

    return Predictor(
        *image_classifier(path, *shapes), _in_batches_of(None if batch < 0 else batch, run)
    )


def _stored(values: np.ndarray, tensor: Any) -> np.ndarray:
    """Numbers as a tensor of a TFLite file stores them: `round(value / scale) + zero point`."""
    scale, zero_point = tensor["quantization"]
    if not scale:
        return values.astype(tensor["dtype"])
    limits = np.iinfo(tensor["dtype"])
    return np.clip(np.round(values / scale) + zero_point, limits.min, limits.max).astype(
        tensor["dtype"]
    )


def _real(stored: np.ndarray, tensor: Any) -> np.ndarray:
    scale, zero_point = tensor["quantization"]
    return (stored.astype("float32") - zero_point) * scale if scale else stored


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
