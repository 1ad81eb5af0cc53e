"""What is written of a model, and what the file must agree with."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import keras


@dataclass(frozen=True)
class Deployed:
    """What a file of some format is made of.

    Args:
        written: the model that is written.
        expected: the model that the file is compared with; its outputs of type int32 are decisions.
        batch_size: the only one that it can be written for; default any.
        tried: batch sizes that a file which takes any is tried with.
    """

    written: keras.Model
    expected: keras.Model
    batch_size: int | None = None
    tried: tuple[int, ...] = (32,)


@runtime_checkable
class Deployable(Protocol):
    """A model that is written in another form than it has."""

    def deployed(self, format: str) -> Deployed:
        """What a file of a format, for example `"tflite"`, is made of."""


def deployed(model: keras.Model, format: str) -> Deployed:
    """What a file of a format is made of: the model itself unless it says otherwise."""
    return model.deployed(format) if isinstance(model, Deployable) else Deployed(model, model)
