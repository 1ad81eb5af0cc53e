"""The calls of a model with its nested models opened, at the shapes they really see."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import keras

from keras_prune.errors import ModelError
from keras_prune.graph.blocks import Shortcuts, pass_by
from keras_prune.graph.calls import Call, Trace, is_model
from keras_prune.graph.rows import Placed, batch_of, most, placed
from keras_prune.graph.tracing import trace


class LocatedCall(NamedTuple):
    """A call and where it is.

    Args:
        path: the nested models around it and its own name, joined by `/`.
        call: the call, with inputs and outputs of the shapes they have there, and as many rows.
        traced: the call as the nested model was built with; its tensors are those that have labels.
    """

    path: str
    call: Call
    traced: Call


def opened(
    traced: Trace,
    nested: Mapping[int, Trace] | None = None,
    inputs: Sequence[keras.KerasTensor] | None = None,
    leaving: Shortcuts = MappingProxyType({}),
) -> Iterator[LocatedCall]:
    """Every call of a model and of the models nested in it, producers before consumers.

    A nested model may have been built for another or an unknown size, and may be called at several:
    its calls come once for each call of it, with inputs and outputs of the shapes they have there.

    Args:
        traced: the traced model.
        nested: traces of the models nested in it, by `id` of the model; default: they are traced.
        inputs: what the model is called with; default: its own inputs.
        leaving: calls that are left out.

    Raises:
        ModelError: the model holds a tensor of unknown length.

    Example:

    >>> block = keras.Sequential([keras.Input((None, 3)), keras.layers.Dense(2, name="dense")],
    ...                          name="block")
    >>> inputs = keras.Input((5, 3))
    >>> model = keras.Model(inputs, block(inputs))
    >>> [(path, call.outputs[0].shape) for path, call, _ in opened(trace(model))]
    [('block/dense', (None, 5, 2))]
    """
    inputs = inputs or traced.flat_inputs
    first = [Placed(tensor) for tensor in inputs]
    for located in _open(traced, nested or {}, first, (), leaving, batch_of(inputs)):
        _require_known(located.call, traced.model)
        yield located


def _open(
    traced: Trace,
    nested: Mapping[int, Trace],
    inputs: Sequence[Placed],
    outside: tuple[str, ...],
    leaving: Shortcuts,
    batch: int | None,
) -> Generator[LocatedCall, None, list[Placed]]:
    """Yields the calls of one model that is called with `inputs`; returns what it then makes."""
    known = dict(zip(map(id, traced.flat_inputs), inputs, strict=True))
    for call in traced.calls:
        if id(call) in leaving:
            pass_by(call, leaving, known)
            continue
        path = (*outside, call.name)
        given = [known[id(tensor)] for tensor in call.inputs]
        if is_model(call.operation):
            inner = nested.get(id(call.operation)) or trace(call.operation)
            made = yield from _open(inner, nested, given, path, leaving, batch)
        else:
            made = placed(call, given, _outputs(call, given), batch)
            yield LocatedCall("/".join(path), _here(call, given, made), call)
        known.update(zip(map(id, call.outputs), made, strict=True))
    return [known[id(tensor)] for tensor in traced.flat_outputs]


def _here(call: Call, given: Sequence[Placed], made: Sequence[Placed]) -> Call:
    """The call with the tensors and the rows that it has."""
    return replace(
        call,
        inputs=tuple(each.tensor for each in given),
        outputs=tuple(each.tensor for each in made),
        rows=most(made),
    )


def _outputs(call: Call, given: Sequence[Placed]) -> list[keras.KerasTensor]:
    """What a call makes of the tensors it really gets; shapes only, nothing is computed."""
    tensors = {id(built): each.tensor for built, each in zip(call.inputs, given, strict=True)}
    if all(tensors[id(tensor)].shape == tensor.shape for tensor in call.inputs):
        return list(call.outputs)
    args, kwargs = call.arguments(dict(tensors))
    return keras.tree.flatten(call.operation.compute_output_spec(*args, **kwargs))


def _require_known(call: Call, model: keras.Model) -> None:
    for tensor in (*call.inputs, *call.outputs):
        if None in tensor.shape[1:]:
            raise ModelError(
                f"Expected tensors of known size. Received: model {model.name!r} with a tensor of "
                f"shape {tuple(tensor.shape)} at layer {call.name!r}: its work depends on the "
                "input. Call it on an input of one size and use that instead: "
                "inputs = keras.Input(shape); keras.Model(inputs, model(inputs))."
            )
