"""Importing the rooms that do the work, late and without the greetings of their libraries."""

import logging
from importlib import import_module
from typing import Any

from keras_prune.utils.quiet import quiet_descriptors


def room(name: str, *, start: bool = True) -> Any:
    """A module of the package, for example `"methods.filter_agent"`.

    Args:
        name: the module.
        start: whether to start TensorFlow's runtime, too; default True.
    """
    with quiet_descriptors():
        found = import_module(f"keras_prune.{name}")
        if start:
            import_module("tensorflow").config.list_logical_devices()
    for logger in ("absl", "tensorflow"):  # what they advise later
        logging.getLogger(logger).setLevel(logging.ERROR)
    return found
