"""Arrays of examples that are looked through for numbers that are none."""

from typing import Any

import keras
import numpy as np

from keras_prune.errors import DataError


def check_finite(arrays: Any, what: str) -> None:
    """Looks through whole arrays.

    Args:
        arrays: NumPy arrays `(examples, ...)` in any structure.
        what: what the message calls them.

    Raises:
        DataError: one holds NaN or infinity.
    """
    for array in keras.tree.flatten(arrays):
        if array.dtype.kind != "f" or _has_finite_sum(array):
            continue
        wrong = ~np.isfinite(array.reshape(len(array), -1)).all(axis=1)
        if wrong.any():  # the sum may be too large alone
            raise DataError(
                f"{what} hold values that are NaN or infinite, in an array of shape "
                f"{array.shape}: in {np.count_nonzero(wrong)} examples, the first of them number "
                f"{wrong.argmax()} (from 0). Remove these examples, or mend them."
            )


def _has_finite_sum(array: np.ndarray) -> bool:
    """A look that takes no memory."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum(dtype="float64")))
