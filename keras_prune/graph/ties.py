"""Which axes of weights are tied to which labels, while a network is walked."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Role, Unsupported
from keras_prune.graph.unions import Unions


class Block(NamedTuple):
    """Axes of a weight of which one can shrink; which one is known once all labels are resolved."""

    layer: keras.Layer
    variable: keras.Variable
    axes: tuple[int, ...]
    labels: np.ndarray
    role: Role

    def settled(self, roots: np.ndarray) -> Binding | None:
        """The binding of the one axis that can shrink; None if there is more than one."""
        number = arrays.shrinking_axis(roots[self.labels])
        if number is None:
            return None
        labels = arrays.along(self.labels, number, self.labels.shape[number])
        return Binding(self.layer, self.variable, self.axes[number], labels, self.role)


class Ties:
    """Labels, which of them are one, and the axes of weights that are tied to them."""

    def __init__(self) -> None:
        self.unions = Unions()
        self.bindings: dict[tuple[int, int], Binding] = {}
        self.blocks: dict[tuple[int, tuple[int, ...]], Block] = {}
        self._holders: dict[int, tuple[keras.Layer, str]] = {}

    def unite(self, a: np.ndarray, b: np.ndarray) -> None:
        """Makes labels one, position by position; arrays broadcast against each other."""
        self.unions.unite(arrays.core(a), arrays.core(b))

    def produce(
        self, layer: keras.Layer, variable: keras.Variable, axis: int, part: str = ""
    ) -> np.ndarray:
        """Labels for the channels a weight's axis makes; the same ones at every call.

        Args:
            layer: the layer that owns the weight.
            variable: the weight.
            axis: the axis.
            part: what the channels are, where the layer makes several kinds of them.
        """
        axis %= len(variable.shape)
        known = self.bindings.get((id(variable), axis))
        labels = known.labels if known else self.unions.fresh(variable.shape[axis])
        self.bind(layer, variable, axis, labels, Role.PRODUCER, part)
        return labels

    def bind(
        self,
        layer: keras.Layer,
        variable: keras.Variable | None,
        axis: int,
        labels: np.ndarray,
        role: Role = Role.CHANNELWISE,
        part: str = "",
    ) -> None:
        """Ties a weight's axis to labels; a weight that is bound again unites the two."""
        if variable is None:
            return
        layer, of_it = self._holders.get(id(layer), (layer, ""))
        part = part or of_it
        axis %= len(variable.shape)
        if len(labels) != variable.shape[axis]:
            raise Unsupported(
                f"{variable.name} has length {variable.shape[axis]} along axis {axis} "
                f"for {len(labels)} channels"
            )
        known = self.bindings.setdefault(
            (id(variable), axis), Binding(layer, variable, axis, labels, role, part)
        )
        if known.labels is not labels:
            self.unite(known.labels, labels)

    def bind_axes(
        self,
        layer: keras.Layer,
        variable: keras.Variable | None,
        axes: Sequence[int],
        labels: np.ndarray,
        role: Role = Role.CHANNELWISE,
    ) -> None:
        """Ties several axes of a weight to labels, of which one can shrink.

        Args:
            layer: the layer that owns the weight.
            variable: the weight, if there is one.
            axes: the axes.
            labels: in their order; along an axis of length 1 they hold for all positions.
            role: what the axes have to do with them.
        """
        if variable is None:
            return
        shape = [variable.shape[axis] for axis in axes]
        if any(n not in (1, length) for n, length in zip(labels.shape, shape, strict=True)):
            raise Unsupported(f"{variable.name} of shape {variable.shape} does not fit its input")
        full = np.broadcast_to(labels, shape)
        long = [number for number, length in enumerate(shape) if length > 1]
        if len(long) < 2:
            for number in long:
                self.bind(layer, variable, axes[number], full.ravel(), role)
            return
        key = (id(variable), tuple(axes))
        known = self.blocks.setdefault(key, Block(layer, variable, tuple(axes), full, role))
        if known.labels is not full:
            self.unite(known.labels, full)

    def produce_axes(
        self, layer: keras.Layer, variable: keras.Variable, axes: Sequence[int]
    ) -> np.ndarray:
        """Labels for the channels that several axes of a weight make, of which one can shrink."""
        if len(axes) == 1:
            return self.produce(layer, variable, axes[0])
        known = self.blocks.get((id(variable), tuple(axes)))
        if known is not None:
            return known.labels
        shape = [variable.shape[axis] for axis in axes]
        labels = self.unions.fresh(int(np.prod(shape))).reshape(shape)
        self.bind_axes(layer, variable, axes, labels, Role.PRODUCER)
        return labels

    def _ties_of(self, variable: keras.Variable) -> Iterator[Binding | Block]:
        """What axes of a weight are tied to."""
        for axis in range(len(variable.shape)):
            if (id(variable), axis) in self.bindings:
                yield self.bindings[id(variable), axis]
        yield from (block for block in self.blocks.values() if block.variable is variable)

    def channels_tied(self, variable: keras.Variable) -> set[int]:
        """The roots of the labels that axes of a weight are tied to."""
        roots = self.unions.resolve()
        found = (roots[each.labels].ravel().tolist() for each in self._ties_of(variable))
        return {root for labels in found for root in labels}

    def unite_axis(self, variable: keras.Variable, axis: int, labels: np.ndarray) -> None:
        """Makes the labels that an axis of a weight is tied to one with others, by position."""
        known = self.bindings.get((id(variable), axis))
        if known is not None:
            self.unite(known.labels, labels)
        for block in self.blocks.values():
            if block.variable is variable and axis in block.axes:
                rows = np.moveaxis(block.labels, block.axes.index(axis), -1)
                self.unions.unite(rows, np.broadcast_to(labels, rows.shape))

    def tied(
        self, weights: Iterable[keras.Variable], roots: np.ndarray
    ) -> dict[tuple[int, int], Binding]:
        """The bindings of some weights, with what several axes of them are tied to.

        Raises:
            Unsupported: a weight would shrink along two axes.
        """
        own = {id(weight) for weight in weights}
        found = {key: binding for key, binding in self.bindings.items() if key[0] in own}
        for block in self.blocks.values():
            if id(block.variable) not in own:
                continue
            binding = block.settled(roots)
            if binding is None:
                raise Unsupported(f"{block.variable.name} would shrink along two axes")
            found.setdefault((id(block.variable), binding.axis), binding)
        return found

    def is_tied(self, variable: keras.Variable) -> bool:
        """Whether an axis of a weight is tied to labels."""
        return next(self._ties_of(variable), None) is not None

    def mark(self) -> tuple[int, int]:
        """A moment, for `since`."""
        return len(self.bindings), len(self.blocks)

    def since(self, mark: tuple[int, int]) -> list[np.ndarray]:
        """The labels that axes of weights were tied to since a moment."""
        bindings, blocks = list(self.bindings.values()), list(self.blocks.values())
        found: list[Binding | Block] = [*bindings[mark[0] :], *blocks[mark[1] :]]
        return [each.labels for each in found]
