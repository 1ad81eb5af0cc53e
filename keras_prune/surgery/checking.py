"""A trial run of a rebuilt model: is every example still an example?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras

from keras_prune.errors import ModelError
from keras_prune.graph import Call, Trace, execute
from keras_prune.graph.calls import calls_between, in_inference
from keras_prune.graph.proving import equal
from keras_prune.graph.samples import sample
from keras_prune.utils.reasons import reason

_EXAMPLES = 2
_BY_ELEMENT = ("Add", "Multiply", "Subtract", "Relu", "Relu6", "Sigmoid", "HardSigmoid", "Silu")
"""Ops of Keras, whose classes have no public names."""

Shape = tuple[int, ...]


def needs_trial(calls: Sequence[Call]) -> bool:
    """Whether any call may mix examples: not Keras' own layers, nor its ops that go by element."""
    return not all(map(_keeps_apart, (call.operation for call in calls)))


def _keeps_apart(operation: keras.Operation) -> bool:
    kind = type(operation)
    if isinstance(operation, keras.Layer):
        anything = keras.Model | keras.layers.Lambda | keras.layers.Wrapper | keras.layers.RNN
        own = getattr(keras.layers, kind.__name__, None) is kind
        return own and not isinstance(operation, anything)
    return kind.__name__ in _BY_ELEMENT and kind.__module__.startswith("keras.")


def check_rebuilt(original: Trace, tensors: Mapping[int, keras.KerasTensor]) -> None:
    """Runs the rebuilt calls on two examples, and compares the shapes with the original's.

    The shapes of single examples were checked as the calls were rebuilt. What only a run shows is
    that examples stay apart: a reshape with -1 may take the channels of two of them for one.

    Args:
        original: the trace that was replayed.
        tensors: the new symbolic tensor of every old one, by `id`.

    Raises:
        ModelError: a call fails, or makes of two examples another number than the original's; the
            message names it.
    """
    inputs, rebuilt, given = _trial(original, tensors)
    after = _run(rebuilt, given)
    if after.failure is None and all(_apart(after.shapes, call) for call in rebuilt):
        return
    before = _run(original.calls, inputs)
    if before.failure is not None:  # of unknown size, and the sample's is none the model can take
        return
    if after.failure is not None:
        raise ModelError(f"The rebuilt {after.failure}")
    for call in original.calls:
        for old in (tensor for tensor in call.outputs if id(tensor) in tensors):
            _compare(call, before.shapes[id(old)], after.shapes.get(id(tensors[id(old)])))


def check_same(original: Trace, tensors: Mapping[int, keras.KerasTensor]) -> None:
    """Runs a model that was rebuilt whole beside the original, on two examples.

    What a config leaves out does not show in shapes: another function of the same name, a number
    that goes back to its default.

    Args:
        original: the trace that was replayed.
        tensors: the new symbolic tensor of every old one, by `id`.

    Raises:
        ModelError: values differ; the message names the first call whose do.
    """
    inputs, rebuilt, given = _trial(original, tensors)
    with keras.StatelessScope():
        try:
            before, again = (execute(original.calls, inputs, in_inference) for _ in range(2))
        except Exception:  # of unknown size, and the sample's is none the model can take
            return
        after = execute(rebuilt, given, in_inference)
    for call in original.calls:
        for old in call.outputs:
            value, new = before[id(old)], after[id(tensors[id(old)])]
            if not equal(new, value) and equal(again[id(old)], value):
                # It goes on with the statistics of its last `finalize_state`, whatever was
                # assigned since; the rebuilt one has those that are there, and so would a file.
                if isinstance(call.operation, keras.layers.Normalization):
                    return
                raise ModelError(
                    f"Layer {call.name!r} was rebuilt from its get_config, and computes something "
                    "else. Let get_config return all that __init__ takes."
                )


def _trial(
    original: Trace, tensors: Mapping[int, keras.KerasTensor]
) -> tuple[dict[int, Any], tuple[Call, ...], dict[int, Any]]:
    """Two examples of the original's inputs, the rebuilt calls, and these examples as theirs."""
    inputs = {id(tensor): sample(tensor) for tensor in original.flat_inputs}
    rebuilt = calls_between(
        [tensors[id(tensor)] for tensor in original.flat_inputs],
        [tensors[id(tensor)] for tensor in original.flat_outputs],
    )
    return inputs, rebuilt, {id(tensors[old]): value for old, value in inputs.items()}


class _Run(NamedTuple):
    """The shapes of what calls computed, by `id` of the tensor, up to the first that failed."""

    shapes: dict[int, Shape]
    failure: str | None = None


def _run(calls: Sequence[Call], values: Mapping[int, Any]) -> _Run:
    """Runs calls without a trace in the layers' state, each value only as long as it is needed."""
    shapes: dict[int, Shape] = {}
    last = {id(tensor): number for number, call in enumerate(calls) for tensor in call.inputs}
    with keras.StatelessScope():
        for number, call in enumerate(calls):
            try:
                values = execute([call], values, in_inference)
            except Exception as error:
                why = reason(error)
                return _Run(shapes, f"{call.name!r} fails on {_EXAMPLES} examples: {why}")
            shapes |= {id(tensor): tuple(values[id(tensor)].shape) for tensor in call.outputs}
            values = {key: value for key, value in values.items() if last.get(key, -1) > number}
    return _Run(shapes)


def _apart(shapes: Mapping[int, Shape], call: Call) -> bool:
    """Whether all that a call returned has the examples in front, as far as its shape is open."""
    return all(
        shapes[id(tensor)][:1] == tuple(_EXAMPLES if n is None else n for n in tensor.shape[:1])
        for tensor in call.outputs
    )


def _compare(call: Call, before: Shape, after: Shape | None) -> None:
    if after is not None and after[:1] != before[:1]:
        raise ModelError(
            f"The rebuilt {call.name!r} makes a batch of {after[0]} of {_EXAMPLES} examples. "
            f"Expected: {before[0]}. Write its target shape without the number of channels, or "
            "keep the channels in front of it."
        )
