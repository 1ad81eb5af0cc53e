"""Operations that pick out a part of a tensor: slices, takes, splits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import arguments, as_output

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

_ALL = slice(None)


@register("GetItem")
class GetItemRule(Rule):
    """`x[key]` with integers, slices, an ellipsis and new axes."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small = arrays.core(walk.of(call.inputs[0]))
        key = [
            entry if axis is None else _on_core(entry, small.shape[axis])
            for entry, axis in _by_axis(arguments(call)[0][1], small.ndim)
        ]
        labels = as_output(small[tuple(key)], call.outputs[0])
        return [walk.part(call, labels)]

    def replay(self, call: Call, operation: Any, args: Any, kwargs: Any, cut: Cut) -> Any:
        x, key = args
        entries = _by_axis(key, len(x.shape))
        for number, (entry, axis) in enumerate(entries):
            kept = np.ones(1, bool) if axis is None else cut.kept(call.inputs[0], axis)
            if not kept.all():
                x, entry = _picked(x, axis, entry, kept)
                whole = [other for other, _ in entries]
                return operation(x, (*whole[:number], entry, *whole[number + 1 :]))
        return operation(*args, **kwargs)


@register("Take")
class TakeRule(Rule):
    """Constant positions of one axis."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        indices, axis = _indices(call), call.operation.axis
        small = arrays.core(walk.of(call.inputs[0]))
        if small.shape[axis] == 1:
            indices = np.zeros_like(indices)
        elif not ((-small.shape[axis] <= indices) & (indices < small.shape[axis])).all():
            raise Unsupported("it takes a position that the axis does not have")
        labels = as_output(np.take(small, indices, axis), call.outputs[0])
        return [walk.part(call, labels)]

    def replay(self, call: Call, operation: Any, args: Any, kwargs: Any, cut: Cut) -> Any:
        kept = cut.kept(call.inputs[0], call.operation.axis)
        if kept.all():
            return operation(*args, **kwargs)
        indices = _indices(call)
        ranks = _ranks(kept, indices).tolist()
        return operation(args[0], ranks if indices.ndim else ranks[0])


@register("Split")
class SplitRule(Rule):
    """Pieces side by side; each keeps its own channels, so they may become unequal."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small, axis = arrays.core(walk.of(call.inputs[0])), call.operation.axis
        pieces: Sequence[np.ndarray] = [small] * len(call.outputs)
        if small.shape[axis] > 1:
            pieces = np.split(small, call.operation.indices_or_sections, axis)
        return _parts(call, walk, pieces)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        axis = config["axis"]
        if cut.kept(call.inputs[0], axis).all():
            return config
        ends = np.cumsum([cut.size(tensor, axis) for tensor in call.outputs])
        return config | {"indices_or_sections": ends[:-1].tolist()}


@register("Unstack")
class UnstackRule(Rule):
    """One tensor for every position of an axis, so that this axis cannot shrink."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small, axis = arrays.core(walk.of(call.inputs[0])), call.operation.axis
        numbers = range(len(call.outputs))
        return _parts(call, walk, [small.take(i % small.shape[axis], axis) for i in numbers])


def _parts(call: Call, walk: LabelWalk, pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The pieces as the labels of a call's outputs."""
    pairs = zip(pieces, call.outputs, strict=True)
    return [walk.part(call, as_output(piece, tensor)) for piece, tensor in pairs]


def _by_axis(key: Any, rank: int) -> list[tuple[Any, int | None]]:
    """Every entry of a key with the axis it is for, None for a new one; no ellipsis is left."""
    entries = list(key) if isinstance(key, (tuple, list)) else [key]
    if Ellipsis not in entries:
        entries.append(Ellipsis)
    given = len(entries) - 1 - entries.count(None)
    place = entries.index(Ellipsis)
    entries[place : place + 1] = [_ALL] * (rank - given)
    axes = iter(range(rank))
    return [(entry, None if entry is None else next(axes)) for entry in entries]


def _on_core(entry: int | slice, length: int) -> int | slice:
    """An entry for an axis that is as long as the tensor's, or cut to length 1."""
    if length > 1:
        return entry
    return _ALL if isinstance(entry, slice) else 0


def _indices(call: Call) -> np.ndarray:
    """The constant positions of a take, as an array of one axis or none."""
    args, kwargs = arguments(call)
    x, indices = (*args, *kwargs.values())
    if call.operation.axis is None or not isinstance(x, keras.KerasTensor):
        raise Unsupported("it takes from a constant or from all axes at once")
    if isinstance(indices, keras.KerasTensor) or np.ndim(indices) > 1:
        raise Unsupported("the positions it takes are not a plain list")
    return np.asarray(indices)


def _ranks(kept: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Where positions of an axis are after a cut; those that have left are left out."""
    return (np.cumsum(kept) - 1)[positions][kept[positions]]


def _picked(x: Any, axis: int | None, entry: int | slice, kept: np.ndarray) -> tuple[Any, Any]:
    """A tensor and an entry that pick what is left of the positions an entry picked before."""
    ranks = _ranks(kept, np.arange(len(kept))[entry])
    if isinstance(entry, int):
        return x, int(ranks[0])
    steps = np.unique(np.diff(ranks))
    if len(steps) > 1:
        return keras.ops.take(x, ranks.tolist(), axis=axis), _ALL
    step = int(steps[0]) if len(steps) else 1
    end = int(ranks[-1]) + step
    return x, slice(int(ranks[0]), None if end < 0 else end, step)
