"""A Keras model as a list of calls: the only file that touches Keras' private attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import keras

from keras_prune.errors import ModelError
from keras_prune.graph.bindings import Unsupported


@dataclass(frozen=True, eq=False)
class Call:
    """One call of one operation. A layer that is called twice makes two calls.

    Args:
        operation: the layer or op.
        name: its name; another one than its own where that would not be unique.
        inputs: the symbolic tensors it was called with, flat.
        outputs: the symbolic tensors it returned, flat.
        rows: how many rows of the batch one example is here; more than one where windows, steps or
            patches were folded into it; None if that is not known.
    """

    operation: keras.Operation
    name: str
    inputs: tuple[keras.KerasTensor, ...]
    outputs: tuple[keras.KerasTensor, ...]
    _node: Any
    rows: Fraction | None = Fraction(1)

    @property
    def constants(self) -> list[Any]:
        """The arguments of the call that are not symbolic tensors, flat."""
        arguments = keras.tree.flatten((self._node.arguments.args, self._node.arguments.kwargs))
        return [value for value in arguments if not isinstance(value, keras.KerasTensor)]

    @property
    def symbolic_arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call's arguments, with the tensors that it has here."""
        pairs = zip(self._node.input_tensors, self.inputs, strict=True)
        return self.arguments({id(built): here for built, here in pairs})

    def arguments(self, tensors: dict[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The call's arguments with each symbolic tensor replaced by `tensors[id(tensor)]`."""
        return self._node.arguments.fill_in(tensors)

    def nested_inputs(self, inner: Trace) -> list[keras.KerasTensor]:
        """What a call of a nested model passes, in the order of the model's own inputs."""
        arguments = self._node.arguments
        passed = arguments.args[0] if arguments.args else arguments.kwargs["inputs"]
        if isinstance(passed, dict) and not isinstance(inner.inputs, dict):
            return [passed[tensor.name] for tensor in inner.flat_inputs]
        return keras.tree.flatten(passed)


@dataclass(frozen=True, eq=False)
class Trace:
    """The calls of one model, in topological order.

    Args:
        model: the traced model.
        calls: every call, producers before consumers; a nested model is one call.
        inputs: the model's symbolic inputs in the structure the model was built with.
        outputs: likewise its outputs.
        closed: composite layers that were not opened, and why.
    """

    model: keras.Model
    calls: tuple[Call, ...]
    inputs: Any
    outputs: Any
    closed: Mapping[keras.Operation, str] = field(default_factory=dict)

    @property
    def flat_inputs(self) -> list[keras.KerasTensor]:
        """The model's symbolic inputs, flat."""
        return keras.tree.flatten(self.inputs)

    @property
    def flat_outputs(self) -> list[keras.KerasTensor]:
        """The model's symbolic outputs, flat."""
        return keras.tree.flatten(self.outputs)


def is_model(operation: keras.Operation) -> bool:
    """Whether an operation is a model whose own calls can be traced."""
    graph = isinstance(operation, keras.Sequential) or hasattr(operation, "_nodes_by_depth")
    return graph and type(operation).call.__module__.startswith("keras.")


def functional_trace(model: keras.Model) -> Trace:
    """Lists the calls a Functional or built Sequential model was made of.

    Raises:
        ModelError: the model was not built yet.
    """
    function: Any = getattr(model, "_functional", model)
    if function is None:
        raise ModelError(
            f"Sequential model {model.name!r} has no graph yet. "
            "Build it first: model.build(input_shape), or start it with keras.Input."
        )
    return Trace(model, tuple(_calls(function)), function._inputs_struct, function._outputs_struct)


def input_structure(model: Any) -> Any:
    """Symbolic inputs in the structure a subclassed model takes; None if it was not built.

    They are its own where it is Functional at heart, else new ones of the shapes it was built for.
    """
    if hasattr(model, "_inputs_struct"):
        return model._inputs_struct
    shapes = list((model._build_shapes_dict or {}).values())
    if not model.built or not shapes or _is_open(shapes[0]):
        return None
    if isinstance(shapes[0], dict):
        return {name: _input(shape, name) for name, shape in shapes[0].items()}
    return keras.tree.map_shape_structure(_input, shapes[0])


def _is_open(shapes: Any) -> bool:
    """Whether an input's shape is unknown, as it is after a call that failed."""
    if isinstance(shapes, dict):
        return None in shapes.values()
    several = isinstance(shapes, list | tuple) and any(isinstance(s, list | tuple) for s in shapes)
    return None in shapes if several else shapes is None


def _input(shape: Sequence[int | None], name: str | None = None) -> keras.KerasTensor:
    return keras.Input(tuple(shape)[1:], dtype=keras.config.floatx(), name=name)


def calls_between(inputs: Iterable[Any], outputs: Iterable[keras.KerasTensor]) -> tuple[Call, ...]:
    """The calls that make `outputs` of `inputs`, producers before consumers.

    Raises:
        Unsupported: an output is no symbolic tensor, or depends on one that is not among `inputs`.
    """
    known = {id(tensor) for tensor in inputs}
    calls: list[Call] = []
    pending = list(outputs)[::-1]
    while pending:
        if id(pending[-1]) in known:
            pending.pop()
            continue
        node = _node(pending[-1])
        missing = [tensor for tensor in node.input_tensors if id(tensor) not in known]
        pending += reversed(missing)
        if not missing:
            calls.append(_call(node))
            known.update(map(id, node.outputs))
    return tuple(calls)


def has_mask(tensor: Any) -> bool:
    """Whether a mask travels with a tensor."""
    return getattr(tensor, "_keras_mask", None) is not None


def same_mask(one: Any, other: Any) -> bool:
    """Whether the same mask travels with two tensors, or none with either."""
    masks = (getattr(tensor, "_keras_mask", None) for tensor in (one, other))
    return next(masks) is next(masks)


def source_name(tensor: keras.KerasTensor) -> str:
    """The name of the input or operation that makes a tensor; the tensor's own may be another."""
    return tensor._keras_history.operation.name


def readers(tensor: keras.KerasTensor) -> Iterator[keras.Operation]:
    """The operations that read a symbolic tensor, also through others that have no weights."""
    pending, seen = [tensor], {id(tensor)}
    while pending:
        tensor = pending.pop()
        for node in tensor._keras_history.operation._outbound_nodes:
            if not any(given is tensor for given in node.input_tensors):
                continue
            reader, passed = node.operation, list(node.outputs)
            if is_model(reader):
                inner = functional_trace(reader)
                pairs = zip(_call(node).nested_inputs(inner), inner.flat_inputs, strict=True)
                passed = [inside for outside, inside in pairs if outside is tensor]
            else:
                yield reader
                if getattr(reader, "weights", None):
                    continue
            pending += [new for new in passed if id(new) not in seen]
            seen.update(map(id, passed))


def remade(operation: keras.Operation, config: dict[str, Any]) -> Any:
    """An operation of the same kind from a config. A Lambda goes on with its function."""
    if type(operation) is keras.layers.Lambda:
        own = {key: config[key] for key in ("name", "trainable", "dtype")}
        shape, mask = operation._output_shape, operation.mask
        return keras.layers.Lambda(operation.function, shape, mask, operation.arguments, **own)
    return type(operation).from_config(config)


def sublayers(operation: keras.Operation) -> list[keras.Operation]:
    """An operation and the layers it owns, whatever their depth, in the order they were made."""
    if not isinstance(operation, keras.Layer):
        return [operation]
    return list(operation._flatten_layers(include_self=True, recursive=True))


def own_stores(layer: Any) -> list[list[Any]]:
    """The lists in which a layer keeps its weights and layers, beside its attributes."""
    return [store for _, store in layer._tracker.config.values()]


Run = Callable[..., Any]
"""How a call is carried out: `(operation, *args, **kwargs) -> outputs`."""


def execute(
    calls: Iterable[Call],
    values: Mapping[int, Any],
    run: Run = lambda operation, *args, **kwargs: operation(*args, **kwargs),
) -> dict[int, Any]:
    """Runs calls on real tensors.

    Args:
        calls: the calls to run, in topological order.
        values: a tensor for every symbolic tensor the calls need from outside, by `id`.
        run: how a call is carried out; default: the operation is called.

    Returns:
        `values` and the outputs of the calls.
    """
    values = dict(values)
    for call in calls:
        args, kwargs = call.arguments(values)
        results = keras.tree.flatten(run(call.operation, *args, **kwargs))
        values.update(zip(map(id, call.outputs), results, strict=True))
    return values


def in_inference(operation: keras.Operation, *args: Any, **kwargs: Any) -> Any:
    """Carries out a call of a trial: not as in training, which some layers take for the default."""
    if isinstance(operation, keras.Layer):
        kwargs = kwargs | {"training": False}
    return operation(*args, **kwargs)


def _node(tensor: Any) -> Any:
    """The node that made a symbolic tensor."""
    if not isinstance(tensor, keras.KerasTensor):
        raise Unsupported(f"it returns a {type(tensor).__name__}, no tensor of the graph")
    operation, index, _ = tensor._keras_history
    node = operation._inbound_nodes[index]
    if node.is_input:
        raise Unsupported("it depends on a tensor from elsewhere")
    return node


def _call(node: Any) -> Call:
    inputs, outputs = tuple(node.input_tensors), tuple(node.outputs)
    return Call(node.operation, node.operation.name, inputs, outputs, node)


def _calls(function: Any) -> Iterator[Call]:
    """The calls of a graph, deepest (nearest the inputs) first."""
    for depth in sorted(function._nodes_by_depth, reverse=True):
        for node in function._nodes_by_depth[depth]:
            if not node.is_input:
                yield _call(node)
