"""The walk: every channel gets a label, and the network's own shape operations move the labels."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import keras
import numpy as np

from keras_prune.graph import arrays
from keras_prune.graph.bindings import Binding, Pin, Role, Statistic, Unsupported
from keras_prune.graph.calling import is_foreign
from keras_prune.graph.calls import Call, Trace, is_model, source_name
from keras_prune.graph.rules import rule_for
from keras_prune.graph.silencers import silencers
from keras_prune.graph.ties import Block, Ties
from keras_prune.graph.tracing import renewed, trace
from keras_prune.graph.unions import STAYS
from keras_prune.graph.within import is_open, label_inside


class LabelWalk(Ties):
    """Walks the calls of a traced model and records what they say about channels.

    Rules talk to it: `of` reads a tensor's labels, `produce` issues fresh ones, `bind` ties a
    weight's axis to labels, `unite` makes labels one and `pin` makes them stay. `inside` holds, by
    `id` of a call, the one that it makes of a layer inside; `made_by` the call that makes a tensor;
    `weights` the layer and weight that a tensor stands for; `products` the calls that multiply two
    tensors, with the labels they sum over; `sizes` the numbers in a layer's config, by its `id`,
    that are the length of a weight's axis.

    Args:
        traced: the model's calls.
        admit_norms: whether channels may leave a norm that computes a statistic over them.
    """

    def __init__(self, traced: Trace, admit_norms: bool = False) -> None:
        super().__init__()
        self.admit_norms = admit_norms
        self.statistics: dict[int, Statistic] = {}
        self.tensors: dict[int, np.ndarray] = {}
        self.pins: list[tuple[Pin, np.ndarray]] = []
        self.products: list[tuple[Call, np.ndarray]] = []
        self.made_by: dict[int, Call] = {}
        self._silencing: set[int] = set()
        self._called: set[int] = set()
        self.traces: dict[int, Trace] = {}
        self.inside: dict[int, Call] = {}
        self.weights: dict[int, tuple[keras.Layer, keras.Variable]] = {}
        self.sizes: dict[int, dict[str, tuple[keras.Variable, int]]] = {}
        self._first: dict[int, np.ndarray] = {}
        self._taken: set[int] = set()
        self._closed: dict[keras.Operation, str] = {}
        self._barriers: list[Call] = []
        self.parts: list[tuple[str, np.ndarray]] = []
        for tensor in traced.flat_inputs:
            self.tensors[id(tensor)] = self.fixed(tensor)
        self._walk(traced)
        self._pin_shared_weights()
        for tensor in traced.flat_outputs:
            self.pin(self.of(tensor), Pin(source_name(tensor), "a model output"))

    def of(self, tensor: keras.KerasTensor) -> np.ndarray:
        """The labels of a tensor, in the shape of the tensor.

        Those of a weight that stands among the tensors are made when they are asked for first: each
        of its numbers is a channel's, and one of its axes can shrink.
        """
        if id(tensor) in self.weights and id(tensor) not in self.tensors:
            self.tensors[id(tensor)] = self._of_weight(*self.weights[id(tensor)])
        return self.tensors[id(tensor)]

    def _of_weight(self, layer: keras.Layer, variable: keras.Variable) -> np.ndarray:
        shape = tuple(variable.shape) or (1,)
        long = [axis for axis, length in enumerate(shape) if length > 1]
        labels = self.unions.fresh(int(np.prod(shape))).reshape([shape[axis] for axis in long])
        self.bind_axes(layer, variable, long, labels)
        rest = [axis for axis in range(len(shape)) if axis not in long]
        return np.expand_dims(labels, rest)

    def channels(self, tensor: keras.KerasTensor, axis: int) -> np.ndarray:
        """The labels along one axis, made equal over all others, shape `(length,)`."""
        small = np.moveaxis(arrays.core(self.of(tensor)), axis, 0)
        rows = small.reshape(len(small), -1)
        if rows.shape[1] > 1:
            self.unions.unite(rows[:, :1], rows[:, 1:])
        return np.broadcast_to(rows[:, 0], self.of(tensor).shape[axis])

    def same_as_first(self, call: Call, labels: np.ndarray) -> None:
        """Makes the input labels of a layer's calls one, where its config must serve them all."""
        first = self._first.setdefault(id(call.operation), labels)
        if first.shape != labels.shape:
            self.pin(first, Pin(call.name, "its calls differ in shape", barrier=True))
            raise Unsupported("its calls differ in shape")
        self.unite(first, labels)

    def note_product(
        self, call: Call, tensors: Iterable[keras.KerasTensor], labels: np.ndarray
    ) -> None:
        """Remembers that a call multiplies tensors with each other and sums over channels.

        No weights read the channels there, so that they are silenced where one tensor is made.

        Raises:
            Unsupported: no weights are known that make one of them zero.
        """
        known = (silencers(tensor, self) for tensor in tensors)
        weights = next((found for found in known if found), None)
        if weights is None:
            raise Unsupported("it multiplies tensors, and no weight is known to silence one")
        self._silencing.update(map(id, weights))
        self.products.append((call, labels))

    def channels_of(self, tensor: keras.KerasTensor) -> set[int]:
        """The roots of the labels along a tensor, as far as it is known, but for what stays."""
        roots = self.unions.resolve()[arrays.core(self.of(tensor))]
        return set(roots.ravel().tolist()) - {STAYS}

    def note_reader(self, variable: keras.Variable) -> None:
        """Remembers that a weight which makes channels reads them, too."""
        self._silencing.add(id(variable))

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

    def keep(self, call: Call, outputs: Sequence[np.ndarray]) -> None:
        """Remembers the labels of what a call makes."""
        for tensor, labels in zip(call.outputs, outputs, strict=True):
            self.tensors[id(tensor)] = labels
            self.made_by[id(tensor)] = call

    def hold(self, inner: keras.Operation, outer: keras.Layer, part: str = "") -> None:
        """Notes that a layer is called inside another one, which then owns its weights.

        Args:
            inner: what is called inside; anything but a layer owns none.
            outer: the layer around it.
            part: what of the outer one its channels are.

        Raises:
            Unsupported: it is called elsewhere, too.
        """
        if not isinstance(inner, keras.Layer):
            return
        known, _ = self._holders.get(id(inner), (outer, part))
        if known is not outer or id(inner) in self._called:
            raise Unsupported(f"{inner.name!r} inside it is called elsewhere, too")
        self._holders.setdefault(id(inner), (outer, part))

    @contextlib.contextmanager
    def without_norms(self) -> Iterator[None]:
        """Admits no norms: those inside a layer cannot be told which channels a cut leaves."""
        before, self.admit_norms = self.admit_norms, False
        try:
            yield
        finally:
            self.admit_norms = before

    def silences(self, binding: Binding) -> bool:
        """Whether a channel that leaves is silenced by these weights."""
        return binding.role is Role.CONSUMER or id(binding.variable) in self._silencing

    def settled(self, tensors: Iterable[np.ndarray]) -> np.ndarray:
        """The root of every label, once none of some tensors would shrink along two axes."""
        tensors = list(tensors)
        roots = self.unions.resolve()
        while self._settle(roots, tensors):
            roots = self.unions.resolve()
        return roots

    def along_one_axis(self, labels: np.ndarray) -> np.ndarray:
        """The labels of a tensor, settled, so that they vary along one axis at most."""
        if len(arrays.varying_axes(labels)) < 2:
            return labels
        small = self.settled([labels])[arrays.core(labels)]
        axis = arrays.shrinking_axis(small)
        assert axis is not None  # settled
        vector = arrays.along(arrays.core(labels), axis, labels.shape[axis])
        return arrays.spread(vector, labels.shape, axis)

    def resolve(self) -> np.ndarray:
        """The root of every label, after settling tensors that would shrink along two axes."""
        roots = self.unions.resolve()
        everywhere = [*self.tensors.values(), *(block.labels for block in self.blocks.values())]
        while self._settle(roots, everywhere) or self._keep_parts(roots):
            roots = self.unions.resolve()
        for block in self.blocks.values():
            settled = block.settled(roots)
            assert settled is not None  # `everywhere` holds its labels
            self.bind(block.layer, block.variable, settled.axis, settled.labels, block.role)
        for key, binding in self.bindings.items():
            if self.silences(binding):
                self.bindings[key] = replace(binding, silences=True)
        return roots

    @cached_property
    def _met(self) -> np.ndarray:
        """The root of every label as if nothing was pinned."""
        return self.unions.resolve(pinned=False)

    def _walk(self, traced: Trace) -> None:
        self.traces[id(traced.model)] = traced
        self._taken.update(_tensors(traced))
        self._closed |= traced.closed
        self._called.update(id(call.operation) for call in traced.calls)
        for call in traced.calls:
            outputs = self._nested(call) if is_model(call.operation) else self._visit(call)
            self.keep(call, outputs)

    def _visit(self, call: Call) -> list[np.ndarray]:
        """The output labels of a call as its rule says, or a barrier."""
        mark = self.mark()
        try:
            if is_open(call.operation):
                return label_inside(call, self)
            if is_foreign(call.operation):
                with contextlib.suppress(Unsupported):  # why it stays closed is known already
                    return label_inside(call, self)
            outputs = rule_for(call.operation).label(call, self)
            self._check_weights(call)
            self._pin_regularized(call, outputs)
            return outputs
        except Unsupported as reason:
            self._barrier(call, str(reason), self.touched(call, mark))
            return [self.fixed(tensor) for tensor in call.outputs]

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
            return self.fixed(target)

    def touched(self, call: Call, mark: tuple[int, int]) -> np.ndarray:
        """All labels a call touches: those of its inputs, and what was bound since a moment."""
        labels = [*map(self.of, call.inputs), *self.since(mark)]
        return np.concatenate([[STAYS], *(arrays.core(each).ravel() for each in labels)])

    def _barrier(self, call: Call, reason: str, touched: np.ndarray) -> None:
        """Pins all a call touches."""
        self._barriers.append(call)
        if call.operation in self._closed and not is_open(call.operation):
            reason += f", and it stays closed: {self._closed[call.operation]}"
        self.pin(touched, Pin(call.name, reason, barrier=True))

    def _pin_shared_weights(self) -> None:
        """A layer inside a barrier may be called outside it, too: its weights stay whole."""
        owners = {
            id(weight): call for call in self._barriers for weight in _weights(call.operation)
        }
        tied: list[Binding | Block] = [*self.bindings.values(), *self.blocks.values()]
        for each in tied:
            call = owners.get(id(each.variable))
            if call and call.operation is not each.layer:
                self.pin(each.labels, Pin(call.name, f"it holds {each.layer.name!r}, too"))

    def _check_weights(self, call: Call) -> None:
        """A weight that its rule has not bound (an adapter, say) makes the layer a barrier."""
        if rule_for(call.operation).free_weights:
            return
        for variable in _weights(call.operation):
            if not self.is_tied(variable):
                raise Unsupported(f"its weight {variable.name!r} is unknown to the rule")

    def _pin_regularized(self, call: Call, outputs: Iterable[np.ndarray]) -> None:
        """A regularizer of a user's may know how many channels there are."""
        regularizer = getattr(call.operation, "activity_regularizer", None)
        if regularizer is None or type(regularizer).__module__.startswith("keras."):
            return
        for labels in outputs:
            name = type(regularizer).__name__
            self.pin(labels, Pin(call.name, f"its activity regularizer {name} sees all of them"))

    def fixed(self, tensor: keras.KerasTensor) -> np.ndarray:
        """Labels of a tensor all of which stays."""
        return np.broadcast_to(np.int64(STAYS), arrays.shape_of(tensor))

    def _keep_parts(self, roots: np.ndarray) -> bool:
        """Pins a channel that a tensor consists of alone. Returns whether there was one."""
        alone = [(name, part) for name, part in self.parts if _is_alone(roots[part])]
        for name, part in alone:
            self.pin(part, Pin(name, "a tensor of this channel alone"))
        return bool(alone)

    def _settle(self, roots: np.ndarray, tensors: Iterable[np.ndarray]) -> bool:
        """Lets a tensor shrink along the axis that leaves most units. Returns whether it had to."""
        changed = False
        for labels in tensors:
            if len(arrays.varying_axes(labels)) < 2:
                continue
            small = roots[arrays.core(labels)]
            axis = arrays.shrinking_axis(small)
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
