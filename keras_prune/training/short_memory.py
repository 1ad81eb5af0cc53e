"""What does not fit into memory is done in smaller batches, and that is said."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import tensorflow as tf

from keras_prune.errors import ConfigError, ResultWarning

if TYPE_CHECKING:
    from keras_prune.training.task import Task

T = TypeVar("T")


def in_batches_that_fit(
    task: Task,
    split: str,
    act: Callable[[Task], T],
    what: str,
    undo: Callable[[], None] = lambda: None,
) -> T:
    """What a function makes of a task, its batches halved until they fit into memory.

    Args:
        task: the data.
        split: whose batches count.
        act: trains or measures on them; begins anew each time.
        what: what messages call that.
        undo: takes back what `act` has changed before it begins anew; default: nothing.

    Returns:
        What `act` returns.

    Raises:
        ConfigError: batches of one example do not fit either, or batches are the user's own.

    Warns:
        ResultWarning: batches were halved.
    """
    while True:
        try:
            return act(task)
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            smaller = task.halved(split)
            if smaller is None:
                raise ConfigError(
                    f"There is not enough memory for {what}. Give smaller batches, or a smaller "
                    "model."
                ) from error
            task = smaller
            undo()
            warnings.warn(
                f"There is not enough memory for {what}: it begins anew in batches of half the "
                "size. Give a smaller batch_size (--batch-size) to begin with.",
                ResultWarning,
                stacklevel=2,
            )
