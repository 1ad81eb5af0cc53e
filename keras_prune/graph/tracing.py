"""Any model that can be traced as a list of calls."""

from __future__ import annotations

import contextlib
import inspect
from dataclasses import replace
from typing import Any

import keras

from keras_prune.errors import ModelError
from keras_prune.graph.bindings import Unsupported
from keras_prune.graph.calling import call_inside
from keras_prune.graph.calls import (
    Trace,
    calls_between,
    execute,
    functional_trace,
    input_structure,
    is_model,
    readers,
    source_name,
    sublayers,
)
from keras_prune.graph.composites import open_layers
from keras_prune.graph.proving import prove
from keras_prune.graph.remembered import recall, remember
from keras_prune.graph.samples import reads_words


def trace(model: keras.Model) -> Trace:
    """Lists the calls of a model.

    A Functional or Sequential model holds them. A subclassed model is traced: its `call` is run on
    symbolic inputs, and on random ones to see that the calls found compute the same. Layers of the
    user's own that call other layers are opened likewise; where that is not exact, they stay calls.
    The trace of a subclassed model is remembered until the model changes.

    Args:
        model: the model; it is not changed.

    Raises:
        ModelError: the model was not built, or cannot be traced.

    Example:

    >>> inputs = keras.Input((4,))
    >>> model = keras.Model(inputs, keras.layers.Dense(2, name="head")(inputs))
    >>> [call.name for call in trace(model).calls]
    ['head']
    """
    if not isinstance(model, keras.Model):
        raise ModelError(f"Expected a Keras model. Received: {type(model).__name__}.")
    if is_model(model):
        return open_layers(functional_trace(model))
    return recall(model) or remember(open_layers(_subclassed_trace(model), made_anew=True))


def renewed(traced: Trace) -> Trace:
    """The same calls on tensors of their own, where a model is made of those of another one."""
    inputs = keras.tree.map_structure(_another, traced.inputs)
    old_and_new = zip(traced.flat_inputs, keras.tree.flatten(inputs), strict=True)
    values = execute(traced.calls, {id(old): new for old, new in old_and_new})
    outputs = keras.tree.map_structure(lambda tensor: values[id(tensor)], traced.outputs)
    names = {call.operation: call.name for call in traced.calls}
    calls = calls_between(keras.tree.flatten(inputs), keras.tree.flatten(outputs))
    named = tuple(replace(call, name=names[call.operation]) for call in calls)
    return replace(traced, calls=named, inputs=inputs, outputs=outputs)


def _another(tensor: keras.KerasTensor) -> keras.KerasTensor:
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=source_name(tensor))


def _subclassed_trace(model: keras.Model) -> Trace:
    """The calls that the model's own `call` makes."""
    what = f"Model {model.name!r} of class {type(model).__name__}"
    inputs = _with_words(model, _symbolic_inputs(model, what))
    parameters = list(inspect.signature(model.call).parameters.values())
    if any(parameter.default is parameter.empty for parameter in parameters[1:]):
        raise ModelError(
            f"{what} cannot be traced: its call takes more than one argument. "
            "Let it take all its inputs as one list or dict."
        )
    try:
        outputs, calls, _ = prove(model, (inputs,), {})
    except Unsupported as reason:
        raise ModelError(
            f"{what} cannot be traced: {reason}. Let its call use layers and keras.ops only, or "
            "rebuild it with the functional API: keras.Model(inputs, outputs)."
        ) from reason
    return Trace(model, calls, inputs, outputs)


def _with_words(model: keras.Model, inputs: Any) -> Any:
    """The inputs, as strings where a lookup of words reads them.

    A subclassed model remembers of what it was built on the shapes alone.
    """
    if not any(map(reads_words, sublayers(model))):
        return inputs
    with contextlib.suppress(Exception):  # as it fails when it is traced, it is said there
        call_inside(model, (inputs,), {})

    def as_read(tensor: keras.KerasTensor) -> keras.KerasTensor:
        if not any(map(reads_words, readers(tensor))):
            return tensor
        return keras.Input(tensor.shape[1:], dtype="string", name=source_name(tensor))

    return keras.tree.map_structure(as_read, inputs)


def _symbolic_inputs(model: keras.Model, what: str) -> Any:
    """Inputs of the shapes the model was built for, of any batch size."""
    inputs = input_structure(model)
    if inputs is None:
        raise ModelError(
            f"{what} was not built, or its call cannot run on symbolic tensors, so that its input "
            "shape is unknown. Call it on a batch of data first: model(x); let its call use layers "
            "and keras.ops only."
        )
    return inputs
