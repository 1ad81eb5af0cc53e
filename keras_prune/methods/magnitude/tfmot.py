"""TensorFlow Model Optimization: the only file that imports it.

Importing it sets `TF_USE_LEGACY_KERAS`, upon which `tf.keras` would become tf_keras for the rest of
the process. Both are undone here.
"""

import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from types import ModuleType
from typing import Any

import tensorflow as tf

from keras_prune.methods.magnitude.pattern import Pattern
from keras_prune.methods.magnitude.schedules import Schedule

_ROOM = "tensorflow_model_optimization.python.core.sparsity.keras"
_SWITCH = "TF_USE_LEGACY_KERAS"

Triple = tuple[tf.Variable, tf.Variable, tf.Variable]
"""A weight, its mask and the threshold the mask came from."""


def engine(
    triples: Sequence[Triple], step: tf.Variable, schedule: Schedule, pattern: Pattern
) -> Any:
    """TFMOT's mask engine on variables of ours.

    Args:
        triples: what is pruned.
        step: the training step, from 1; the caller advances it.
        schedule: when and how many.
        pattern: which weights stay or leave together.

    Returns:
        A `pruning_impl.Pruning`.
    """
    return _module("pruning_impl").Pruning(
        training_step_fn=lambda: step,
        pruning_vars=list(triples),
        pruning_schedule=native(schedule),
        block_size=pattern.block_size,
        block_pooling_type=pattern.block_pooling,
        sparsity_m_by_n=pattern.m_by_n,
    )


def native(schedule: Schedule) -> Any:
    """TFMOT's own object for a schedule: `step -> (prune now?, sparsity)`."""
    return getattr(_module("pruning_schedule"), type(schedule).__name__)(**asdict(schedule))


def _module(name: str) -> ModuleType:
    before = os.environ.get(_SWITCH)
    tf.keras.__name__  # noqa: B018 - `tf.keras` chooses its Keras on first use: now, not below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses distutils
            return import_module(f"{_ROOM}.{name}")
    finally:
        os.environ.pop(_SWITCH, None)
        if before is not None:
            os.environ[_SWITCH] = before
