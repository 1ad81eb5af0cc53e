"""Channels that hang together: units, the groups they form, and the graph that holds them."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

import keras
import numpy as np

from keras_prune.errors import ModelError
from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Pin, Role, Statistic
from keras_prune.graph.block_finding import residual_blocks
from keras_prune.graph.blocks import ResidualBlock
from keras_prune.graph.calls import Trace
from keras_prune.graph.cut import Cut
from keras_prune.graph.labels import LabelWalk
from keras_prune.graph.members import Member
from keras_prune.graph.summary import GraphSummary, summarize
from keras_prune.graph.tracing import trace
from keras_prune.graph.unions import STAYS
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.collection import without_collection


@dataclass(frozen=True, eq=False)
class ChannelGroup:
    """Channels that are made by the same layers, each of which stays or leaves as a whole.

    In `Conv(8) -> BatchNorm -> ReLU -> Conv(16)` the first convolution's 8 filters, the 8 entries
    of each BatchNorm weight and the second kernel's 8 input slices are one group of 8 channels:
    channel *j* owns slice *j* of each of them. Where tensors are added, the layers that make them
    share a group.

    Args:
        name: the first producer's layer name.
        units: one resolved label per channel, shape `(channels,)`.
        members: every axis of every weight that the channels own slices of.
    """

    name: str
    units: np.ndarray
    members: tuple[Member, ...]

    @property
    def channels(self) -> int:
        """How many channels can stay or leave."""
        return len(self.units)

    @property
    def silencers(self) -> list[Member]:
        """The members whose slices of a channel are zero once the channel is silenced."""
        return [member for member in self.members if member.binding.silences]

    def by_role(self, role: Role) -> list[Member]:
        """The members of one role, in the order of the walk."""
        return [member for member in self.members if member.binding.role is role]


class ChannelGraph:
    """Which channels of a model hang together, found by walking its calls.

    Args:
        model: a Functional, built Sequential or built subclassed model; it is not changed.
        admit_norms: whether channels may leave a LayerNormalization, GroupNormalization,
            RMSNormalization or UnitNormalization, whose statistic is then that of the channels
            left: the network is another one, also where the channels were zero; default: they stay.

    Raises:
        ModelError: the model was not built, or its call cannot be traced.

    Example:

    >>> model = keras.Sequential([
    ...     keras.Input((8, 8, 3)),
    ...     keras.layers.Conv2D(4, 3, name="conv"),
    ...     keras.layers.Flatten(),
    ...     keras.layers.Dense(10, name="logits"),
    ... ])
    >>> {group.name: group.channels for group in ChannelGraph(model).groups.values()}
    {'conv': 4}
    """

    def __init__(self, model: keras.Model, admit_norms: bool = False) -> None:
        expect_kind(model, keras.Model, "model", "a Keras model")
        self.model = model
        self.admit_norms = admit_norms
        with without_collection():
            self._find()

    def _find(self) -> None:
        """Walks the model, and tells its groups apart."""
        self.trace = trace(self.model)
        walk = LabelWalk(self.trace, self.admit_norms)
        self._walk = walk
        self._roots = walk.resolve()
        self.traces = walk.traces
        self.sizes = walk.sizes
        self.bindings = tuple(walk.bindings.values())
        self.statistics = tuple(walk.statistics.values())
        self.pins: tuple[Pin, ...] = tuple(dict.fromkeys(pin for pin, _ in walk.pins))
        self.paths = _paths(self.trace, self.traces)
        makers, units = _units(self.bindings, self._roots, [part for _, part in walk.parts])
        self._group_of, self._channel_of = _index(units, len(self._roots))
        names = _names([(self.paths[id(made.layer)], made.part) for made in makers])
        members = self._members(len(units))
        self.groups: Mapping[str, ChannelGroup] = {
            name: ChannelGroup(name, group, tuple(owned))
            for name, group, owned in zip(names, units, members, strict=True)
        }

    @property
    def barriers(self) -> tuple[Pin, ...]:
        """The operations no rule could vouch for, with the reason; what they touch stays."""
        return tuple(pin for pin in self.pins if pin.barrier)

    @cached_property
    def blocks(self) -> Mapping[str, ResidualBlock]:
        """The residual blocks that can leave whole, by the name of the branch's last layer."""
        return residual_blocks(self)

    def removable(self, name: str) -> ChannelGroup | ResidualBlock:
        """The group of a name, whose channels can leave, or the residual block that can."""
        return self.groups[name] if name in self.groups else self.blocks[name]

    @cached_property
    def fingerprint(self) -> str:
        """A digest of groups and shapes: equal for models that the same plan fits."""
        describe = cache(_describe)  # an axis may hold channels of many groups
        content = [
            [group.name, group.channels, [describe(member.binding) for member in group.members]]
            for group in self.groups.values()
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def require_groups(self) -> None:
        """Raises a `ModelError` that says why if nothing can be pruned."""
        if not self.groups:
            raise ModelError(
                f"Model {self.model.name!r} has no prunable channels. All are pinned, most by: "
                f"{'; '.join(self._holding()) or 'no layer makes channels of its own'}. Prune "
                "another part of the network, or replace what pins by layers and keras.ops."
            )

    def _holding(self, most: int = 5) -> list[str]:
        """The pins that hold most, with the parameters of the layers they hold, in percent."""
        makers = [binding for binding in self.bindings if binding.role is Role.PRODUCER]
        held: Counter[Pin] = Counter()
        for pin, layer in dict.fromkeys((pin, b.layer) for b in makers for pin in self.causes(b)):
            held[pin] += layer.count_params()
        total = max(1, self.model.count_params())
        return [
            f"{pin.name}: {pin.reason} ({size / total:.0%} of the parameters)"
            for pin, size in held.most_common(most)
        ]

    def cut(self, kept: Mapping[str, np.ndarray]) -> Cut:
        """What is left once each named group keeps the given channels only."""
        keep = np.ones(len(self._roots), bool)
        for name, channels in kept.items():
            keep[self.groups[name].units] = False
            keep[self.groups[name].units[channels]] = True
        walk = self._walk
        return Cut(walk.tensors, walk.bindings, self._roots, keep, walk.inside)

    def units_along(self, tensor: keras.KerasTensor) -> tuple[int, np.ndarray]:
        """The one axis along which a tensor can shrink, and the unit at each of its positions.

        Args:
            tensor: a symbolic tensor of the model or of a nested one.
        """
        labels = self._walk.of(tensor)
        small = self._roots[arrays.core(labels)]
        axis = arrays.shrinking_axis(small)
        assert axis is not None  # settled by the walk
        return axis, arrays.along(small, axis, labels.shape[axis])

    def units_of(self, binding: Binding | Statistic) -> np.ndarray:
        """The unit at each position of a bound axis, or of one over which a norm computes."""
        return self._roots[binding.labels]

    def multiplied(self) -> set[tuple[int, str]]:
        """Where groups are read by no weights: `id` of an op that multiplies tensors, and group."""
        names = list(self.groups)
        return {
            (id(call.operation), names[number])
            for call, labels in self._walk.products
            for number in np.unique(self._group_of[self._roots[labels]]).tolist()
            if number >= 0
        }

    def _members(self, groups: int) -> list[list[Member]]:
        """For every group the bound axes that hold channels of it."""
        members: list[list[Member]] = [[] for _ in range(groups)]
        owners: dict[bytes, list[tuple[int, np.ndarray]]] = {}
        for binding in self.bindings:
            units = self.units_of(binding)
            key = units.tobytes()  # axes of the same units share what is found
            if key not in owners:
                owners[key] = self.owners(units)
            for number, owner in owners[key]:
                members[number].append(Member(binding, owner))
        return members

    def owners(self, units: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """The number of every group that units are of, and the `owner` of its members there."""
        numbers, channels = self.locate(units)
        found = np.unique(numbers[numbers >= 0]).tolist()
        return [(number, np.where(numbers == number, channels, -1)) for number in found]

    def locate(self, units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of the group of each unit and the channel it is there; -1 if it stays."""
        return self._group_of[units], self._channel_of[units]

    def causes(self, binding: Binding) -> tuple[Pin, ...]:
        """Why channels of a bound axis stay; empty if they only met others that do."""
        pinned = binding.labels[self.units_of(binding) == STAYS]
        return tuple(dict.fromkeys(self._walk.causes(pinned)))

    def summary(self) -> GraphSummary:
        """What can be pruned and what one channel costs; what stays, and why.

        Example:

        >>> inputs = keras.Input((8, 8, 3))
        >>> hidden = keras.layers.Conv2D(4, 3, name="conv")(inputs)
        >>> flat = keras.layers.GlobalAveragePooling2D()(hidden)
        >>> model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(flat), name="small")
        >>> print(ChannelGraph(model).summary())
        small: 1 group, 4 channels that can leave
              channels parameters macs        layers
        group
        conv         4         30  974  conv, logits
        Pinned: logits, 2 of 2 channels (logits: a model output)
        """
        return summarize(self)


def _paths(traced: Trace, traces: Mapping[int, Trace], prefix: str = "") -> dict[int, str]:
    """The name of every layer behind those of the models it is nested in, by `id` of the layer."""
    paths: dict[int, str] = {}
    for call in traced.calls:
        paths[id(call.operation)] = path = prefix + call.name
        if id(call.operation) in traces:
            paths |= _paths(traces[id(call.operation)], traces, f"{path}/")
    return paths


def _units(
    bindings: Iterable[Binding], roots: np.ndarray, parts: Iterable[np.ndarray]
) -> tuple[list[Binding], list[np.ndarray]]:
    """The first binding that makes the units of each group, and the units.

    A group are those of the same makers that are in the same parts of tensors: where a tensor is
    split, each half is left with a channel, for no plan empties a group.
    """
    makers = [binding for binding in bindings if binding.role is Role.PRODUCER]
    made = [roots[binding.labels] for binding in makers]
    first = np.full(len(roots), -1)
    for number in reversed(range(len(made))):
        first[made[number]] = number
    first[STAYS] = -1
    kinds = _kinds([*made, *(roots[part].ravel() for part in parts)], len(roots))
    units = np.flatnonzero(first >= 0)
    units = units[np.argsort(kinds[units], kind="stable")]
    groups = np.split(units, np.flatnonzero(np.diff(kinds[units])) + 1)
    groups = sorted(filter(len, groups), key=lambda group: int(group[0]))
    return [makers[first[group[0]]] for group in groups], groups


def _kinds(arrays: Iterable[np.ndarray], labels: int) -> np.ndarray:
    """A number for every label, the same one for those that the same arrays hold."""
    kinds, count = np.zeros(labels, int), 1
    for array in arrays:
        known, places = np.unique(kinds[array], return_inverse=True)
        kinds[array] = count + places
        count += len(known)
    return kinds


def _index(groups: Iterable[np.ndarray], labels: int) -> tuple[np.ndarray, np.ndarray]:
    """For every label the number of its group and its channel there, -1 for none."""
    group_of, channel_of = np.full(labels, -1), np.full(labels, -1)
    for number, units in enumerate(groups):
        group_of[units] = number
        channel_of[units] = np.arange(len(units))
    return group_of, channel_of


def _names(makers: list[tuple[str, str]]) -> list[str]:
    """Layer and part, told apart by the layer's path or a number where two groups would share one.

    Args:
        makers: for each group the path of its first layer, and what of it the channels are.
    """
    own = [_behind(path.rsplit("/", 1)[-1], part) for path, part in makers]
    shared = Counter(own)
    names = [
        name if shared[name] == 1 else _behind(*maker)
        for name, maker in zip(own, makers, strict=True)
    ]
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name}:{seen[name]}")
    return unique


def _behind(path: str, part: str) -> str:
    return f"{path}/{part}" if part else path


def _describe(binding: Binding) -> list[object]:
    return [binding.layer.name, binding.variable.name, list(binding.variable.shape), binding.axis]
