"""Layers around another layer: at each step, in front of it, or behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays, work
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calls import is_model
from keras_prune.graph.rules.base import BarrierRule, Product, ProductsRule, register, rule_for
from keras_prune.graph.rules.common import as_output

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

layers = keras.layers


class Around(ProductsRule):
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
            for inner in self._of_a_row(call)
            for product in work.products(inner)
        ]

    def additions(self, call: Call) -> int:
        return self._steps(call) * sum(map(work.additions, self._of_a_row(call)))

    def _of_a_row(self, call: Call) -> Iterator[Call]:
        return self._inside(replace(call, rows=Fraction(1)))


class _ClosedAround(Around, BarrierRule):
    """Likewise where no channel leaves."""


@register(layers.TimeDistributed)
class TimeDistributedRule(Around):
    """What the layer does at one step; of a model, the steps are folded into the batch, over which
    BatchNormalization takes its statistics in training.

    `MACs = steps · those of the layer, or of the model`.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        if is_model(call.operation.layer):
            raise Unsupported("a model runs at each step")
        inner = next(self._inside(call))
        walk.hold(inner.operation, call.operation)
        for outer, tensor in zip(call.inputs, inner.inputs, strict=True):
            labels = arrays.core(walk.of(outer))
            walk.unite(labels, labels[:, :1])
            walk.tensors[id(tensor)] = as_output(labels[:, 0], tensor)
        with walk.without_norms():
            outputs = rule_for(inner.operation).label(inner, walk)
        walk.keep(inner, outputs)
        walk.inside[id(call)] = inner
        return [
            as_output(np.expand_dims(arrays.core(labels), 1), tensor)
            for tensor, labels in zip(call.outputs, outputs, strict=True)
        ]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        inner, written = cut.inside(call), config["layer"]
        if inner is None:  # it was a barrier
            return config
        rewritten = rule_for(inner.operation).rewrite(inner, written["config"], cut)
        return config | {"layer": rewritten_inside(written, rewritten)}

    def _steps(self, call: Call) -> int:
        return call.inputs[0].shape[1]

    def _inside(self, call: Call) -> Iterator[Call]:
        inputs = tuple(map(one_step, call.inputs))
        outputs = tuple(map(one_step, call.outputs))
        return _of_layer(
            replace(call, operation=call.operation.layer, inputs=inputs, outputs=outputs)
        )


@register(layers.Pipeline)
class PipelineRule(_ClosedAround):
    """`MACs = those of all layers`."""

    def _inside(self, call: Call) -> Iterator[Call]:
        (tensor,) = call.inputs
        for layer in call.operation.layers:
            made = layer.compute_output_spec(tensor)
            yield from _of_layer(replace(call, operation=layer, inputs=(tensor,), outputs=(made,)))
            tensor = made


@register(layers.SpectralNormalization)
class SpectralNormalizationRule(_ClosedAround):
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
        outer, inner = call.rows, located.call.rows
        rows = None if outer is None or inner is None else outer * inner
        yield replace(located.call, rows=rows)


def rewritten_inside(written: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """What is written of a layer inside, with another config, and not built yet."""
    return {k: v for k, v in written.items() if k != "build_config"} | {"config": config}


def one_step(tensor: keras.KerasTensor) -> keras.KerasTensor:
    """A tensor without its axis of time."""
    return keras.KerasTensor((tensor.shape[0], *tensor.shape[2:]), tensor.dtype)
