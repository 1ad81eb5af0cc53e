"""Where the residual blocks of a model are: found from its calls, and proved on random numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_prune.graph.bindings import Binding, Role
from keras_prune.graph.blocks import ResidualBlock
from keras_prune.graph.calls import Call, Trace, has_mask, in_inference, is_model, same_mask
from keras_prune.graph.members import Member
from keras_prune.graph.samples import sample

if TYPE_CHECKING:
    from keras_prune.graph.groups import ChannelGraph

_SUMS = ("Add",)  # the layer and the op


def residual_blocks(graph: ChannelGraph) -> dict[str, ResidualBlock]:
    """The residual blocks of a model and of the models nested in it, by name.

    A block's last weights are the nearest ones to the sum. They belong to it alone, and on random
    numbers the branch is zero once they are.
    """
    found: dict[str, ResidualBlock] = {}
    uses = _uses(graph)
    for traced in graph.traces.values():
        for block in _Finder(graph, traced, uses).blocks():
            name, number = block.name, 1
            while name in found:
                number += 1
                name = f"{block.name}:{number}"
            found[name] = replace(block, name=name)
    return found


def _uses(graph: ChannelGraph) -> Counter[int]:
    """How often each operation is called, and how many hold each weight, by `id`."""
    operations = [call.operation for traced in graph.traces.values() for call in traced.calls]
    layers = {id(each): each for each in operations if not is_model(each)}.values()
    weights = (weight for layer in layers for weight in getattr(layer, "weights", ()))
    return Counter(map(id, (*operations, *weights)))


class _Finder:
    """Finds the blocks of one trace.

    Args:
        graph: the walked model.
        traced: the calls.
        uses: how often each operation is called, and how many hold each weight, by `id`.
    """

    def __init__(self, graph: ChannelGraph, traced: Trace, uses: Counter[int]) -> None:
        self._graph, self._traced, self._uses = graph, traced, uses
        self._readers: dict[int, list[Call]] = defaultdict(list)
        for call in traced.calls:
            for tensor in call.inputs:
                self._readers[id(tensor)].append(call)
        self._makers = {id(made): call for call in traced.calls for made in call.outputs}
        self._places = {id(call): place for place, call in enumerate(traced.calls)}
        self._outputs = {id(tensor) for tensor in traced.flat_outputs}
        self._named = self._outputs if traced is graph.trace else set()

    def blocks(self) -> Iterator[ResidualBlock]:
        """The blocks, in the order of their sums."""
        for join in self._traced.calls:
            if type(join.operation).__name__ in _SUMS and len(join.inputs) == 2:
                for source, branch in (join.inputs, join.inputs[::-1]):
                    block = self._block(join, source, branch)
                    if block is not None:
                        yield block
                        break

    def _block(
        self, join: Call, source: keras.KerasTensor, branch: keras.KerasTensor
    ) -> ResidualBlock | None:
        (made,) = join.outputs
        kind = type(join.operation)
        if not kind.__module__.startswith("keras.") or _kind(source) != _kind(made):
            return None
        if id(made) in self._named:  # it gives an output of the model its name
            return None
        calls = self._needed_by(join, branch)
        reads = any(tensor is source for call in calls for tensor in call.inputs)
        if not reads or not _keeps_mask(source, branch, made):
            return None
        makers = {id(tensor): call for call in calls for tensor in call.outputs}
        last = list(_last(branch, makers, self._graph.traces))
        owners = list({id(path[-1]): path[-1] for path in last}.values())
        members = tuple(member for owner in owners for member in _members(owner))
        used = [*(x for path in last for x in path), *(m.binding.variable for m in members)]
        if not members or any(self._uses[id(each)] > 1 for each in used):
            return None
        starts = {id(path[0]) for path in last}
        if not all(_is_zero(branch, makers, starts, members, sign) for sign in (1, -1)):
            return None
        name = f"{self._graph.paths[id(owners[0])]}:branch"
        return ResidualBlock(name, join, source, tuple(calls), members)

    def _needed_by(self, join: Call, branch: keras.KerasTensor) -> list[Call]:
        """The calls whose outputs nothing needs but a branch, in topological order."""
        needed: dict[int, Call] = {}
        pending = [branch]
        while pending:
            call = self._makers.get(id(pending.pop()))
            if call is None or id(call) in needed:
                continue
            if all(self._only_for(tensor, join, branch, needed) for tensor in call.outputs):
                needed[id(call)] = call
                pending += call.inputs
        return sorted(needed.values(), key=lambda call: self._places[id(call)])

    def _only_for(
        self, tensor: keras.KerasTensor, join: Call, branch: keras.KerasTensor, gone: Container[int]
    ) -> bool:
        readers = self._readers[id(tensor)]
        if not readers or id(tensor) in self._outputs:
            return False
        return all(id(c) in gone or (c is join and tensor is branch) for c in readers)


def _keeps_mask(
    source: keras.KerasTensor, branch: keras.KerasTensor, made: keras.KerasTensor
) -> bool:
    """Whether a sum has the mask of its shortcut. That of a layer is one of two; an op has none."""
    if has_mask(made):
        return same_mask(source, branch)
    return not has_mask(source)


def _kind(tensor: keras.KerasTensor) -> tuple[Any, ...]:
    return tuple(tensor.shape), tensor.dtype


Path = tuple[keras.Layer, ...]
"""A layer with weights behind the models it is nested in."""


def _last(
    tensor: keras.KerasTensor, makers: Mapping[int, Call], nested: Mapping[int, Trace]
) -> Iterator[Path]:
    """The layers with weights that are nearest to a tensor, on each way to it."""
    call = makers.get(id(tensor))
    if call is None:
        return
    operation: Any = call.operation
    if is_model(operation):
        inner = nested[id(operation)]
        inside = {id(made): each for each in inner.calls for made in each.outputs}
        for made in inner.flat_outputs:
            for path in _last(made, inside, nested):
                yield (operation, *path)
    elif _float_weights(operation):
        yield (operation,)
    else:
        for given in call.inputs:
            yield from _last(given, makers, nested)


def _float_weights(operation: Any) -> list[keras.Variable]:
    """The weights that can be zero and masked along an axis."""
    return [
        weight
        for weight in getattr(operation, "weights", ())
        if keras.backend.is_float_dtype(weight.dtype) and len(weight.shape)
    ]


def _members(layer: keras.Layer) -> Iterator[Member]:
    for weight in _float_weights(layer):
        owner = np.zeros(weight.shape[0], int)
        yield Member(Binding(layer, weight, 0, owner, Role.PRODUCER, silences=True), owner)


def _is_zero(
    branch: keras.KerasTensor,
    makers: Mapping[int, Call],
    starts: set[int],
    members: Collection[Member],
    sign: int,
) -> bool:
    """Whether a branch makes zeros of random numbers once some weights are zero.

    Args:
        branch: what it makes.
        makers: its calls, by `id` of what they make.
        starts: the operations that hold the weights; what they read is drawn.
        members: the weights.
        sign: of the numbers that are drawn.
    """
    values: dict[int, Any] = {}

    def drawn(tensor: keras.KerasTensor) -> Any:
        floating = keras.backend.is_float_dtype(tensor.dtype)
        return sign * sample(tensor) if floating else sample(tensor)

    def run(tensor: keras.KerasTensor) -> None:
        if id(tensor) in values:
            return
        call = makers.get(id(tensor))
        if call is None:
            values[id(tensor)] = drawn(tensor)
            return
        for given in call.inputs:
            if id(call.operation) in starts:
                values.setdefault(id(given), drawn(given))
            else:
                run(given)
        args, kwargs = call.arguments(values)
        results = keras.tree.flatten(in_inference(call.operation, *args, **kwargs))
        values.update(zip(map(id, call.outputs), results, strict=True))

    weights = [member.binding.variable for member in members]
    zeros = [(weight, keras.ops.zeros_like(weight.value)) for weight in weights]
    try:
        with keras.StatelessScope(state_mapping=zeros):
            run(branch)
    except Exception:  # on numbers that are none it can take
        return False
    return not keras.ops.convert_to_numpy(keras.ops.cast(values[id(branch)], "float32")).any()
