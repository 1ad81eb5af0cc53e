"""What the layers that read a group's channels see, while a model's calls are run.

These are the tensors whose channels a silenced twin ignores: behind the BatchNorm, activation or
pooling that follow the producer. Where a tensor is read twice, each read is noted for itself, and
what passes by unread (a residual's shortcut) is not. Heads and values of an attention are seen
where its last projection reads them. What else is read inside a layer is not seen, as by the
recurrent kernel of an LSTM, or is seen at the layer's input, as in a layer of a user's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_prune.graph import Call, ChannelGraph, Role, Trace, execute
from keras_prune.graph.calls import sublayers
from keras_prune.graph.slices import by_channel


@dataclass(frozen=True, eq=False)
class Read:
    """One tensor that a layer reads.

    Args:
        value: the tensor.
        axis: its channel axis.
        examples_axis: the axis along which the batch lies, alone or with what is folded into it.
        owners: for each group that is read, the channel at each position of the axis, -1 for none.
    """

    value: Any
    axis: int
    examples_axis: int
    owners: Mapping[str, np.ndarray]


_ATTENTION = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)

Watch = Callable[[Read], Any]
"""Takes what is about to be read and returns the tensor to be read in its place."""


class Reader:
    """Runs a model in inference mode and notes what is read of its groups.

    Args:
        graph: the walked model.
    """

    def __init__(self, graph: ChannelGraph) -> None:
        self._graph = graph
        self._names = list(graph.groups)
        self._readers = {
            (id(member.binding.layer), name)
            for name, group in graph.groups.items()
            for member in group.by_role(Role.CONSUMER)
        } | graph.multiplied()

    def __call__(
        self, inputs: Sequence[Any], watch: Watch = lambda read: read.value
    ) -> tuple[Any, list[Read]]:
        """Runs the model.

        Args:
            inputs: a tensor for each of the model's inputs, flat.
            watch: what to do with a tensor before it is read; default: nothing.

        Returns:
            The model's outputs in their structure, and all reads.
        """
        reads: list[Read] = []
        traced = self._graph.trace
        results = iter(self._run(traced, inputs, watch, reads))
        return keras.tree.map_structure(lambda _: next(results), traced.outputs), reads

    def unread(self) -> list[str]:
        """The groups of which no tensor that is read can be seen, as inside a recurrent layer."""
        traces = (self._graph.trace, *self._graph.traces.values())
        read: set[str] = set()
        for call in (call for traced in traces for call in traced.calls):
            for tensor in call.inputs:
                read.update(self._owners(call, tensor)[1])
            for owners in self._owners_inside(call.operation).values():
                read.update(owners)
        groups = self._graph.groups.items()
        return [name for name, group in groups if group.silencers and name not in read]

    def _run(
        self, traced: Trace, inputs: Iterable[Any], watch: Watch, reads: list[Read]
    ) -> list[Any]:
        """The flat outputs of one model, at the top or nested."""
        values = {
            id(tensor): ops.convert_to_tensor(value, dtype=tensor.dtype)
            for tensor, value in zip(traced.flat_inputs, inputs, strict=True)
        }
        for call in traced.calls:
            inner = self._graph.traces.get(id(call.operation))
            if inner is None:
                made = self._carry_out(call, values, watch, reads)
            else:
                given = [values[id(tensor)] for tensor in call.nested_inputs(inner)]
                made = self._run(inner, given, watch, reads)
            values.update(zip(map(id, call.outputs), made, strict=True))
        return [values[id(tensor)] for tensor in traced.flat_outputs]

    def _carry_out(
        self, call: Call, values: Mapping[int, Any], watch: Watch, reads: list[Read]
    ) -> list[Any]:
        def seen(read: Read) -> Any:
            value = watch(read)
            reads.append(replace(read, value=value))
            return value

        given = {id(tensor): values[id(tensor)] for tensor in call.inputs}
        once = {id(tensor): tensor for tensor in call.inputs}  # query and value may be one
        for tensor in once.values():
            axis, owners = self._owners(call, tensor)
            if owners:
                value = given[id(tensor)]
                given[id(tensor)] = seen(Read(value, axis, _examples_axis(tensor), owners))
        with self._watched_inside(call.operation, seen):
            made = execute([call], given)
        return [made[id(tensor)] for tensor in call.outputs]

    @contextlib.contextmanager
    def _watched_inside(self, operation: Any, seen: Watch) -> Iterator[None]:
        """Lets what the last projection of an attention reads be seen: its heads and values."""
        own = self._owners_inside(operation)
        if not own:
            yield
            return
        inside: Any = _last_projection(operation)
        call = inside.call

        def watched(value: Any, *args: Any, **kwargs: Any) -> Any:
            for axis, owners in own.items():
                if owners:
                    value = seen(Read(value, len(value.shape) - 2 + axis, 0, owners))
            return call(value, *args, **kwargs)

        vars(inside)["call"] = watched
        try:
            yield
        finally:
            del vars(inside)["call"]

    def _owners_inside(self, operation: Any) -> dict[int, dict[str, np.ndarray]]:
        """Likewise along the first two axes that the last projection of an attention reads."""
        if not isinstance(operation, _ATTENTION):
            return {}
        kernel = _last_projection(operation).kernel
        return {
            axis: {
                name: member.owner
                for name, group in self._graph.groups.items()
                for member in group.members
                if member.binding.variable is kernel and member.binding.axis == axis
            }
            for axis in (0, 1)
        }

    def _owners(self, call: Call, tensor: keras.KerasTensor) -> tuple[int, dict[str, np.ndarray]]:
        """Which channels of which groups a call reads where along a tensor's channel axis."""
        axis, units = self._graph.units_along(tensor)
        numbers, channels = self._graph.locate(units)
        present = [(self._names[number], number) for number in np.unique(numbers[numbers >= 0])]
        return axis, {
            name: np.where(numbers == number, channels, -1)
            for name, number in present
            if (id(call.operation), name) in self._readers
        }


