"""Masks that follow a schedule: TFMOT's engine, one step at a time."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_prune.methods.magnitude import tfmot
from keras_prune.methods.magnitude.masks import Masks
from keras_prune.methods.magnitude.pattern import Pattern
from keras_prune.methods.magnitude.schedules import ConstantSparsity, Schedule
from keras_prune.methods.magnitude.selection import Kernel

_ONCE = ConstantSparsity(0.5, begin_step=1, end_step=1, frequency=1)
"""Stands where m-by-n has no schedule: TFMOT chooses its masks at step 1 and never again."""


class ScheduledMasks:
    """Chooses and applies masks, step by step.

    Args:
        kernels: what is pruned.
        schedule: when and how many; None for m-by-n, which is chosen once, at step 1.
        pattern: which weights stay or leave together.

    Attributes:
        masks: the masks.
    """

    def __init__(
        self, kernels: Sequence[Kernel], schedule: Schedule | None, pattern: Pattern
    ) -> None:
        self.masks = Masks(kernels)
        self._schedule = schedule or _ONCE
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False, name="pruning_step")
        self._engine = tfmot.engine(self._triples(), self._step, self._schedule, pattern)
        self.advance = tf.function(self._advance, input_signature=[])

    @property
    def step(self) -> int:
        """How many steps were begun."""
        return int(self._step.numpy())

    def go_on(self, step: int) -> None:
        """Takes the place of a training that has begun so many steps, with its zeros as masks."""
        self._step.assign(step)
        self.masks.assign([weight.numpy() != 0 for weight in self.masks.weights])

    def reached(self) -> float:
        """The sparsity the schedule has asked for by now."""
        found = self.sparsities(self.step)
        return float(found[-1]) if len(found) else 0.0

    def _triples(self) -> list[tfmot.Triple]:
        pairs = zip(self.masks.weights, self.masks.variables, strict=True)
        return [
            (weight, mask, tf.Variable(0, dtype=weight.dtype, trainable=False, name="threshold"))
            for weight, mask in pairs
        ]

    def _advance(self) -> None:
        """Begins a step: chooses masks anew if the schedule says so, and applies them."""
        self._step.assign_add(1)
        self._engine.conditional_mask_update()
        self.masks.mask()

    def sparsities(self, steps: int) -> np.ndarray:
        """The sparsity at each of the first `steps` steps that chooses masks, shape `(n,)`."""
        chooses, wanted = tfmot.native(self._schedule)(tf.range(1, steps + 1, dtype=tf.int64))
        return np.broadcast_to(wanted.numpy(), chooses.shape)[chooses.numpy()]
