"""A Keras model as a list of calls: the only file that touches Keras' private attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from keras_prune.errors import ModelError


@dataclass(frozen=True, eq=False)
class Call:
    """One call of one operation. A layer that is called twice makes two calls.

    Args:
        operation: the layer or op.
        inputs: the symbolic tensors it was called with, flat.
        outputs: the symbolic tensors it returned, flat.
    """

    operation: keras.Operation
    inputs: tuple[keras.KerasTensor, ...]
    outputs: tuple[keras.KerasTensor, ...]
    _node: Any

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.operation.name

    @property
    def constants(self) -> list[Any]:
        """The arguments of the call that are not symbolic tensors, flat."""
        arguments = keras.tree.flatten((self._node.arguments.args, self._node.arguments.kwargs))
        return [value for value in arguments if not isinstance(value, keras.KerasTensor)]

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
    """The calls of one Functional or Sequential model, in topological order.

    Args:
        model: the traced model.
        calls: every call, producers before consumers; a nested model is one call.
        inputs: the model's symbolic inputs in the structure the model was built with.
        outputs: likewise its outputs.
    """

    model: keras.Model
    calls: tuple[Call, ...]
    inputs: Any
    outputs: Any

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


def trace(model: keras.Model) -> Trace:
    """Lists the calls of a Functional or built Sequential model.

    Args:
        model: the model; it is not changed.

    Raises:
        ModelError: the model is neither, or was not built yet.

    Example:

    >>> inputs = keras.Input((4,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2, name="head")(inputs))
    >>> [call.name for call in trace(model).calls]
    ['head']
    """
    function = _function(model)
    return Trace(model, tuple(_calls(function)), function._inputs_struct, function._outputs_struct)


def source_name(tensor: keras.KerasTensor) -> str:
    """The name of the input or operation that makes a tensor; the tensor's own may be another."""
    return tensor._keras_history.operation.name


def remade(operation: keras.Operation, config: dict[str, Any]) -> Any:
    """An operation of the same kind from a config. A Lambda goes on with its function."""
    if type(operation) is keras.layers.Lambda:
        own = {key: config[key] for key in ("name", "trainable", "dtype")}
        shape, mask = operation._output_shape, operation.mask
        return keras.layers.Lambda(operation.function, shape, mask, operation.arguments, **own)
    return type(operation).from_config(config)


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


def _function(model: Any) -> Any:
    """The object that holds a model's graph."""
    if not isinstance(model, keras.Model):
        raise ModelError(f"Expected a Keras model. Received: {type(model).__name__}.")
    function = getattr(model, "_functional", None) if _is_sequential(model) else model
    if function is None:
        raise ModelError(
            f"Sequential model {model.name!r} has no graph yet. "
            "Build it first: model.build(input_shape), or start it with keras.Input."
        )
    if not is_model(model):
        raise ModelError(
            f"Expected a Functional or Sequential model. Received: {model.name!r} of class "
            f"{type(model).__name__}, which has a call of its own. Rebuild it with the functional "
            "API: keras.Model(inputs, outputs)."
        )
    return function


def _is_sequential(model: Any) -> bool:
    return isinstance(model, keras.Sequential)


def _calls(function: Any) -> Iterator[Call]:
    """The calls of a graph, deepest (nearest the inputs) first."""
    for depth in sorted(function._nodes_by_depth, reverse=True):
        for node in function._nodes_by_depth[depth]:
            if not node.is_input:
                inputs, outputs = tuple(node.input_tensors), tuple(node.outputs)
                yield Call(node.operation, inputs, outputs, node)
