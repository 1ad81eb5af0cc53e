"""Values for a model's input, drawn for its dtype and for what reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from keras_prune.graph.calls import readers, sublayers

_INDICES = ("int32", "int64")
_BELOW = 2
"""Indices stay below it, for what an op of the user's looks up may be of any size."""

_BATCH, _LENGTH = 2, 32  # of a trial run, where the model leaves them open
_WORDS = ("red", "green", "blue")
_SENTENCE = 8  # words


def sample(tensor: keras.KerasTensor, random: np.random.Generator | None = None) -> Any:
    """Two examples of what an input takes: small positive numbers, or words."""
    batch, *lengths = tensor.shape
    shape = [batch or _BATCH, *(_LENGTH if length is None else length for length in lengths)]
    values = drawn(tensor, shape, 2, random or np.random.default_rng(0))
    if values.dtype == object:
        return keras.ops.convert_to_tensor(values, dtype="string")
    return keras.ops.cast(values, tensor.dtype)


def drawn(
    tensor: keras.KerasTensor, shape: Sequence[int], high: float, random: np.random.Generator
) -> np.ndarray:
    """Values for a symbolic input.

    Args:
        tensor: the input. What reads it decides: words and numbers are those that a lookup knows,
            indices those that an embedding has.
        shape: of the values.
        high: what numbers that are no indices stay below.
        random: where they are drawn from.

    Returns:
        Floats that are to be cast to the input's dtype, flags, or strings as objects.
    """
    layers = list(_reading(tensor))
    known = next((words for words in map(_vocabulary, layers) if words), None)
    if tensor.dtype == "string":
        count = _SENTENCE if any(map(_takes_sentences, layers)) else 1
        words = random.choice(np.array(known or _WORDS, object), (*shape, count))
        return np.array([" ".join(row) for row in words.reshape(-1, count)], object).reshape(shape)
    if known:
        return random.choice(np.array(known, "float64"), shape)
    if tensor.dtype == "bool":  # a row without any has no mean
        return (random.uniform(0, 2, shape) < 1) | (np.arange(shape[-1] if shape else 1) == 0)
    sizes = [size for size in map(_size, layers) if size is not None]
    if sizes or tensor.dtype in _INDICES:
        high = min(_BELOW, *sizes, high)
    return random.uniform(0, high, shape)


def _reading(tensor: keras.KerasTensor) -> Iterator[keras.Layer]:
    """The layers that read a tensor. Those inside a user's layer read what are surely no floats."""
    inside = not keras.backend.is_float_dtype(tensor.dtype)
    for operation in readers(tensor):
        if isinstance(operation, keras.Layer):
            yield from sublayers(operation) if inside else [operation]


def reads_words(layer: Any) -> bool:
    """Whether a layer looks up words."""
    looks_up = isinstance(layer, keras.layers.StringLookup) and not layer.invert
    return looks_up or _takes_sentences(layer)


def _takes_sentences(layer: Any) -> bool:
    return isinstance(layer, keras.layers.TextVectorization)


def _vocabulary(layer: Any) -> list[Any]:
    """What a lookup knows, without its words for none and for unknown ones."""
    if isinstance(layer, keras.layers.TextVectorization):
        return layer.get_vocabulary(include_special_tokens=False)
    if isinstance(layer, keras.layers.StringLookup | keras.layers.IntegerLookup):
        return [] if layer.invert else layer.get_vocabulary(include_special_tokens=False)
    return []


def _size(layer: Any) -> int | None:
    """How many indices a layer tells apart; None for one that takes no indices."""
    if isinstance(layer, keras.layers.Embedding):
        return layer.input_dim
    if isinstance(layer, keras.layers.CategoryEncoding):
        return layer.num_tokens
    if isinstance(layer, keras.layers.StringLookup | keras.layers.IntegerLookup):
        return layer.vocabulary_size() if layer.invert else None
    return None
