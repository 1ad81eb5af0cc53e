"""Where a callback stands among the others of a training."""

from __future__ import annotations

import sys

import keras


def siblings(callback: keras.callbacks.Callback) -> list[keras.callbacks.Callback] | None:
    """The list of callbacks of the training that has just told `callback` something.

    Keras has no way to ask for it, so it is looked up in the calls that led here; None where the
    callback was told by hand.
    """
    frame = sys._getframe(1)
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList) and callback in caller.callbacks:
            return caller.callbacks
        frame = frame.f_back  # type: ignore[assignment]
    return None
