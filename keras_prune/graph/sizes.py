"""Which channels of a layer can leave: it is made for fewer of them, and compared."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Pin, Unsupported
from keras_prune.graph.calling import takes_training
from keras_prune.graph.calls import Call, in_inference, remade
from keras_prune.graph.cut import Cut
from keras_prune.graph.inside import Inside
from keras_prune.graph.proving import equal, other_weights
from keras_prune.graph.samples import sample
from keras_prune.graph.unions import STAYS
from keras_prune.utils.reasons import reason

if TYPE_CHECKING:
    from keras_prune.graph.labels import LabelWalk

Place = tuple[keras.Variable, int]
"""An axis of a weight."""


class Sizes:
    """Which channels of a layer's can leave: it is made for fewer of them, and compared.

    How many there are its `build` reads from its input, or a number in its config says.

    Args:
        call: the call of the layer.
        inside: what it computes.
        walk: the walk, with the labels of all that is inside.
        stays: gets the reason where some of it must stay.
    """

    def __init__(self, call: Call, inside: Inside, walk: LabelWalk, stays: list[str]) -> None:
        self._stays = stays
        self._call = call
        self._inside = inside
        self._walk = walk
        self._layer: Any = call.operation

    def families(self, labels: np.ndarray, given: np.ndarray) -> list[np.ndarray]:
        """Labels that were made inside, by the axes of the weights that they are tied to."""
        roots = self._walk.unions.resolve()
        known = {STAYS, *given.tolist()}
        found: dict[tuple[tuple[int, int], ...], list[int]] = {}
        bindings = self._walk.tied(self._layer.weights, roots)
        for root in np.unique(roots[labels]).tolist():
            if root not in known:
                tied = tuple(k for k, b in bindings.items() if root in roots[b.labels])
                found.setdefault(tied, []).append(root)
        return [np.array(family) for family in found.values()]

    def follow(self) -> None:
        """Lets weights leave with the input that they are made as wide as, and do not meet inside.

        What is made of them may meet it behind the layer.
        """
        roots = self._walk.settled(map(self._walk.of, self._inside.inputs))
        wide = [self._along(tensor, roots) for tensor in self._inside.inputs]
        left = np.setdiff1d(roots[np.concatenate([[STAYS], *wide])], [STAYS])
        if len(left) < 2:
            return
        try:
            small, _ = self._made(self._half(left, roots, {}), {}, self._values())
        except Unsupported:  # which is told once the channels are settled
            return
        for weight, made in zip(self._layer.weights, small.weights, strict=False):
            for axis, (before, after) in enumerate(zip(weight.shape, made.shape, strict=False)):
                if after < before:
                    for labels in (each for each in wide if len(each) == before):
                        self._walk.unite_axis(weight, axis, labels)

    def _along(self, tensor: keras.KerasTensor, roots: np.ndarray) -> np.ndarray:
        """The labels along the axis of a tensor that can shrink."""
        labels = self._walk.of(tensor)
        axis = arrays.shrinking_axis(roots[arrays.core(labels)])
        assert axis is not None  # settled
        return arrays.along(arrays.core(labels), axis, labels.shape[axis])

    def _half(
        self, left: np.ndarray, roots: np.ndarray, bindings: Mapping[tuple[int, int], Binding]
    ) -> Cut:
        """A cut that keeps half of some labels."""
        keep = np.ones(len(roots), bool)
        keep[left[len(left) // 2 :]] = False
        return Cut(self._walk.tensors, bindings, roots, keep, {})

    def settle(self, family: np.ndarray, why: str) -> None:
        """Pins a family of labels if the layer cannot be made for fewer of them."""
        roots = self._walk.unions.resolve()
        left = np.setdiff1d(roots[family], [STAYS])
        if len(left) < 2:
            return
        bindings = self._walk.tied(self._layer.weights, roots)
        cut = self._half(left, roots, bindings)
        whole = [b for b in bindings.values() if np.isin(roots[b.labels], left).all()]
        reasons = []
        for key, place in self._candidates(whole):
            try:
                self._check(cut, bindings, key, place)
            except Unsupported as reason:
                reasons.append(str(reason))
                continue
            if key and place:
                self._walk.sizes.setdefault(id(self._layer), {})[key] = place
            return
        self._stays.append(f"{why} {reasons[0]}")
        self._walk.pin(left, Pin(self._call.name, self._stays[-1]))

    def _candidates(self, bindings: Iterable[Binding]) -> Iterator[tuple[str, Place | None]]:
        """Numbers of the config that may say how many there are, and an axis of that length.

        Args:
            bindings: the axes that hold nothing else.
        """
        yield "", None
        known = self._walk.sizes.get(id(self._layer), {})
        places = {b.variable.shape[b.axis]: (b.variable, b.axis) for b in bindings}
        for key, value in _config(self._layer).items():
            if type(value) is int and value in places and key not in known:
                yield key, places[value]

    def _check(
        self, cut: Cut, bindings: Mapping[tuple[int, int], Binding], key: str, place: Place | None
    ) -> None:
        """Makes the layer for fewer channels, and compares it on random numbers.

        Raises:
            Unsupported: it cannot be made, has weights of other shapes or computes something else.
        """
        layer, inside, values = self._layer, self._inside, self._values()
        small, fewer = self._made(cut, {key: cut.length(*place)} if place else {}, values)
        others = {id(weight): value for weight, value in other_weights(layer)}
        whole = [
            (weight, keras.ops.convert_to_numpy(others.get(id(weight), weight.value)))
            for weight in layer.weights
        ]
        left = [cut.left(weight, value) for weight, value in whole]
        shapes = [tuple(weight.shape) for weight in small.weights]
        if shapes != [value.shape for value in left]:
            raise Unsupported("it makes weights of other shapes")
        silencing = [b for b in bindings.values() if self._walk.silences(b)]
        silenced = [(weight, _silenced(weight, value, silencing, cut)) for weight, value in whole]
        args, kwargs = self._call.arguments(fewer)
        try:
            with keras.StatelessScope(state_mapping=silenced):
                expected = inside.run(values)
            with keras.StatelessScope(state_mapping=list(zip(small.weights, left, strict=True))):
                received = keras.tree.flatten(in_inference(small, *args, **kwargs))
        except Exception as error:  # whatever a user's code raises
            raise Unsupported(f"it cannot be run so ({reason(error, 200)})") from error
        if takes_training(small):
            _check_runs(small, args, kwargs | {"training": True})
        wanted = [_taken(x, t, cut) for x, t in zip(expected, inside.outputs, strict=True)]
        if len(received) != len(wanted) or not all(map(equal, received, wanted)):
            raise Unsupported("it computes something else")

    def _values(self) -> dict[int, Any]:
        """Random numbers for what the layer takes, by `id` of the tensor inside."""
        return {id(tensor): sample(tensor) for tensor in self._inside.inputs}

    def _made(
        self, cut: Cut, change: dict[str, int], values: Mapping[int, Any]
    ) -> tuple[Any, dict[int, Any]]:
        """The layer made for fewer channels, and what is left of the values it takes.

        Raises:
            Unsupported: it cannot be made.
        """
        call = self._call
        pairs = zip(call.inputs, self._inside.inputs, strict=True)
        fewer = {id(outer): _taken(values[id(t)], t, cut) for outer, t in pairs}
        try:
            args, kwargs = call.arguments({id(t): _symbolic(t, fewer[id(t)]) for t in call.inputs})
            small: Any = remade(self._layer, _config(self._layer) | change)
            with warnings.catch_warnings(action="ignore"):  # Keras warns before it raises
                small(*args, **kwargs)
        except Exception as error:  # whatever a user's code raises
            raise Unsupported(f"it cannot be made so ({reason(error, 200)})") from error
        return small, fewer


def _check_runs(layer: Any, args: Any, kwargs: Any) -> None:
    """What a layer does in training alone must not ask for all channels either."""
    try:
        with keras.StatelessScope():
            layer(*args, **kwargs)
    except Exception as error:  # whatever a user's code raises
        raise Unsupported(f"in training it fails so ({reason(error, 200)})") from error


def _config(layer: Any) -> dict[str, Any]:
    try:
        return layer.get_config()
    except Exception as error:  # whatever a user's code raises
        raise Unsupported(f"it has no config ({reason(error, 200)})") from error


def _symbolic(tensor: keras.KerasTensor, value: Any) -> keras.KerasTensor:
    """The tensor with the lengths of a value, but for those that are unknown."""
    shape = [old and new for old, new in zip(tensor.shape, value.shape, strict=True)]
    return keras.Input(batch_shape=shape, dtype=tensor.dtype)


def _taken(value: Any, tensor: keras.KerasTensor, cut: Cut) -> Any:
    """What is left of a tensor's value."""
    for axis in range(1, len(tensor.shape)):
        kept = cut.kept(tensor, axis)
        if not kept.all():
            value = keras.ops.take(value, np.flatnonzero(kept), axis=axis)
    return value


def _silenced(
    weight: keras.Variable, value: np.ndarray, silencing: Iterable[Binding], cut: Cut
) -> np.ndarray:
    """A weight's value with zeros where it reads what has left."""
    for binding in silencing:
        positions = cut.positions(binding)
        if binding.variable is weight and positions is not None:
            mask = np.zeros(len(binding.labels), value.dtype)
            mask[positions] = 1
            shape = [-1 if axis == binding.axis else 1 for axis in range(value.ndim)]
            value = value * mask.reshape(shape)
    return value
