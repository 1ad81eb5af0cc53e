"""Layers that run a cell or another layer step by step, or around one. No channel leaves them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras

from keras_prune.graph.calls import is_model
from keras_prune.graph.rules.base import BarrierRule, Product, register, rule_for
from keras_prune.graph.rules.common import channel_axis, positions

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call

layers = keras.layers


class _Around(BarrierRule):
    """The work of the calls inside, each as often as there are steps."""

    def _steps(self, call: Call) -> int:
        return 1

    def _inside(self, call: Call) -> Iterator[Call]:
        """What one step calls."""
        raise NotImplementedError

    def products(self, call: Call) -> list[Product]:
        steps = self._steps(call)
        return [
            product._replace(macs=steps * product.macs)
            for inner in self._inside(call)
            for product in rule_for(inner.operation).products(inner)
        ]

    def additions(self, call: Call) -> int:
        each = (rule_for(inner.operation).additions(inner) for inner in self._inside(call))
        return self._steps(call) * sum(each)


@register(
    layers.RNN, layers.LSTM, layers.GRU, layers.SimpleRNN,
    layers.ConvLSTM1D, layers.ConvLSTM2D, layers.ConvLSTM3D,
)  # fmt: skip
class RecurrentRule(_Around):
    """`MACs = steps · those of the cell`."""

    def _steps(self, call: Call) -> int:
        return _sequence(call).shape[1]

    def _inside(self, call: Call) -> Iterator[Call]:
        layer: Any = call.operation
        output = call.outputs[0]
        made = _one_step(output) if layer.return_sequences else output
        yield replace(
            call, operation=layer.cell, inputs=(_one_step(_sequence(call)),), outputs=(made,)
        )


@register(layers.LSTMCell, layers.GRUCell, layers.SimpleRNNCell)
class CellRule(BarrierRule):
    """`MACs = size of the kernel + size of the recurrent kernel`; gates are elementwise, and free.

    An LSTM of *u* units on *n* features has `4 u (n + u)` at each step, a GRU `3 u (n + u)`, a
    simple one `u (n + u)`.
    """

    def products(self, call: Call) -> list[Product]:
        kernels = call.operation.kernel, call.operation.recurrent_kernel
        return [Product(sum(math.prod(kernel.shape) for kernel in kernels), kernels)]

    def additions(self, call: Call) -> int:
        return _size_of_bias(call)


@register("keras.src.layers.rnn.conv_lstm.ConvLSTMCell")
class ConvCellRule(BarrierRule):
    """`MACs = (size of the kernel + size of the recurrent kernel) · output positions`."""

    def products(self, call: Call) -> list[Product]:
        kernels = call.operation.kernel, call.operation.recurrent_kernel
        weights = sum(math.prod(kernel.shape) for kernel in kernels)
        return [Product(weights * self._positions(call), kernels)]

    def additions(self, call: Call) -> int:
        return _size_of_bias(call) * self._positions(call)

    def _positions(self, call: Call) -> int:
        return positions(call.outputs[0], channel_axis(call.operation))


@register(layers.StackedRNNCells)
class StackedCellsRule(_Around):
    """`MACs = those of all cells`."""

    def _inside(self, call: Call) -> Iterator[Call]:
        return (replace(call, operation=cell) for cell in call.operation.cells)


@register(layers.Bidirectional)
class BidirectionalRule(_Around):
    """`MACs = those of the layer that runs forward + those of the one that runs backward`."""

    def _inside(self, call: Call) -> Iterator[Call]:
        layer: Any = call.operation
        both = (layer.forward_layer, layer.backward_layer)
        return (replace(call, operation=each) for each in both)


@register(layers.TimeDistributed)
class TimeDistributedRule(_Around):
    """`MACs = steps · those of the layer, or of the model, at one step`."""

    def _steps(self, call: Call) -> int:
        return call.inputs[0].shape[1]

    def _inside(self, call: Call) -> Iterator[Call]:
        inputs = tuple(map(_one_step, call.inputs))
        outputs = tuple(map(_one_step, call.outputs))
        return _of_layer(
            replace(call, operation=call.operation.layer, inputs=inputs, outputs=outputs)
        )


@register(layers.Pipeline)
class PipelineRule(_Around):
    """`MACs = those of all layers`."""

    def _inside(self, call: Call) -> Iterator[Call]:
        (tensor,) = call.inputs
        for layer in call.operation.layers:
            made = layer.compute_output_spec(tensor)
            yield from _of_layer(replace(call, operation=layer, inputs=(tensor,), outputs=(made,)))
            tensor = made


@register(layers.SpectralNormalization)
class SpectralNormalizationRule(_Around):
    """`MACs = those of the layer`; its kernel is divided by its norm in training alone."""

    def _inside(self, call: Call) -> Iterator[Call]:
        return _of_layer(replace(call, operation=call.operation.layer))


def _of_layer(call: Call) -> Iterator[Call]:
    """The call of a layer, or the calls inside a model."""
    if not is_model(call.operation):
        yield call
        return
    from keras_prune.graph.nested import opened  # which needs the rules
    from keras_prune.graph.tracing import trace

    for located in opened(trace(call.operation), inputs=call.inputs):
        yield located.call


def _sequence(call: Call) -> keras.KerasTensor:
    """The sequence among a call's tensors; others are states."""
    args, kwargs = call.symbolic_arguments
    return args[0] if args else kwargs.get("sequences", call.inputs[0])


def _one_step(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """A tensor without its axis of time."""
    return keras.KerasTensor((tensor.shape[0], *tensor.shape[2:]), tensor.dtype)


def _size_of_bias(call: Call) -> int:
    bias = call.operation.bias
    return 0 if bias is None else math.prod(bias.shape)
