"""Products of tensors: matmul, einsum, dot, and the ops behind layers. No channel leaves them."""

from __future__ import annotations

import inspect
import math
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph.rules.base import BarrierRule, Product, register, size
from keras_prune.graph.rules.common import channel_axis, positions

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call

Shape = tuple[int, ...]


def named_arguments(call: Call) -> dict[str, Any]:
    """What a call was given, by the names of the operation's parameters."""
    args, kwargs = call.symbolic_arguments
    return inspect.signature(call.operation.call).bind(*args, **kwargs).arguments


def of_one_example(tensor: Any) -> Shape:
    """The shape of a tensor whose batch is one example; that of a constant or weight as it is."""
    shape = tuple(np.shape(tensor)) if not hasattr(tensor, "shape") else tuple(tensor.shape)
    return (1, *shape[1:]) if isinstance(tensor, keras.KerasTensor) and shape else shape


def einsum_macs(equation: str, shapes: Sequence[Shape]) -> int:
    """One for each combination of the letters of two operands, where one is summed over.

    Three operands and more are contracted in pairs, as `numpy.einsum_path` orders them. What sums
    nothing is an elementwise product and counts 0.

    Example:

    >>> einsum_macs("...ab,...bc->...ac", [(1, 5, 2, 3), (1, 5, 3, 4)])
    120
    """
    terms, output = _letters(equation, shapes)
    lengths: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, length in zip(term, shape, strict=True):
            lengths[letter] = max(length, lengths.get(letter, 1))
    count = 0
    for chosen in _contractions(terms, output, lengths):
        met = [terms.pop(number) for number in sorted(chosen, reverse=True)]
        letters = set().union(*met)
        left = letters & set(output).union(*terms)
        if letters - left and len(met) > 1:
            count += (len(met) - 1) * math.prod(lengths[letter] for letter in letters)
        terms.append("".join(sorted(left)))
    return count


def _letters(equation: str, shapes: Sequence[Shape]) -> tuple[list[str], str]:
    """The letters of each operand and of the output; an ellipsis has letters of its own."""
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    free = "".join(letter for letter in string.ascii_letters if letter not in equation)
    rest = [len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes)]  # noqa: B905
    hidden = free[: max(rest)]
    terms = [
        term.replace("...", hidden[len(hidden) - more :])
        for term, more in zip(terms, rest, strict=True)
    ]
    if not arrow:
        every = "".join(terms)
        output = hidden + "".join(sorted(x for x in set(every) if every.count(x) == 1))
    return terms, output.replace("...", hidden)


def _contractions(
    terms: Sequence[str], output: str, lengths: dict[str, int]
) -> Sequence[tuple[int, ...]]:
    """Which operands meet, in order; what they make becomes the last operand."""
    if len(terms) < 3:
        return [tuple(range(len(terms)))]
    arrays = [np.broadcast_to(np.int8(0), [lengths[x] for x in term]) for term in terms]
    path, _ = np.einsum_path(f"{','.join(terms)}->{output}", *arrays, optimize="greedy")
    return path[1:]


@register(keras.layers.EinsumDense)
class EinsumDenseRule(BarrierRule):
    """`MACs = product of the lengths of all letters`: of `abc,cd->abd` with a batch a, `b · c · d`.

    The kernel is the second operand.
    """

    def products(self, call: Call) -> list[Product]:
        layer: Any = call.operation
        shapes = [of_one_example(call.inputs[0]), tuple(layer.kernel.shape)]
        return [Product(einsum_macs(layer.equation, shapes), (layer.kernel,))]


@register("Einsum")
class EinsumRule(BarrierRule):
    """`MACs = product of the lengths of all letters` of each pair that is contracted."""

    def products(self, call: Call) -> list[Product]:
        args, _ = call.symbolic_arguments
        operands = keras.tree.flatten(args)
        return [Product(einsum_macs(call.operation.subscripts, [*map(of_one_example, operands)]))]


@register("Matmul", "Dot", "Inner")
class MatmulRule(BarrierRule):
    """`MACs = output elements · length of what is summed over`, the last axis of the first."""

    def products(self, call: Call) -> list[Product]:
        first, second = named_arguments(call).values()
        shapes = of_one_example(first), of_one_example(second)
        if not all(shapes):  # a number times a tensor
            return []
        return [Product(size(call.outputs[0]) * shapes[0][-1])]


@register("Vdot")
class VdotRule(BarrierRule):
    """`MACs = elements of one operand`."""

    def products(self, call: Call) -> list[Product]:
        return [Product(math.prod(of_one_example(call.inputs[0])))]


@register("Tensordot")
class TensordotRule(BarrierRule):
    """`MACs = output elements · product of the lengths that are summed over`."""

    def products(self, call: Call) -> list[Product]:
        shape = of_one_example(named_arguments(call)["x1"])
        axes = call.operation.axes
        last = range(len(shape) - axes, len(shape)) if isinstance(axes, int) else np.ravel(axes[0])
        summed = math.prod(shape[axis] for axis in last)
        return [Product(size(call.outputs[0]) * summed)] if len(last) else []


@register(keras.layers.Dot)
class DotRule(BarrierRule):
    """`MACs = output elements · length of the axis that is summed over`."""

    def products(self, call: Call) -> list[Product]:
        axis = np.ravel(call.operation.axes)[0]
        return [Product(size(call.outputs[0]) * call.inputs[0].shape[int(axis)])]


_NEW = [getattr(keras.layers, n) for n in ("ReversibleEmbedding",) if hasattr(keras.layers, n)]


@register(*_NEW)
class ReversibleEmbeddingRule(BarrierRule):
    """A look-up is free; back again `MACs = output elements · dimension of the embedding`."""

    def products(self, call: Call) -> list[Product]:
        layer: Any = call.operation
        if not named_arguments(call).get("reverse", False):
            return []
        table = layer.embeddings if layer.tie_weights else layer.reverse_embeddings
        return [Product(size(call.outputs[0]) * call.inputs[0].shape[-1], (table,))]


@register(keras.layers.STFTSpectrogram)
class SpectrogramRule(BarrierRule):
    """`MACs = size of the kernels it runs (real, imaginary or both) · frames · input channels`."""

    def products(self, call: Call) -> list[Product]:
        layer: Any = call.operation
        runs = {"real": layer.mode != "imag", "imag": layer.mode != "real"}
        kernels = [getattr(layer, f"{part}_kernel") for part, wanted in runs.items() if wanted]
        parts = 2 if layer.mode == "stft" else 1  # side by side in the output
        frames = size(call.outputs[0]) // (kernels[0].shape[-1] * parts)
        return [Product(frames * math.prod(kernel.shape)) for kernel in kernels]


@register("Conv", "DepthwiseConv", "SeparableConv")
class ConvOpRule(BarrierRule):
    """`MACs = kernel size · output positions`, as of the layers."""

    def products(self, call: Call) -> list[Product]:
        _, *kernels = named_arguments(call).values()
        weights = sum(math.prod(kernel.shape) for kernel in kernels)
        return [Product(weights * positions(call.outputs[0], channel_axis(call.operation)))]


@register("ConvTranspose")
class ConvTransposeOpRule(BarrierRule):
    """`MACs = kernel size · input positions`, as of the layers."""

    def products(self, call: Call) -> list[Product]:
        inputs, kernel = list(named_arguments(call).values())[:2]
        return [Product(math.prod(kernel.shape) * positions(inputs, channel_axis(call.operation)))]
