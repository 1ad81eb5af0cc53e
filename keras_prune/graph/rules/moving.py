"""Operations that move or repeat whole axes: run with NumPy on the label arrays themselves."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.rules.base import Rule, register
from keras_prune.graph.rules.common import as_output

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk


class _Moved(Rule):
    """What an operation does to a tensor it does to its labels; its config holds no lengths."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small = arrays.core(walk.of(call.inputs[0]))
        return [as_output(self.moved(call.operation, small), call.outputs[0])]

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        """The labels after the operation; an axis of length 1 stands for one of any length."""
        raise NotImplementedError


@register(keras.layers.Permute)
class PermuteRule(_Moved):
    """Axes change places, the batch stays."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return np.transpose(small, (0, *operation.dims))


@register("Transpose")
class TransposeRule(_Moved):
    """Axes change places."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return np.transpose(small, operation.axes)


@register("Moveaxis")
class MoveaxisRule(_Moved):
    """Some axes change places, the others keep their order."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return np.moveaxis(small, operation.source, operation.destination)


@register("Swapaxes")
class SwapaxesRule(_Moved):
    """Two axes change places."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return np.swapaxes(small, operation.axis1, operation.axis2)


@register("ExpandDims")
class ExpandDimsRule(_Moved):
    """New axes of length 1."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return np.expand_dims(small, operation.axis)


@register("Squeeze")
class SqueezeRule(Rule):
    """Axes of length 1 go. In a core any axis may have length 1, so the tensor's shape decides."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small, shape = arrays.core(walk.of(call.inputs[0])), call.inputs[0].shape
        axis = call.operation.axis
        gone = np.flatnonzero(np.array(shape) == 1) if axis is None else np.atleast_1d(axis)
        return [as_output(np.squeeze(small, tuple(gone.tolist())), call.outputs[0])]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        """An axis that a cut leaves with length 1 must not go with those that had it before."""
        if config["axis"] is not None:
            return config
        shape = call.inputs[0].shape
        return config | {"axis": [axis for axis, length in enumerate(shape) if length == 1]}


@register(keras.layers.RepeatVector)
class RepeatVectorRule(_Moved):
    """The same vector at every step."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return small[:, None]


@register("Flip")
class FlipRule(_Moved):
    """The other way round; what a cut leaves of it is what is left, the other way round."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        return np.flip(small, operation.axis)


@register("Tile")
class TileRule(_Moved):
    """The tensor again and again: counts of copies, no lengths."""

    def moved(self, operation: Any, small: np.ndarray) -> np.ndarray:
        repeats = np.atleast_1d(operation.repeats).tolist()
        small = small[(None,) * (len(repeats) - small.ndim)]
        repeats = [1] * (small.ndim - len(repeats)) + repeats
        varies = np.array(small.shape) > 1
        return np.tile(small, np.where(varies, repeats, 1))


@register("Repeat")
class RepeatRule(Rule):
    """Each element again and again: one count, or one for every position of the axis."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small, axis = arrays.core(walk.of(call.inputs[0])), call.operation.axis
        if axis is None:
            raise Unsupported("it lays out all axes, the batch among them, in one")
        if small.shape[axis] > 1:
            small = np.repeat(small, call.operation.repeats, axis)
        return [as_output(small, call.outputs[0])]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        if config["axis"] is None:
            return config
        kept = cut.kept(call.inputs[0], config["axis"])
        if kept.all() or np.size(config["repeats"]) == 1:
            return config
        return config | {"repeats": np.array(config["repeats"])[kept].tolist()}


@register("Roll")
class RollRule(Rule):
    """Positions move on, those at the end come round to the front."""

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        small, axis = arrays.core(walk.of(call.inputs[0])), call.operation.axis
        if axis is None:
            raise Unsupported("it lays out all axes, the batch among them, in one")
        return [as_output(np.roll(small, call.operation.shift, axis), call.outputs[0])]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        axes, shifts = config["axis"], config["shift"]
        if axes is None:
            return config
        if isinstance(axes, int):
            return config | {"shift": self._shift(call, axes, shifts, cut)}
        total: dict[int, int] = defaultdict(int)  # an axis may be named more than once
        for axis, shift in zip(axes, np.broadcast_to(shifts, len(axes)).tolist(), strict=True):
            total[axis % len(call.inputs[0].shape)] += shift
        left = [self._shift(call, axis, shift, cut) for axis, shift in total.items()]
        return config | {"shift": tuple(left), "axis": tuple(total)}

    def _shift(self, call: Call, axis: int, shift: int, cut: Cut) -> int:
        """By how much an axis is rolled once some of it has left."""
        kept = cut.kept(call.inputs[0], axis)
        if kept.all():
            return shift
        return int(kept[len(kept) - shift % len(kept) :].sum())
