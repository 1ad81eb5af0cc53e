"""The walk: every channel gets a label, and the network's own shape operations move the labels."""

from collections.abc import Iterable
from functools import cached_property

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Pin, Role, Statistic, Unsupported
from keras_prune.graph.calls import Call, Trace, is_model, source_name
from keras_prune.graph.rules import rule_for
from keras_prune.graph.tracing import renewed, trace
from keras_prune.graph.unions import STAYS, Unions


class LabelWalk:
    """Walks the calls of a traced model and records what they say about channels.

    Rules talk to it: `of` reads a tensor's labels, `produce` issues fresh ones, `bind` ties a
    weight's axis to labels, `unite` makes labels one and `pin` makes them stay.

    Args:
        traced: the model's calls.
        admit_norms: whether channels may leave a norm that computes a statistic over them.
    """

    def __init__(self, traced: Trace, admit_norms: bool = False) -> None:
        self.admit_norms = admit_norms
        self.statistics: dict[int, Statistic] = {}
        self.unions = Unions()
        self.tensors: dict[int, np.ndarray] = {}
        self.bindings: dict[tuple[int, int], Binding] = {}
        self.pins: list[tuple[Pin, np.ndarray]] = []
        self.traces: dict[int, Trace] = {}
        self._first: dict[int, np.ndarray] = {}
        self._taken: set[int] = set()
        self._closed: dict[keras.Operation, str] = {}
        self._barriers: list[Call] = []
        self.parts: list[tuple[str, np.ndarray]] = []
        for tensor in traced.flat_inputs:
            self.tensors[id(tensor)] = self._fixed(tensor)
        self._walk(traced)
        self._pin_shared_weights()
        for tensor in traced.flat_outputs:
            self.pin(self.of(tensor), Pin(source_name(tensor), "a model output"))

    def of(self, tensor: keras.KerasTensor) -> np.ndarray:
        """The labels of a tensor, in the shape of the tensor."""
        return self.tensors[id(tensor)]

    def channels(self, tensor: keras.KerasTensor, axis: int) -> np.ndarray:
        """The labels along one axis, made equal over all others, shape `(length,)`."""
        small = np.moveaxis(arrays.core(self.of(tensor)), axis, 0)
        rows = small.reshape(len(small), -1)
        if rows.shape[1] > 1:
            self.unions.unite(rows[:, :1], rows[:, 1:])
        return np.broadcast_to(rows[:, 0], self.of(tensor).shape[axis])

    def produce(self, layer: keras.Layer, variable: keras.Variable, axis: int) -> np.ndarray:
        """Labels for the channels a weight's axis makes; the same ones at every call."""
        axis %= len(variable.shape)
        known = self.bindings.get((id(variable), axis))
        labels = known.labels if known else self.unions.fresh(variable.shape[axis])
        self.bind(layer, variable, axis, labels, Role.PRODUCER)
        return labels

    def bind(
        self,
        layer: keras.Layer,
        variable: keras.Variable | None,
        axis: int,
        labels: np.ndarray,
        role: Role = Role.CHANNELWISE,
    ) -> None:
        """Ties a weight's axis to labels; a weight that is bound again unites the two."""
        if variable is None:
            return
        axis %= len(variable.shape)
        if len(labels) != variable.shape[axis]:
            raise Unsupported(
                f"{variable.name} has length {variable.shape[axis]} along axis {axis} "
                f"for {len(labels)} channels"
            )
        known = self.bindings.setdefault(
            (id(variable), axis), Binding(layer, variable, axis, labels, role)
        )
        if known.labels is not labels:
            self.unite(known.labels, labels)

    def unite(self, a: np.ndarray, b: np.ndarray) -> None:
        """Makes labels one, position by position; arrays broadcast against each other."""
        self.unions.unite(arrays.core(a), arrays.core(b))

    def same_as_first(self, call: Call, labels: np.ndarray) -> None:
        """Makes the input labels of a layer's calls one, where its config must serve them all."""
        first = self._first.setdefault(id(call.operation), labels)
        if first.shape != labels.shape:
            self.pin(first, Pin(call.name, "its calls differ in shape", barrier=True))
            raise Unsupported("its calls differ in shape")
        self.unite(first, labels)

    def note_statistic(self, call: Call, axis: int, channels: np.ndarray) -> None:
        """Remembers that a norm computes its statistic over channels; all its calls share them."""
        self.same_as_first(call, channels)
        first = self.statistics.setdefault(
            id(call.operation), Statistic(call.operation, axis, channels)
        )
        if first.axis != axis:
            raise Unsupported("its calls differ in axis")

    def pin(self, labels: np.ndarray, pin: Pin) -> None:
        """Makes labels stay, and remembers why; a barrier also where all of them stay anyway."""
        small = np.unique(arrays.core(labels))
        if (small != STAYS).any() or pin.barrier:
            self.unions.unite(small, STAYS)
            self.pins.append((pin, small))

    def part(self, call: Call, labels: np.ndarray) -> np.ndarray:
        """Notes that a call picks out these labels: some of what is picked out must stay."""
        self.parts.append((call.name, arrays.core(labels)))
        return labels

    def causes(self, labels: np.ndarray) -> list[Pin]:
        """The pins at labels, or at labels that must stay or leave with them."""
        wanted = self._met[labels[labels != STAYS]]
        return [
            pin
            for pin, pinned in self.pins
            if np.isin(self._met[pinned[pinned != STAYS]], wanted).any()
        ]

    def resolve(self) -> np.ndarray:
        """The root of every label, after settling tensors that would shrink along two axes."""
        roots = self.unions.resolve()
        while self._settle(roots) or self._keep_parts(roots):
            roots = self.unions.resolve()
        return roots

    @cached_property
    def _met(self) -> np.ndarray:
        """The root of every label as if nothing was pinned."""
        return self.unions.resolve(pinned=False)

    def _walk(self, traced: Trace) -> None:
        self.traces[id(traced.model)] = traced
        self._taken.update(_tensors(traced))
        self._closed |= traced.closed
        for call in traced.calls:
            outputs = self._nested(call) if is_model(call.operation) else self._visit(call)
            for tensor, labels in zip(call.outputs, outputs, strict=True):
                self.tensors[id(tensor)] = labels

    def _visit(self, call: Call) -> list[np.ndarray]:
        """The output labels of a call as its rule says, or a barrier."""
        bound_before = len(self.bindings)
        try:
            outputs = rule_for(call.operation).label(call, self)
            self._check_weights(call)
            return outputs
        except Unsupported as reason:
            self._barrier(call, str(reason), list(self.bindings.values())[bound_before:])
            return [self._fixed(tensor) for tensor in call.outputs]

    def _nested(self, call: Call) -> list[np.ndarray]:
        """The output labels of a nested model: walked once, later calls united with the first."""
        known = self.traces.get(id(call.operation))
        inner = known or self._apart(trace(call.operation))
        for outer, tensor in zip(call.nested_inputs(inner), inner.flat_inputs, strict=True):
            labels = self._respread(call, outer, tensor)
            if known:
                self.unite(labels, self.of(tensor))
            else:
                self.tensors[id(tensor)] = labels
        if not known:
            self._walk(inner)
        results = zip(inner.flat_outputs, call.outputs, strict=True)
        return [self._respread(call, tensor, outer) for tensor, outer in results]

    def _apart(self, inner: Trace) -> Trace:
        """A trace that shares no tensor with those around it, where it may be another one."""
        return inner if self._taken.isdisjoint(_tensors(inner)) else renewed(inner)

    def _respread(
        self, call: Call, source: keras.KerasTensor, target: keras.KerasTensor
    ) -> np.ndarray:
        """The labels of a tensor as another one that may know more or fewer of its lengths."""
        labels = self.of(source)
        try:
            return np.broadcast_to(arrays.core(labels), arrays.shape_of(target))
        except ValueError:
            reason = f"it takes shape {source.shape} for {target.shape}"
            self.pin(labels, Pin(call.name, reason, barrier=True))
            return self._fixed(target)

    def _barrier(self, call: Call, reason: str, bound: Iterable[Binding]) -> None:
        """Pins all a call touches: its inputs and what its rule had bound when it gave up."""
        self._barriers.append(call)
        if call.operation in self._closed:
            reason += f", and it stays closed: {self._closed[call.operation]}"
        touched = [arrays.core(self.of(tensor)).ravel() for tensor in call.inputs]
        touched += [binding.labels for binding in bound]
        labels = np.concatenate(touched) if touched else np.zeros(1, int)
        self.pin(labels, Pin(call.name, reason, barrier=True))

    def _pin_shared_weights(self) -> None:
        """A layer inside a barrier may be called outside it, too: its weights stay whole."""
        owners = {
            id(weight): call for call in self._barriers for weight in _weights(call.operation)
        }
        for binding in self.bindings.values():
            call = owners.get(id(binding.variable))
            if call and call.operation is not binding.layer:
                self.pin(binding.labels, Pin(call.name, f"it holds {binding.layer.name!r}, too"))

    def _check_weights(self, call: Call) -> None:
        """A weight that its rule has not bound (an adapter, say) makes the layer a barrier."""
        if rule_for(call.operation).free_weights:
            return
        for variable in _weights(call.operation):
            axes = range(len(variable.shape))
            if not any((id(variable), axis) in self.bindings for axis in axes):
                raise Unsupported(f"its weight {variable.name!r} is unknown to the rule")

    def _fixed(self, tensor: keras.KerasTensor) -> np.ndarray:
        return np.broadcast_to(np.int64(STAYS), arrays.shape_of(tensor))

    def _keep_parts(self, roots: np.ndarray) -> bool:
        """Pins a channel that a tensor consists of alone. Returns whether there was one."""
        alone = [(name, part) for name, part in self.parts if _is_alone(roots[part])]
        for name, part in alone:
            self.pin(part, Pin(name, "a tensor of this channel alone"))
        return bool(alone)

    def _settle(self, roots: np.ndarray) -> bool:
        """Lets a tensor shrink along the axis that leaves most units. Returns whether it had to."""
        changed = False
        for labels in self.tensors.values():
            if len(arrays.varying_axes(labels)) < 2:
                continue
            small = roots[arrays.core(labels)]
            axis = shrinking_axis(small)
            if axis is None:
                axis = max(range(small.ndim), key=lambda axis: _distinct(small, axis))
                for other in set(range(small.ndim)) - {axis}:
                    self.unions.unite(small, small.take([0], axis=other))
                changed = True
        return changed


def _tensors(traced: Trace) -> set[int]:
    """The `id` of every symbolic tensor of a trace."""
    made = (tensor for call in traced.calls for tensor in call.outputs)
    return {id(tensor) for tensor in (*traced.flat_inputs, *made)}


def _weights(operation: keras.Operation) -> list[keras.Variable]:
    return operation.weights if isinstance(operation, keras.Layer) else []


def _is_alone(roots: np.ndarray) -> bool:
    """Whether a tensor holds one label only, and that one may leave."""
    return roots.size > 0 and roots.min() == roots.max() != STAYS


def _distinct(roots: np.ndarray, axis: int) -> int:
    """How many different slices an array has along an axis."""
    return len(np.unique(np.moveaxis(roots, axis, 0).reshape(roots.shape[axis], -1), axis=0))


def shrinking_axis(roots: np.ndarray) -> int | None:
    """The one axis along which resolved labels differ; None if there is more than one.

    Example:

    >>> shrinking_axis(np.array([[1, 2], [1, 2]]))
    1
    """
    varying = [
        axis for axis in range(roots.ndim) if not (roots == roots.take([0], axis=axis)).all()
    ]
    if len(varying) > 1:
        return None
    return varying[0] if varying else roots.ndim - 1
