"""(model, plan) -> a smaller model, by replaying the model's calls with layers built anew."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from keras_prune.errors import ModelError, PlanError
from keras_prune.graph import Call, ChannelGraph, Rule, Trace, rule_for
from keras_prune.graph.blocks import ResidualBlock, pass_by, shortcuts
from keras_prune.graph.calls import is_model, remade, source_name
from keras_prune.graph.cut import Cut
from keras_prune.plan import PruningPlan
from keras_prune.surgery.checking import check_rebuilt, check_same, needs_trial
from keras_prune.surgery.copying import copied, has_foreign_code, stands_alone
from keras_prune.surgery.functions import findable, hand_over
from keras_prune.surgery.initializers import InitialValues, without_arrays
from keras_prune.surgery.vocabularies import hand_over_vocabularies
from keras_prune.utils.arguments import expect_kind
from keras_prune.utils.collection import without_collection
from keras_prune.utils.long_networks import long_networks
from keras_prune.utils.reasons import reason


def prune(model: keras.Model, plan: PruningPlan) -> keras.Model:
    """Removes the channels and residual blocks a plan drops.

    Args:
        model: the model the plan was made for; it is not changed.
        plan: which channels stay.

    Returns:
        A plain Keras model, uncompiled, with the kept slices of the original's weights. It computes
        what the original computes once the dropped channels are silenced.

    Raises:
        PlanError: the plan was made for another model, or leaves a tensor without channels.
        ModelError: a layer cannot be rebuilt, or does not treat examples alike once it is.

    Warns:
        UserWarning: weights are NaN.

    Example:

    >>> inputs = keras.Input((8, 8, 3))
    >>> hidden = keras.layers.Conv2D(4, 3, name="conv")(inputs)
    >>> model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(
    ...     keras.layers.Conv2D(2, 3)(hidden)))
    >>> plan = PruningPlan.for_graph(ChannelGraph(model), {"conv": (0, 3)})
    >>> tuple(prune(model, plan).get_layer("conv").kernel.shape)
    (3, 3, 3, 2)
    """
    expect_kind(model, keras.Model, "model", "a Keras model")
    expect_kind(plan, PruningPlan, "plan", "a PruningPlan, as a budget allocates one")
    return prune_graph(ChannelGraph(model, plan.admit_norms), plan)


def prune_graph(graph: ChannelGraph, plan: PruningPlan) -> keras.Model:
    """`prune` for a graph that was walked already."""
    plan.check(graph)
    cut = graph.cut({name: np.array(channels) for name, channels in plan.kept.items()})
    with without_collection():
        replay = Replay(graph, cut, [graph.blocks[name] for name in plan.blocks])
    if replay.undefined:
        warnings.warn(
            f"Weights of {', '.join(map(repr, replay.undefined))} are NaN: the pruned model "
            "computes NaN, too. Train the model again before pruning it.",
            stacklevel=3,
        )
    if needs_trial(graph.trace.calls):
        check_rebuilt(graph.trace, replay.tensors)
    if not plan.drops_channels and not plan.blocks:
        check_same(graph.trace, replay.tensors)
    return replay.model


class Replay:
    """A model's calls made once more, with new layers that hold what a cut leaves.

    Args:
        graph: the walked model.
        cut: what stays.
        blocks: residual blocks that leave.

    Attributes:
        model: the new model; nested and shared layers stay nested and shared, names stay.
        operations: the new operation of every old one, by `id`.
        tensors: the new symbolic tensor of every old one of the outermost model, by `id`.
        undefined: the names of the layers with weights that are NaN.
    """

    def __init__(self, graph: ChannelGraph, cut: Cut, blocks: Sequence[ResidualBlock] = ()) -> None:
        self.operations: dict[int, Any] = {}
        self.tensors: dict[int, keras.KerasTensor] = {}
        self.undefined: dict[str, None] = {}
        self._graph = graph
        self._cut = cut
        self._shortcuts = shortcuts(graph, blocks)
        self._initial: dict[int, InitialValues] = {}
        self.model = self._model(graph.trace, graph.model.name)

    def _model(self, traced: Trace, name: str) -> keras.Model:
        """Replays one model, at the top or nested."""
        inputs = keras.tree.map_structure(self._input, traced.inputs)
        tensors = dict(zip(map(id, traced.flat_inputs), keras.tree.flatten(inputs), strict=True))
        for call in traced.calls:
            if id(call) in self._shortcuts:
                pass_by(call, self._shortcuts, tensors)
                continue
            args, kwargs = call.arguments(tensors)
            outputs = self._call(call, *args, **kwargs)
            for old, new in zip(call.outputs, keras.tree.flatten(outputs), strict=True):
                _check_rebuilt(call, "an output", [new.shape], [self._shape(old)])
                tensors[id(old)] = new
            self._transfer(call)
        outputs = keras.tree.map_structure(lambda tensor: tensors[id(tensor)], traced.outputs)
        self.tensors = tensors
        return self._assemble(traced, inputs, outputs, name)

    def _assemble(self, traced: Trace, inputs: Any, outputs: Any, name: str) -> keras.Model:
        """A model of the kind that was replayed; one whose layers were opened is Functional."""
        model = traced.model
        layers = [self.operations.get(id(layer)) for layer in model.layers]
        with long_networks():
            if isinstance(model, keras.Sequential) and None not in layers:
                built = keras.Sequential([inputs, *layers], name=name)
            else:
                built = keras.Model(inputs, outputs, name=name)
        if built.trainable != model.trainable:  # setting it sets that of every layer
            built.trainable = model.trainable
        return built

    def _call(self, call: Call, *args: Any, **kwargs: Any) -> Any:
        """Makes one call again."""
        rule = rule_for(call.operation)
        return rule.replay(call, self._operation(call), args, kwargs, self._cut)

    def _operation(self, call: Call) -> Any:
        """The new operation of a call, made at its first call only."""
        old = call.operation
        if id(old) not in self.operations:
            if is_model(old):
                self.operations[id(old)] = self._model(self._graph.traces[id(old)], call.name)
            else:
                self._check_survivors(call)
                self._made(call)
        return self.operations[id(old)]

    def _made(self, call: Call) -> None:
        """Copies a layer of the user's that loses nothing; makes any other from its config."""
        tried = has_foreign_code(call.operation) and self._loses_nothing(call.operation)
        if tried and self._copied(call):
            return
        try:
            self.operations[id(call.operation)] = self._rebuilt(call)
        except ModelError as error:
            if self._is_without_size(call.operation) and self._copied(call):
                return
            raise ModelError(
                f"Layer {call.name!r} cannot be copied: its copy does not run on random numbers, "
                f"or a function of its own holds on to the first. {error}"
                if tried
                else str(error)
            ) from error
        self._initialize(call)

    def _copied(self, call: Call) -> bool:
        """Copies a layer. Returns whether the copy does what the layer does."""
        old: Any = call.operation
        new: Any = copied(old, _replayed)
        if not stands_alone(call, new):
            return False
        new.name = call.name
        self.operations[id(old)] = new
        self._note_undefined(call, map(keras.ops.convert_to_numpy, old.weights))
        return True

    def _is_without_size(self, operation: keras.Operation) -> bool:
        """Whether nothing in a layer depends on how many channels there are: it has no weights."""
        rewrites = type(rule_for(operation)).rewrite is not Rule.rewrite
        return isinstance(operation, keras.Layer) and not operation.variables and not rewrites

    def _loses_nothing(self, layer: keras.Layer) -> bool:
        """Whether all weights of a layer, and all tensors of its calls, stay whole."""
        axes = ((weight, axis) for weight in layer.weights for axis in range(len(weight.shape)))
        traces = (self._graph.trace, *self._graph.traces.values())
        calls = (c for traced in traces for c in traced.calls if c.operation is layer)
        tensors = (tensor for call in calls for tensor in (*call.inputs, *call.outputs))
        return all(self._cut.length(w, axis) == w.shape[axis] for w, axis in axes) and all(
            self._shape(tensor) == tuple(tensor.shape) for tensor in tensors
        )

    def _rebuilt(self, call: Call) -> Any:
        old = call.operation
        try:
            with findable(old):
                config = rule_for(old).rewrite(call, old.get_config(), self._cut)
                for key, axis in self._graph.sizes.get(id(old), {}).items():
                    config[key] = self._cut.length(*axis)
                if call.name != old.name:
                    config["name"] = call.name
                new = remade(old, without_arrays(old, config))
        except (TypeError, ValueError, KeyError, NotImplementedError) as error:
            raise ModelError(
                f"Layer {call.name!r} cannot be rebuilt from its get_config: {reason(error)}. Let "
                "its __init__ take all that get_config returns, and hand **kwargs to "
                "super().__init__."
            ) from error
        if new.name != call.name:  # a config may leave it out
            new.name = call.name
        hand_over(old, new, call.name)
        return new

    def _input(self, tensor: keras.KerasTensor) -> keras.KerasTensor:
        name = source_name(tensor)
        return keras.Input(batch_shape=self._shape(tensor), dtype=tensor.dtype, name=name)

    def _shape(self, tensor: keras.KerasTensor) -> tuple[int | None, ...]:
        """The shape of a tensor after the cut."""
        return tuple(
            length if length is None or axis == 0 else self._cut.size(tensor, axis)
            for axis, length in enumerate(tensor.shape)
        )

    def _check_survivors(self, call: Call) -> None:
        """Every tensor needs a channel that stays, also a slice of a group that keeps some."""
        for tensor in call.outputs:
            if 0 in self._shape(tensor) and 0 not in tensor.shape:
                raise PlanError(
                    f"The plan leaves no channel of what layer {call.name!r} returns. "
                    "Keep at least one of them."
                )

    def _initialize(self, call: Call) -> None:
        """Lets a new layer start with the kept slices of the old one's weights."""
        old, new = call.operation, self.operations[id(call.operation)]
        if not isinstance(old, keras.Layer):
            return
        names = [weight.name for weight in old.weights]
        # `np.asarray` makes a copy less than `convert_to_numpy`.
        values = [self._cut.left(weight, np.asarray(weight)) for weight in old.weights]
        self._initial[id(old)] = InitialValues(new, names, values)
        hand_over_vocabularies(old, new)
        self._note_undefined(call, values)

    def _note_undefined(self, call: Call, values: Iterable[np.ndarray]) -> None:
        if any(np.isnan(value.sum()) for value in values):
            self.undefined.setdefault(call.name)

    def _transfer(self, call: Call) -> None:
        """Sees after its first call that a layer has all the weights it is to have."""
        initial = self._initial.pop(id(call.operation), None)
        if initial is None:
            return
        new = self.operations[id(call.operation)]
        expected = [value.shape for value in initial.values]
        _check_rebuilt(call, "weights", [weight.shape for weight in new.weights], expected)
        initial.settle()
        if isinstance(new, keras.layers.Normalization) and new.built:
            new.finalize_state()


def _replayed(model: keras.Model) -> tuple[keras.Model, dict[int, Any]]:
    """A model made anew, whole, and its new layers by the `id` of the old ones."""
    graph = ChannelGraph(model)
    replay = Replay(graph, graph.cut({}))
    return replay.model, replay.operations


def _check_rebuilt(call: Call, what: str, received: list[Any], expected: list[Any]) -> None:
    """A get_config that leaves something out gives another layer, at best of other shapes."""
    if received != expected:
        raise ModelError(
            f"Layer {call.name!r} was rebuilt from its get_config with {what} of shapes {received}."
            f" Expected: {expected}. Let get_config return all that __init__ takes."
        )
