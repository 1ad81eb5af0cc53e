"""Products of tensors and weights, letter by letter: what is summed over, what passes on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Pin, Role, Unsupported
from keras_prune.graph.unions import STAYS

if TYPE_CHECKING:
    from keras_prune.graph.calls import Call
    from keras_prune.graph.labels import LabelWalk


@dataclass
class Operand:
    """One factor of a product.

    Args:
        letters: the name of each axis.
        labels: of a tensor, in its shape; those of a constant stay.
        tensor: a factor that is a tensor.
        layer, weight: what owns a factor that is a weight; it has no labels of its own.
    """

    letters: str
    labels: np.ndarray | None = None
    tensor: keras.KerasTensor | None = None
    layer: keras.Layer | None = None
    weight: keras.Variable | None = None

    def varying(self, among: str) -> str:
        """The letters along which labels may differ."""
        if self.labels is None:
            return ""
        axes = arrays.varying_axes(self.labels)
        return "".join(self.letters[axis] for axis in axes if self.letters[axis] in among)

    def axes(self, letters: str) -> list[int]:
        """Where letters are."""
        return [self.letters.index(letter) for letter in letters]

    def along(self, walk: LabelWalk, letters: str) -> np.ndarray:
        """The labels along some letters, in this order, made equal over all others."""
        assert self.labels is not None
        small = np.moveaxis(arrays.core(self.labels), self.axes(letters), range(len(letters)))
        rows = small.reshape(*small.shape[: len(letters)], -1)
        walk.unite(rows, rows[..., :1])
        return rows[..., 0]


def contract(call: Call, walk: LabelWalk, operands: Sequence[Operand], output: str) -> np.ndarray:
    """The labels of a product, in the shape of the call's output.

    What is summed over leaves all factors together. An axis of one factor passes on. One that
    several tensors share passes on where all of them can lose the same of it. A weight's own axes
    are made by it.

    Args:
        call: the call.
        walk: the walk.
        operands: the factors.
        output: the letters of the output.

    Raises:
        Unsupported: it sums over channels of a single factor.
    """
    for operand in operands:
        if operand.labels is not None:
            operand.labels = walk.along_one_axis(operand.labels)
    roots = walk.unions.resolve()
    operands = [
        operand
        if operand.labels is None or _units(roots[arrays.core(operand.labels)])
        else replace(operand, labels=_constant(operand))
        for operand in operands
    ]
    operands = _summed(call, walk, operands, output)
    operands = _aligned(call, walk, operands, output)
    found = [_made(walk, operand, operands, output) for operand in operands]
    letters, labels = _widest(call, walk, [made for made in found if made[0]])
    shape = arrays.shape_of(call.outputs[0])
    order = [letters.index(letter) for letter in output if letter in letters]
    lengths = [labels.shape[letters.index(letter)] if letter in letters else 1 for letter in output]
    return np.broadcast_to(labels.transpose(order).reshape(lengths), shape)


def _summed(call: Call, walk: LabelWalk, operands: Sequence[Operand], output: str) -> list[Operand]:
    """Makes what is summed over one; a tensor that loses some of it passes on nothing else."""
    letters = dict.fromkeys("".join(operand.letters for operand in operands))
    groups: dict[tuple[int, ...], str] = defaultdict(str)
    for letter in letters:
        if letter not in output:
            holders = tuple(n for n, o in enumerate(operands) if letter in o.letters)
            groups[holders] += letter
    left = list(operands)
    for holders, summed in groups.items():
        tensors = [number for number in holders if operands[number].weight is None]
        varying = any(operands[number].varying(summed) for number in tensors)
        if varying and len(holders) == 1:
            raise Unsupported("it sums over channels")
        if not tensors:
            raise Unsupported("it sums over a weight")
        first = operands[tensors[0]].along(walk, summed) if varying else _stays(len(summed))
        for number in holders:
            operand = operands[number]
            if operand.weight is not None:
                walk.bind_axes(
                    operand.layer, operand.weight, operand.axes(summed), first, Role.CONSUMER
                )
            elif varying:
                walk.unite(first, operand.along(walk, summed))
                left[number] = Operand(operand.letters, _constant(operand))
        if varying and len(tensors) == len(holders):
            met = (operands[number].tensor for number in tensors)
            walk.note_product(call, [tensor for tensor in met if tensor is not None], first)
    return left


def _aligned(
    call: Call, walk: LabelWalk, operands: Sequence[Operand], output: str
) -> list[Operand]:
    """Pins what lies along an axis that several tensors share and some of them cannot lose."""
    left = list(operands)
    for letter in output:
        holders = [n for n, o in enumerate(left) if letter in o.letters and o.labels is not None]
        if all(left[number].varying(letter) for number in holders):
            continue
        for number in holders:
            operand = left[number]
            if operand.varying(letter):
                assert operand.labels is not None
                walk.pin(operand.labels, Pin(call.name, "another factor cannot lose this axis"))
                left[number] = Operand(operand.letters, _constant(operand))
    return left


def _made(
    walk: LabelWalk, operand: Operand, operands: Sequence[Operand], output: str
) -> tuple[str, np.ndarray]:
    """The letters of the output that a factor varies along, and its labels there."""
    none = "", np.zeros(0, int)
    if operand.weight is None:
        varying = operand.varying(output)
        return (varying, operand.along(walk, varying)) if varying else none
    assert operand.layer is not None
    tensors = [other for other in operands if other.labels is not None]
    shared = [x for x in operand.letters if any(x in other.letters for other in tensors)]
    for letter in (letter for letter in shared if letter in output):
        source = next(other for other in tensors if letter in other.letters)
        vector = source.along(walk, letter) if source.varying(letter) else _stays(1)
        walk.bind_axes(operand.layer, operand.weight, operand.axes(letter), vector)
    own = "".join(x for x in output if x in operand.letters and x not in shared)
    if not own:
        return none
    return own, walk.produce_axes(operand.layer, operand.weight, operand.axes(own))


def _widest(
    call: Call, walk: LabelWalk, found: Sequence[tuple[str, np.ndarray]]
) -> tuple[str, np.ndarray]:
    """What most units lie along; what lies along other axes stays."""
    if len(found) < 2:
        return found[0] if found else ("", np.zeros((), int))
    roots = walk.unions.resolve()
    letters, labels = max(found, key=lambda made: _units(roots[made[1]]))
    for others, met in found:
        if set(others) == set(letters):
            walk.unite(labels, met.transpose([others.index(letter) for letter in letters]))
        elif _units(roots[met]):
            walk.pin(met, Pin(call.name, "its output loses another axis"))
    return letters, labels


def _units(roots: np.ndarray) -> int:
    """How many units there are that may leave."""
    return len(np.unique(roots[roots != STAYS]))


def _stays(rank: int) -> np.ndarray:
    """Labels of what stays, for axes of any length."""
    return np.full([1] * rank, STAYS)


def _constant(operand: Operand) -> np.ndarray:
    assert operand.labels is not None
    return np.broadcast_to(np.int64(STAYS), operand.labels.shape)
