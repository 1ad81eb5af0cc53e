"""A trial run of a rebuilt model: is every example still an example?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from keras_prune.errors import ModelError
from keras_prune.graph import Call, Trace, execute
from keras_prune.graph.proving import sample
from keras_prune.graph.trace import calls_between


def check_rebuilt(original: Trace, tensors: Mapping[int, keras.KerasTensor]) -> None:
    """Runs the original and the rebuilt calls on two examples, and compares the batch sizes.

    A reshape with -1 may take the channels of two examples for those of one. The shapes of all
    other calls were checked as they were rebuilt, so a model without such an op is not run.

    Args:
        original: the trace that was replayed.
        tensors: the new symbolic tensor of every old one, by `id`.

    Raises:
        ModelError: they differ; the message names the call.
    """
    if not any(hasattr(call.operation, "newshape") for call in original.calls):
        return
    inputs = {id(tensor): sample(tensor) for tensor in original.flat_inputs}
    try:
        before = execute(original.calls, inputs)
    except Exception:  # an input of unknown size, and the sample's is none the model can take
        return
    after = _rebuilt_values(original, tensors, inputs)
    for call in original.calls:
        for old in call.outputs:
            new = tensors[id(old)]
            if id(new) in after and after[id(new)].shape[0] != before[id(old)].shape[0]:
                raise ModelError(
                    f"The rebuilt {call.name!r} makes a batch of {after[id(new)].shape[0]} of two "
                    f"examples. Expected: {before[id(old)].shape[0]}. Write its target shape "
                    "without the number of channels, or keep the channels in front of it."
                )


def _rebuilt_values(
    original: Trace, tensors: Mapping[int, keras.KerasTensor], inputs: Mapping[int, Any]
) -> dict[int, Any]:
    """What the rebuilt calls compute, by `id` of the new tensor."""
    values = {id(tensors[old]): value for old, value in inputs.items()}
    calls = calls_between(
        [tensors[id(tensor)] for tensor in original.flat_inputs],
        [tensors[id(tensor)] for tensor in original.flat_outputs],
    )
    for call in calls:
        values = _run(call, values)
    return values


def _run(call: Call, values: Mapping[int, Any]) -> dict[int, Any]:
    try:
        return execute([call], values)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"The rebuilt {call.name!r} fails on two examples: {reason}") from error
