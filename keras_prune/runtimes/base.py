"""What all runtimes have in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_prune.errors import KerasPruneError, ModelError
from keras_prune.utils.reasons import is_out_of_memory, reason

_DEFAULT_SIGNATURE = "serving_default"

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Port:
    """One input or output of a model file.

    Args:
        name: as the file calls it.
        shape: with the batch axis; None for a length the file leaves open.
        dtype: of its numbers.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def made_up(port: Port, count: int, chance: np.random.Generator) -> np.ndarray:
    """An input like pixels after scaling; of whole numbers 0 and 1, for they may be indices.

    Args:
        port: the input.
        count: examples, where the batch is open; any other open length is one.
        chance: where the numbers come from.
    """
    shape = [length or (count if axis == 0 else 1) for axis, length in enumerate(port.shape)]
    return chance.uniform(0, 2, shape).astype(port.dtype)


@contextmanager
def attributed(path: str | Path, what: str) -> Iterator[None]:
    """A block in which a library works on a file; whatever it raises becomes a `ModelError`.

    That there is not enough memory becomes a `MemoryError`.

    Args:
        path: the file.
        what: what is done with it, for example `"loaded"`.
    """
    try:
        yield
    except (KerasPruneError, MemoryError):
        raise
    except Exception as error:  # each library raises errors of its own
        why = reason(error, first_line=True)
        if is_out_of_memory(error):
            raise MemoryError(why) from error
        raise ModelError(f"{path} cannot be {what}: {why}") from error


class Runtime(ABC):
    """A model file, loaded and ready to run.

    Args:
        kind: `"keras"`, `"saved_model"`, `"tflite"` or `"onnx"`.
        inputs: in the order in which the arrays of a call are expected.
        outputs: in the order in which a call gives them.
        metadata: what the file says about itself, for example `{"labels": "cat\\ndog"}`.
    """

    kind: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str]

    @abstractmethod
    def __call__(self, arrays: Arrays) -> Arrays:
        """The outputs of a batch, one array `(batch, ...)` per output."""

    def named(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """The arrays of a call by the names of their inputs."""
        return {entry.name: array for entry, array in zip(self.inputs, arrays, strict=True)}


def in_order(names: Iterable[str]) -> list[str]:
    """Output names as their model numbers them.

    Example:

    >>> in_order(["output_10", "output_0", "output_2"])
    ['output_0', 'output_2', 'output_10']
    """
    return sorted(names, key=lambda name: (len(name), name))


def signature_of(path: Path, names: Iterable[str]) -> str:
    """The signature to run: the default one, or the only one.

    Raises:
        ModelError: it cannot be told.
    """
    known = list(names)
    name = known[0] if len(known) == 1 else _DEFAULT_SIGNATURE
    if name not in known:
        raise ModelError(
            f"Expected a signature {_DEFAULT_SIGNATURE!r}, or only one, in {path}. Received: "
            f"{', '.join(known) or 'none'}."
        )
    return name
