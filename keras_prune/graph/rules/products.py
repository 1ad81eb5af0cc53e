"""Products of tensors and weights: einsum, matmul, dot, and the ops behind layers."""

from __future__ import annotations

import inspect
import math
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.contraction import Operand, contract
from keras_prune.graph.rules.base import BarrierRule, Product, ProductsRule, register, size
from keras_prune.graph.rules.common import channel_axis, pin_activation, positions
from keras_prune.graph.unions import STAYS

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.cut import Cut
    from keras_prune.graph.labels import LabelWalk

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


class _Product(ProductsRule):
    """A product of two tensors or more; subclasses say by which letters."""

    def _letters(self, call: Call) -> tuple[list[Any], list[str], str]:
        """The factors, the letters of each, and those of the output."""
        raise NotImplementedError

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        factors, terms, output = self._letters(call)
        operands = [_operand(walk, *each) for each in zip(factors, terms, strict=True)]
        return [contract(call, walk, operands, output)]


@register(keras.layers.EinsumDense)
class EinsumDenseRule(ProductsRule):
    """What its kernel sums over, and what it makes; of several axes side by side one shrinks.

    `MACs = product of the lengths of all letters`: of `abc,cd->abd` with a batch a, `b · c · d`.
    The kernel is the second operand.
    """

    def label(self, call: Call, walk: LabelWalk) -> list[np.ndarray]:
        layer: Any = call.operation
        (tensor,) = call.inputs
        shapes = [arrays.shape_of(tensor), tuple(layer.kernel.shape)]
        (read, kernel), output = _letters(layer.equation, shapes)
        operands = [
            _operand(walk, tensor, read),
            Operand(_each_once(kernel), layer=layer, weight=layer.kernel),
        ]
        labels = contract(call, walk, operands, output)
        if layer.bias is not None:
            # The bias has the lengths of the axes it varies along, and ones behind the first.
            axes = range(labels.ndim - len(layer.bias.shape), labels.ndim)
            bound = [axis for axis in axes if layer.bias.shape[axis - axes.start] > 1]
            small = arrays.core(labels)
            others = tuple(axis for axis in range(labels.ndim) if axis not in bound)
            if any(small.shape[axis] > 1 for axis in others):
                raise Unsupported("its bias is shared by channels")
            walk.bind_axes(
                layer, layer.bias, [axis - axes.start for axis in bound], small.squeeze(others)
            )
        pin_activation(call, walk, labels)
        return [labels]

    def rewrite(self, call: Call, config: dict[str, Any], cut: Cut) -> dict[str, Any]:
        tensor = call.outputs[0]
        lengths = np.ravel(config["output_shape"]).tolist()
        first = len(tensor.shape) - len(lengths)
        return config | {
            "output_shape": [
                None if length is None else cut.size(tensor, first + axis)
                for axis, length in enumerate(lengths)
            ]
        }

    def products(self, call: Call) -> list[Product]:
        layer: Any = call.operation
        shapes = [of_one_example(call.inputs[0]), tuple(layer.kernel.shape)]
        return [Product(einsum_macs(layer.equation, shapes), (layer.kernel,))]


@register("Einsum")
class EinsumRule(_Product):
    """What is summed over leaves all factors; what one factor alone has passes on.

    `MACs = product of the lengths of all letters` of each pair that is contracted.
    """

    def _letters(self, call: Call) -> tuple[list[Any], list[str], str]:
        factors = _factors(call)
        terms, output = _letters(call.operation.subscripts, [*map(_label_shape, factors)])
        return factors, terms, output

    def products(self, call: Call) -> list[Product]:
        shapes = [*map(of_one_example, _factors(call))]
        return [Product(einsum_macs(call.operation.subscripts, shapes))]


@register("Matmul")
class MatmulRule(_Product):
    """What is summed over leaves both factors; what one factor alone has passes on.

    `MACs = output elements · length of what is summed over`, the last axis of the first.
    """

    def _letters(self, call: Call) -> tuple[list[Any], list[str], str]:
        factors = list(named_arguments(call).values())
        shapes = [*map(_label_shape, factors)]
        if min(map(len, shapes)) < 2:
            raise Unsupported("no rule for products of vectors")
        rank = max(map(len, shapes)) - 2
        stack = string.ascii_lowercase[:rank]
        terms = [stack[rank + 2 - len(shape) :] + end for shape, end in zip(shapes, ("YX", "XZ"))]  # noqa: B905
        return factors, terms, f"{stack}YZ"

    def products(self, call: Call) -> list[Product]:
        return _product_along_last(call)


