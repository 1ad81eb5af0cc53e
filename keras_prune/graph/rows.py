"""How many rows of the batch one example is, where windows or steps were folded into it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from fractions import Fraction

import keras

from keras_prune.graph.calls import Call

_BATCH = 2  # examples, where any number may come: one could be squeezed out


class Rows:
    """Rows of each tensor of a model, followed from call to call.

    Args:
        inputs: what the model is called with: a row is an example.
    """

    def __init__(self, inputs: Sequence[keras.KerasTensor]) -> None:
        fixed = [tensor.shape[0] for tensor in inputs if tensor.shape and tensor.shape[0]]
        self._is_fixed = bool(fixed)
        self._batch: int = fixed[0] if fixed else _BATCH
        self._rows = {id(tensor): Fraction(1) for tensor in inputs}

    def of(self, tensors: Iterable[keras.KerasTensor]) -> Fraction:
        """The most rows that one example is in some tensors."""
        return max((self._rows[id(tensor)] for tensor in tensors), default=Fraction(1))

    def follow(self, here: Call, traced: Call, outputs: Sequence[keras.KerasTensor]) -> None:
        """Finds the rows of what a call returns.

        Args:
            here: the call, with the inputs that it has.
            traced: the call as it was traced, whose arguments are these.
            outputs: what it returns here.
        """
        made = outputs
        if not _keeps_rows(here.operation):
            given = zip(traced.inputs, map(self._with_rows, here.inputs), strict=True)
            args, kwargs = traced.arguments({id(built): tensor for built, tensor in given})
            with contextlib.suppress(Exception):  # it takes no batch of that size
                made = keras.tree.flatten(here.operation.compute_output_spec(*args, **kwargs))
        most = self.of(here.inputs)
        for tensor, sized in zip(outputs, made, strict=True):
            self._rows[id(tensor)] = self._found(tensor, sized, most)

    def _with_rows(self, tensor: keras.KerasTensor) -> keras.KerasTensor:
        """A tensor of the batch that is tried."""
        if not tensor.shape or tensor.shape[0] is not None:
            return tensor
        size = int(self._rows[id(tensor)] * self._batch)
        return keras.KerasTensor((size, *tensor.shape[1:]), tensor.dtype)

    def _found(
        self, tensor: keras.KerasTensor, sized: keras.KerasTensor, most: Fraction
    ) -> Fraction:
        if not sized.shape or sized.shape[0] is None:
            return most
        of_the_batch = self._is_fixed or tensor.shape[0] is None  # else it is of no example
        return Fraction(sized.shape[0], self._batch if of_the_batch else 1)


def _keeps_rows(operation: keras.Operation) -> bool:
    """Whether an operation is a layer of Keras, which leaves the batch as it is."""
    own = isinstance(operation, keras.Layer) and type(operation).__module__.startswith("keras.")
    return own and not isinstance(operation, keras.layers.Lambda)