def _last_projection(attention: Any) -> Any:
    return next(layer for layer in sublayers(attention) if layer.name == "attention_output")


def channel_sums(
    graph: ChannelGraph, reads: Iterable[Read], values: Iterable[Any], examples: Any
) -> dict[str, tuple[Any, Any]]:
    """Sums over all positions at which a channel is read.

    Args:
        graph: the walked model.
        reads: what was read.
        values: for each read a float32 tensor of the same shape: what is summed.
        examples: the size of the batch. Where more than it lies along the batch axis, rows in
            succession are taken for one example's.

    Returns:
        For each group, but for one that is read inside a layer, the sums `(channels, examples)` and
        in one example the number of positions `(channels,)`; zeros for channels that nobody reads.
    """
    reads = list(reads)
    seen = {name for read in reads for name in read.owners}
    sizes = {
        name: group.channels
        for name, group in graph.groups.items()
        if name in seen or not group.silencers
    }
    sums = {name: ops.zeros((size, examples)) for name, size in sizes.items()}
    positions = {name: ops.zeros((size,)) for name, size in sizes.items()}
    for read, value in zip(reads, values, strict=True):
        rows = ops.moveaxis(value, (read.axis, read.examples_axis), (0, 1))
        rows = ops.reshape(rows, (value.shape[read.axis], examples, -1))
        width = ops.cast(ops.shape(rows)[2], "float32")
        for name, owner in read.owners.items():
            sums[name] += by_channel(ops.sum(rows, axis=2), owner, sizes[name])
            positions[name] += width * by_channel(ops.ones((len(owner),)), owner, sizes[name])
    return {name: (sums[name], positions[name]) for name in sizes}


def _examples_axis(tensor: keras.KerasTensor) -> int:
    """Time may be in front; the batch is what has no fixed length then."""
    return tensor.shape.index(None) if None in tensor.shape else 0