@register("Dot", "Inner")
class InnerRule(BarrierRule):
    """`MACs = output elements · length of what is summed over`, the last axis of the first."""

    def products(self, call: Call) -> list[Product]:
        return _product_along_last(call)


@register("Vdot")
class VdotRule(BarrierRule):
    """`MACs = elements of one operand`."""

    def products(self, call: Call) -> list[Product]:
        return [Product(math.prod(of_one_example(call.inputs[0])))]


@register("Tensordot")
class TensordotRule(_Product):
    """What is summed over leaves both factors; what one factor alone has passes on.

    `MACs = output elements · product of the lengths that are summed over`.
    """

    def _letters(self, call: Call) -> tuple[list[Any], list[str], str]:
        given = named_arguments(call)
        factors = [given["x1"], given["x2"]]
        ranks = [len(_label_shape(factor)) for factor in factors]
        terms = [string.ascii_lowercase[: ranks[0]], string.ascii_uppercase[: ranks[1]]]
        summed = ""
        for one, other in zip(*self._summed(call.operation.axes, ranks[0]), strict=True):
            letter = terms[0][one]
            summed += letter + terms[1][other]
            terms[1] = terms[1].replace(terms[1][other], letter)
        return factors, terms, "".join(x for x in "".join(terms) if x not in summed)

    def _summed(self, axes: Any, rank: int) -> tuple[list[int], list[int]]:
        """The axes of both factors that are summed over."""
        if isinstance(axes, int):
            return list(range(rank - axes, rank)), list(range(axes))
        return np.ravel(axes[0]).tolist(), np.ravel(axes[1]).tolist()

    def products(self, call: Call) -> list[Product]:
        shape = of_one_example(named_arguments(call)["x1"])
        last, _ = self._summed(call.operation.axes, len(shape))
        summed = math.prod(shape[axis] for axis in last)
        return [Product(size(call.outputs[0]) * summed)] if len(last) else []


@register(keras.layers.Dot)
class DotRule(_Product):
    """What is summed over leaves both factors; what one factor alone has passes on.

    `MACs = output elements · length of the axis that is summed over`.
    """

    def _letters(self, call: Call) -> tuple[list[Any], list[str], str]:
        layer: Any = call.operation
        if layer.normalize:
            raise Unsupported("it computes a statistic over channels")
        terms = [
            "Z" + string.ascii_letters[26 * number + 1 :][: len(tensor.shape) - 1]
            for number, tensor in enumerate(call.inputs)
        ]
        axes = [layer.axes] * 2 if isinstance(layer.axes, int) else layer.axes
        one, other = (term[axis] for term, axis in zip(terms, axes, strict=True))
        terms[1] = terms[1].replace(other, one)
        output = "Z" + "".join(x for x in "".join(terms) if x not in ("Z", one))
        if output == "Z":  # of two vectors one number, on an axis of its own
            output = "Z_"
        return list(call.inputs), terms, output

    def products(self, call: Call) -> list[Product]:
        axis = np.ravel(call.operation.axes)[0]
        return [Product(size(call.outputs[0]) * call.inputs[0].shape[int(axis)])]


def _product_along_last(call: Call) -> list[Product]:
    """The work where the last axis of the first factor is summed over."""
    shapes = [*map(of_one_example, named_arguments(call).values())]
    if not all(shapes):  # a number times a tensor
        return []
    return [Product(size(call.outputs[0]) * shapes[0][-1])]


def _factors(call: Call) -> list[Any]:
    args, _ = call.symbolic_arguments
    return keras.tree.flatten(args)


def _label_shape(factor: Any) -> Shape:
    if isinstance(factor, keras.KerasTensor):
        return arrays.shape_of(factor)
    return tuple(np.shape(factor))


def _operand(walk: LabelWalk, factor: Any, letters: str) -> Operand:
    """A factor; what is no tensor stays. An axis of one position meets no other factor's."""
    if isinstance(factor, keras.KerasTensor):
        if id(factor) in walk.weights and id(factor) not in walk.tensors:
            layer, weight = walk.weights[id(factor)]
            return Operand(_each_once(letters), layer=layer, weight=weight)
        return Operand(_each_once(letters), walk.of(factor), factor)
    return Operand(_each_once(letters), np.broadcast_to(np.int64(STAYS), np.shape(factor)))


def _each_once(letters: str) -> str:
    if len(set(letters)) < len(letters):
        raise Unsupported("it takes a diagonal")
    return letters


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
