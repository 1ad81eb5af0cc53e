"""Recurrent layers: units with their gates, one direction or both."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Role, Unsupported
from keras_prune.graph.rules.base import BarrierRule, Product, register, rule_for
from keras_prune.graph.rules.common import channel_axis, pin_function, positions
from keras_prune.graph.rules.products import named_arguments
from keras_prune.graph.rules.wrappers import Around, one_step, rewritten_inside

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers


@register(
    layers.RNN, layers.LSTM, layers.GRU, layers.SimpleRNN,
    layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D,
)  # fmt: skip
class RecurrentRule(Around):
    """A unit leaves with its gates, and its rows of the recurrent kernel.

    `MACs = steps · those of the cell`.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        given = named_arguments(call)
        states = self.run(call, walk, call.operation)
        _meet(walk, given.get("initial_state"), states)
        return _spread(call, [states[_of_output(call.operation)], *states])

    def run(self, call: Call, walk: LabelWalk, layer: Any, part: str = "") -> list[np.ndarray]:
        """Ties the weights of a recurrent layer inside a call; returns the labels of its states."""
        if channel_axis(layer) != -1:
            raise Unsupported("its channels are not the last axis")
        cell = layer.cell
        return _cell_rule(cell).run(call, walk, cell, walk.channels(_sequence(call), -1), part)

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return self.rewritten(call.operation, config, cut)

    def rewritten(self, layer: Any, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        """The config of a recurrent layer, with the units that are left."""
        if "cell" not in config:
            return _cell_rule(layer.cell).rewritten(layer.cell, config, cut)
        return config | {"cell": _inner_config(layer.cell, config["cell"], cut)}

    def _steps(self, call: Call) -> int:
        return _sequence(call).shape[1]

    def _inside(self, call: Call) -> Iterator[Call]:
        layer: Any = call.operation
        output = call.outputs[0]
        made = one_step(output) if layer.return_sequences else output
        yield replace(
            call, operation=layer.cell, inputs=(one_step(_sequence(call)),), outputs=(made,)
        )


class _Cell(BarrierRule):
    """What is run at each step."""

    def run(
        self, call: Call, walk: LabelWalk, cell: Any, inputs: np.ndarray, part: str
    ) -> list[np.ndarray]:
        """Ties a cell's weights to what it reads; returns the labels of its states."""
        raise NotImplementedError

    def rewritten(self, cell: Any, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        """The config of a cell, with the units that are left."""
        raise NotImplementedError


@register(layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell)
class CellRule(_Cell):
    """`MACs = size of the kernel + size of the recurrent kernel`; gates are elementwise, and free.

    An LSTM of *u* units on *n* features has `4 u (n + u)` at each step, a GRU `3 u (n + u)`, a
    simple one `u (n + u)`.
    """

    size = "units"

    def run(
        self, call: Call, walk: LabelWalk, cell: Any, inputs: np.ndarray, part: str
    ) -> list[np.ndarray]:
        layer, kernel, recurrent = call.operation, cell.kernel, cell.recurrent_kernel
        units = recurrent.shape[-2]
        gates = np.array(walk.produce(layer, kernel, -1, part)).reshape(-1, units)
        walk.unite(gates, gates[:1])  # a unit is at its place in each gate
        walk.bind(layer, kernel, -2, inputs, Role.CONSUMER)
        walk.bind(layer, recurrent, -2, gates[0], Role.CONSUMER)
        walk.bind(layer, recurrent, -1, gates.ravel())
        walk.bind(layer, cell.bias, -1, gates.ravel())
        for activation in (cell.activation, getattr(cell, "recurrent_activation", None)):
            pin_function(call, walk, gates[0], activation)
        return [gates[0]] * len(np.ravel(cell.state_size))

    def rewritten(self, cell: Any, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        return config | {self.size: cut.length(cell.recurrent_kernel, -2)}

    def products(self, call: Call) -> list[Product]:
        kernels = call.operation.kernel, call.operation.recurrent_kernel
        return [Product(sum(math.prod(kernel.shape) for kernel in kernels), kernels)]

    def additions(self, call: Call) -> int:
        return _size_of_bias(call)


@register("keras.src.layers.rnn.conv_lstm.ConvLSTMCell")
class ConvCellRule(CellRule):
    """`MACs = (size of the kernel + size of the recurrent kernel) · output positions`."""

    size = "filters"

    def products(self, call: Call) -> list[Product]:
        kernels = call.operation.kernel, call.operation.recurrent_kernel
        weights = sum(math.prod(kernel.shape) for kernel in kernels)
        return [Product(weights * self._positions(call), kernels)]

    def additions(self, call: Call) -> int:
        return _size_of_bias(call) * self._positions(call)

    def _positions(self, call: Call) -> int:
        return positions(call.outputs[0], channel_axis(call.operation))


@register(layers.StackedRNNCells)
class StackedCellsRule(Around, _Cell):
    """One cell reads what the one before makes. `MACs = those of all cells`."""

    def run(
        self, call: Call, walk: LabelWalk, cell: Any, inputs: np.ndarray, part: str
    ) -> list[np.ndarray]:
        states = []
        for number, inner in enumerate(cell.cells):
            name = f"{part}{number}"
            found = _cell_rule(inner).run(call, walk, inner, inputs, name)
            states += found
            inputs = found[0]
        return states

    def rewritten(self, cell: Any, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        pairs = zip(cell.cells, config["cells"], strict=True)
        return config | {"cells": [_inner_config(inner, written, cut) for inner, written in pairs]}

    def _inside(self, call: Call) -> Iterator[Call]:
        return (replace(call, operation=cell) for cell in call.operation.cells)


@register(layers.Bidirectional)
class BidirectionalRule(Around):
    """A unit leaves in both directions, for Keras takes their outputs for equally wide.

    `MACs = those of the layer that runs forward + those of the one that runs backward`.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer: Any = call.operation
        both = {"forward": layer.forward_layer, "backward": layer.backward_layer}
        for inner in both.values():
            if not isinstance(rule_for(inner), RecurrentRule):
                raise Unsupported(f"no rule for the layer {type(inner).__name__} in it")
        runs = RecurrentRule().run
        states = [runs(call, walk, inner, part) for part, inner in both.items()]
        forward, backward = (
            found[_of_output(inner)] for found, inner in zip(states, both.values(), strict=True)
        )
        _meet(walk, named_arguments(call).get("initial_state"), [*states[0], *states[1]])
        if len(forward) != len(backward):
            raise Unsupported("its directions differ in units")
        walk.unite(forward, backward)
        made = [forward, backward]
        if layer.merge_mode is not None:
            made = [np.tile(forward, 2 if layer.merge_mode == "concat" else 1)]
        return _spread(call, [*made, *states[0], *states[1]])

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        layer: Any = call.operation
        parts = {"layer": layer.forward_layer, "backward_layer": layer.backward_layer}
        return config | {
            key: rewritten_inside(
                config[key], RecurrentRule().rewritten(x, config[key]["config"], cut)
            )
            for key, x in parts.items()
        }

    def _inside(self, call: Call) -> Iterator[Call]:
        layer: Any = call.operation
        both = (layer.forward_layer, layer.backward_layer)
        return (replace(call, operation=each) for each in both)


def _cell_rule(cell: Any) -> _Cell:
    """The rule of what a recurrent layer runs."""
    rule = rule_for(cell)
    if not isinstance(rule, _Cell):
        raise Unsupported(f"no rule for the cell {type(cell).__name__} in it")
    return rule


def _inner_config(cell: Any, written: dict[str, Any], cut: Cut) -> dict[str, Any]:
    """What is written of a cell inside a config."""
    return rewritten_inside(written, _cell_rule(cell).rewritten(cell, written["config"], cut))


def _of_output(layer: Any) -> int:
    """Which of the states of a recurrent layer its output is: the first one of the last cell."""
    cells = getattr(layer.cell, "cells", [layer.cell])
    return sum(len(np.ravel(cell.state_size)) for cell in cells[:-1])


def _meet(walk: LabelWalk, given: Any, states: Sequence[np.ndarray]) -> None:
    """Makes the units of states that are given one with those of the layer."""
    tensors = [] if given is None else keras.tree.flatten(given)
    if not all(isinstance(tensor, keras.KerasTensor) for tensor in tensors):
        raise Unsupported("a state that it is given is a constant")
    for tensor, labels in zip(tensors, states, strict=False):
        walk.unite(walk.channels(tensor, -1), labels)


def _spread(call: Call, made: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Labels along the last axis of each output."""
    pairs = zip(call.outputs, made, strict=False)  # states are returned where they are asked for
    return [arrays.spread(labels, arrays.shape_of(tensor), -1) for tensor, labels in pairs]


def _sequence(call: Call) -> keras.KerasTensor:
    """The sequence among a call's tensors; others are states."""
    args, kwargs = call.symbolic_arguments
    return args[0] if args else kwargs.get("sequences", call.inputs[0])


def _size_of_bias(call: Call) -> int:
    bias = call.operation.bias
    return 0 if bias is None else math.prod(bias.shape)
