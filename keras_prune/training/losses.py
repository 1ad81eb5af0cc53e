"""Losses by example, whatever `model.compile` takes as a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
from keras import ops

from keras_prune.errors import ConfigError

PerExample = Callable[[Any, Any], Any]
"""`(labels, outputs) -> (batch,)`."""


def per_example(
    loss: Any, weights: Any = None, output_names: Sequence[str] | None = None
) -> PerExample:
    """A loss as a function of labels and outputs that does not average over the batch.

    Args:
        loss: one of Keras' by name or as it is, a function, or a list or dict of these for several
            outputs.
        weights: of the outputs, likewise; default 1.
        output_names: of the model, where a dict goes with outputs in a list.

    Raises:
        ConfigError: Keras knows no such loss.
    """
    if isinstance(loss, Mapping) and "class_name" not in loss:  # else it is Keras' form of one
        names = list(output_names or loss)
        return _summed(
            {name: _function(value) for name, value in loss.items() if value is not None},
            dict(weights or {}),
            names,
        )
    if isinstance(loss, list | tuple):
        functions = {n: _function(value) for n, value in enumerate(loss) if value is not None}
        return _summed(functions, dict(enumerate(weights or ())), list(range(len(loss))))
    function = _function(loss)
    return lambda labels, outputs: _rows(function(_of_rank(labels, outputs), outputs))


def _summed(functions: dict[Any, Any], weights: dict[Any, float], names: list[Any]) -> PerExample:
    def values(labels: Any, outputs: Any) -> Any:
        total: Any = 0.0
        for name, function in functions.items():
            given, output = _of(labels, name, names), _of(outputs, name, names)
            found = function(_of_rank(given, output), output)
            total = total + float(weights.get(name, 1.0)) * _rows(found)
        return total

    return values


def _of(structure: Any, name: Any, names: list[Any]) -> Any:
    if isinstance(structure, Mapping):
        return structure[name if name in structure else list(structure)[names.index(name)]]
    return structure[names.index(name)] if isinstance(structure, list | tuple) else structure


def _of_rank(labels: Any, outputs: Any) -> Any:
    """Labels `(batch, ...)` for outputs `(batch, ..., 1)` get that axis, as in `model.fit`."""
    if not (hasattr(labels, "shape") and hasattr(outputs, "shape")):
        return labels
    missing = len(labels.shape) == len(outputs.shape) - 1 and outputs.shape[-1] == 1
    return ops.expand_dims(labels, -1) if missing else labels


def _function(loss: Any) -> Callable[..., Any]:
    try:
        found = keras.losses.get(loss)
    except (ValueError, TypeError):
        found = None
    if found is None:
        raise ConfigError(
            "Expected a loss: one of Keras', by name or as it is, or a function (labels, outputs) "
            f"with one value per example. Received: loss={loss!r}."
        )
    return found.call if isinstance(found, keras.losses.Loss) else found


def _rows(found: Any) -> Any:
    if not len(found.shape):
        raise ConfigError(
            "Expected a loss with one value per example. Received one that returns a single "
            "number. Leave out its mean over the batch."
        )
    return ops.mean(ops.reshape(found, (ops.shape(found)[0], -1)), axis=1)
