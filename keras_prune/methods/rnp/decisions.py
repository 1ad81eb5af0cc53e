"""Which convolutions a network may decide about at run time, and the sets their channels form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import keras
import numpy as np

from keras_prune.errors import ConfigError, ModelError
from keras_prune.graph import Call, ChannelGraph, ChannelGroup, Role

layers = keras.layers

CHANNELWISE = (
    layers.BatchNormalization, layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU,
    layers.MaxPooling2D, layers.AveragePooling2D, layers.ZeroPadding2D, layers.Dropout,
    layers.SpatialDropout2D,
)  # fmt: skip
"""Layers that treat each channel by itself: they run on the channels that were computed."""


@dataclass(frozen=True, eq=False)
class Decision:
    """How many sets of channels one convolution computes, decided image by image.

    Args:
        group: the channels.
        call: the convolution's call.
        bounds: channels that each action computes, ascending; the last are all.
        state: channels of the feature map that enters the convolution.
    """

    group: ChannelGroup
    call: Call
    bounds: tuple[int, ...]
    state: int

    @property
    def name(self) -> str:
        """The group's name."""
        return self.group.name


@dataclass(frozen=True, eq=False)
class Decisions:
    """All decisions of a network, bottom-up.

    Args:
        graph: the walked network.
        steps: the decisions, in the order of the calls.
        sets: number of sets, and so of actions.
        narrow: the tensors that hold only channels of one decision, by `id`: the number of the
            decision.
        whole: group -> why nothing is decided about it.
    """

    graph: ChannelGraph
    steps: tuple[Decision, ...]
    sets: int
    narrow: Mapping[int, int]
    whole: Mapping[str, str]

    def around(self, call: Call) -> tuple[int | None, int | None]:
        """The decisions on the channels a convolution reads and makes; None where there is none."""
        if not is_convolution(call):
            return None, None
        return self.narrow.get(id(call.inputs[0])), self.narrow.get(id(call.outputs[0]))


def find_decisions(graph: ChannelGraph, sets: int = 4) -> Decisions:
    """Finds what can be decided: convolutions whose channels are theirs alone.

    Channels that several layers make together (both sides of an addition) stay whole, and so do the
    first convolutions, before which there is nothing to decide by.

    Args:
        graph: the walked network.
        sets: sets that each layer's channels are split into, `k` of the paper; uneven ones where
            the channels cannot be divided by it.

    Raises:
        ConfigError: a layer has fewer channels than sets, or there are fewer than two sets.
        ModelError: no convolution is left to decide about.

    Reference: Lin, Rao, Lu and Zhou, "Runtime Neural Pruning", NeurIPS 2017, section 3.
    """
    steps: list[Decision] = []
    narrow: dict[int, int] = {}
    whole: dict[str, str] = {}
    informed = _informed(graph)
    makers = {name: _maker(graph, group, informed) for name, group in graph.groups.items()}
    order = {id(call): number for number, call in enumerate(graph.trace.calls)}
    for name, call in sorted(makers.items(), key=lambda item: order.get(id(item[1]), len(order))):
        if isinstance(call, str):
            whole[name] = call
            continue
        group = graph.groups[name]
        narrow |= {id(tensor): len(steps) for tensor in _reach(graph, call)}
        steps.append(Decision(group, call, set_bounds(group, sets), call.inputs[0].shape[-1]))
    if not steps:
        raise ModelError(_nothing(graph, whole))
    return Decisions(graph, tuple(steps), sets, narrow, whole)


def check_images(graph: ChannelGraph) -> None:
    """Refuses a network that is no classifier of images of a fixed size.

    Args:
        graph: the walked network.

    Raises:
        ModelError: it has other inputs or outputs.
    """
    inputs = [tuple(tensor.shape[1:]) for tensor in graph.trace.flat_inputs]
    outputs = [tuple(tensor.shape[1:]) for tensor in graph.trace.flat_outputs]
    images = len(inputs) == 1 and len(inputs[0]) == 3 and None not in inputs[0]
    if not images or len(outputs) != 1 or len(outputs[0]) != 1:
        raise ModelError(
            "Expected a network of one input, images of a fixed size (height, width, channels), "
            f"and one output (classes,). Received: {graph.model.name!r} with inputs {inputs} and "
            f"outputs {outputs}."
        )


def set_bounds(group: ChannelGroup, sets: int) -> tuple[int, ...]:
    """How many channels the first 1, 2, ... sets have; sizes differ by one at most.

    Raises:
        ConfigError: a set would be empty.
    """
    if not 2 <= sets <= group.channels:
        raise ConfigError(
            f"Expected from 2 to {group.channels} sets, for {group.name!r} has {group.channels} "
            f"channels. Received: {sets}."
        )
    return tuple(-(-group.channels * number // sets) for number in range(1, sets + 1))


def is_convolution(call: Call) -> bool:
    """Whether a call is one that can be computed in part."""
    layer = call.operation
    return (
        type(layer) is layers.Conv2D
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and not layer.lora_enabled
    )


def _maker(graph: ChannelGraph, group: ChannelGroup, informed: set[int]) -> Call | str:
    """The call that can be told how many of a group's channels to make, or why there is none."""
    members = group.by_role(Role.PRODUCER)
    layer = members[0].binding.layer
    if len(members) > 1 or not np.array_equal(members[0].owner, np.arange(group.channels)):
        return "several layers share its channels, or its layer makes others, too"
    calls = [call for call in graph.trace.calls if call.operation is layer]
    if len(calls) != 1:
        return "its layer is called more than once, or in a nested model"
    if not is_convolution(calls[0]):
        return "it is no Conv2D of one group with its channels last"
    if id(calls[0].inputs[0]) not in informed:
        return "no convolution comes before it: there is nothing to decide by"
    return calls[0]


def _informed(graph: ChannelGraph) -> set[int]:
    """The tensors that a convolution comes before."""
    seen: set[int] = set()
    for call in graph.trace.calls:
        if isinstance(call.operation, layers.Conv2D) or seen & set(map(id, call.inputs)):
            seen.update(map(id, call.outputs))
    return seen


def _reach(graph: ChannelGraph, call: Call) -> Iterator[keras.KerasTensor]:
    """The tensors along which the channels of a convolution keep to themselves."""
    [output] = call.outputs
    yield output
    for later in graph.trace.calls:
        if isinstance(later.operation, CHANNELWISE) and later.inputs[0] is output:
            yield from _reach(graph, later)


def _nothing(graph: ChannelGraph, whole: Mapping[str, str]) -> str:
    reasons = [f"{name}: {reason}" for name, reason in whole.items()]
    reasons += [f"{pin.name}: {pin.reason}" for pin in graph.pins]
    return (
        f"Model {graph.model.name!r} has no convolution to decide about at run time: "
        f"{'; '.join(reasons[:5]) or 'it has no channels that can leave'}."
    )
