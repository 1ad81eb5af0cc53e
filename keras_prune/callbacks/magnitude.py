"""Magnitude pruning inside `model.fit` or a training loop of your own."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import keras

from keras_prune.callbacks.ordering import siblings
from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude.schedules import Schedule
from keras_prune.utils.arguments import expect_single_steps
from keras_prune.utils.backends import require_tensorflow

if TYPE_CHECKING:
    from keras_prune.methods.magnitude.averages import MaskedAverages
    from keras_prune.methods.magnitude.scheduled import ScheduledMasks


class MagnitudePruning(keras.callbacks.Callback):
    """Sets the smallest weights to zero while the model trains, and keeps them there.

    Schedules and masks are TFMOT's, on a Keras 3 model. Masks are chosen at the start of a step,
    from the weights as the optimizer left them, and weights are masked again after every step: no
    optimizer's memory brings a pruned weight back, unless it outgrows others when masks are chosen
    anew. At the end each kernel has `round(size · (1 - sparsity))` weights left, also of weights
    that another callback or the optimizer's averages put back, and in what `ModelCheckpoint`
    writes.

    The schedule counts the steps of the run: with `initial_epoch` and behind `BackupAndRestore` it
    goes on where the run was, a further `fit` with the same callback where that one ended; a new
    callback in a training from its first epoch begins at 0.

    In a loop of your own, call `set_model` and `on_train_begin` once, `on_train_batch_begin` and
    `on_train_batch_end` around every step; or hand a `keras.callbacks.CallbackList` these calls.

    Args:
        schedule: when weights are chosen and how many, from `kp.schedules`; None with `m_by_n`.
        layers: names of the layers to prune; default: every layer with a kernel, also a frozen one,
            whose weights no training makes up for. Biases stay.
        block_size: `(rows, columns)` of blocks of a dense kernel `(inputs, units)` that stay or
            leave together; default `(1, 1)`: single weights.
        block_pooling: `"AVG"` (default) or `"MAX"`: how the magnitudes in a block become one.
        m_by_n: `(m, n)`, for example `(2, 4)`: m of every n consecutive input channels' weights
            are zero, chosen once, at the first step.

    Raises:
        ConfigError: both or neither of `schedule` and `m_by_n` are given, a value is out of its
            range, a layer is unknown, a kernel cannot be divided into such blocks, or (when
            training begins) the schedule never fires in the steps there are.
        ModelError: Keras does not run on TensorFlow, or the model has no kernel.

    Warns:
        UserWarning: the training was too short for the schedule, or ended early; or pruned weights
            were put back at the end.

    Example:

    >>> import numpy as np, keras_prune as kp
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, name="fc")])
    >>> model.compile("adam", "mse")
    >>> schedule = kp.schedules.PolynomialDecay(0.0, 0.75, begin_step=0, end_step=8, frequency=2)
    >>> _ = model.fit(
    ...     np.ones((32, 8)), np.ones((32, 4)), batch_size=4, verbose=0,
    ...     callbacks=[MagnitudePruning(schedule)],
    ... )
    >>> int(np.count_nonzero(model.get_layer("fc").kernel))
    8

    Reference: Zhu and Gupta, "To prune, or not to prune", 2017, section 3.
    """

    def __init__(
        self,
        schedule: Schedule | None = None,
        *,
        layers: Iterable[str] | None = None,
        block_size: tuple[int, int] = (1, 1),
        block_pooling: str = "AVG",
        m_by_n: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        require_tensorflow("Magnitude pruning of single weights")
        if (schedule is None) == (m_by_n is None):
            raise ConfigError(
                "Expected a schedule, or m_by_n, which prunes once at the first step. "
                f"Received: schedule={schedule!r}, m_by_n={m_by_n!r}."
            )
        # Not above: it imports TensorFlow, and other backends shall get the message.
        from keras_prune.methods.magnitude.pattern import Pattern

        self._schedule = schedule
        self._layers = None if layers is None else tuple(layers)
        self._pattern = Pattern(block_size, block_pooling, m_by_n)
        self._scheduled: ScheduledMasks | None = None
        self._averages: MaskedAverages | None = None
        self._alone = True  # whether it is told by hand
        self._begun = False  # whether the masks of the next step are chosen
        self._settled = False  # whether it is known where in the run the training stands
        self._epoch = 0
        self._first = 0  # the schedule's step at which the run began

    @property
    def sparsity(self) -> float:
        """Fraction of the pruned layers' kernel weights that are masked now."""
        return self._scheduled.masks.sparsity if self._scheduled else 0.0

    def on_train_begin(self, logs: Any = None) -> None:
        expect_single_steps(self.model, "MagnitudePruning")
        self._begun = self._settled = False
        self._epoch = 0
        self._prepare()
        self._stand_first_and_last()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if not self._settled:
            self._settle(batch)
        if not self._begun:
            self._masks.advance()
            self._begun = True

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        # Like TFMOT, which masks the weights at an epoch's end before it may choose anew.
        if batch + 1 == self._planned("steps"):
            self._masks.masks.apply()
            self._begun = False
        else:
            self._masks.advance()
        self._mask_averages()

    def on_train_end(self, logs: Any = None) -> None:
        if not self._planned("steps"):  # it could not be told before
            self._check_firing(self._masks.step)
        else:
            self._check_early_end(self._planned("steps"), self._planned("epochs"))
        if self._alone:
            self.mask_at_last()

    def _mask_averages(self) -> None:
        if self._averages is not None:
            self._averages.apply()

    def _settle(self, batch: int) -> None:
        """Finds the schedule's place, now that other callbacks have restored what they restore."""
        self._settled = True
        steps, epochs = self._planned("steps"), self._planned("epochs")
        run = self._epoch * (steps or 0) + batch
        if self._epoch and not steps:
            run = int(self.model.optimizer.iterations.numpy())
        if not run:
            self._first = self._masks.step
        elif self._first + run != self._masks.step:
            self._masks.go_on(self._first + run)
        if steps and epochs:  # counted from the run's beginning, as `run` is
            self._check_firing(self._first + steps * epochs)

    def _stand_first_and_last(self) -> None:
        """Masks weights before other callbacks see them, and once more behind all of them."""
        told = siblings(self)
        self._alone = told is None
        if told is None:
            return
        told.remove(self)
        told.insert(0, self)
        last = _Last(self)
        last.set_model(self.model)
        told.append(last)

    def mask_at_last(self) -> None:
        """Masks what others have put back."""
        back = self._masks.masks.put_back()
        self._masks.masks.apply()
        if back:
            warnings.warn(
                f"{back:,} pruned weights were put back at the end of the training, by the "
                "optimizer or by another callback, and are zero again. What was measured in the "
                "training may be of other weights: evaluate the model.",
                stacklevel=2,
            )

    @property
    def _masks(self) -> ScheduledMasks:
        if self._scheduled is None:
            raise ConfigError("Call set_model and on_train_begin before the first step.")
        return self._scheduled

    def _planned(self, count: str) -> int | None:
        return (self.params or {}).get(count)

    def _prepare(self) -> None:
        """Makes the masks, unless those of an earlier training of this model go on."""
        from keras_prune.methods.magnitude.averages import MaskedAverages
        from keras_prune.methods.magnitude.scheduled import ScheduledMasks
        from keras_prune.methods.magnitude.selection import kernels

        found = kernels(self.model, self._layers)
        if self._scheduled is None or not self._scheduled.masks.cover(found):
            self._pattern.check(found)
            self._scheduled = ScheduledMasks(found, self._schedule, self._pattern)
        optimizer = getattr(self.model, "optimizer", None)
        if optimizer is not None and not optimizer.built:  # else its averages come too late
            optimizer.build(self.model.trainable_variables)
        self._averages = MaskedAverages(self._scheduled.masks, optimizer)

    def _check_firing(self, steps: int) -> None:
        """Refuses a schedule that does nothing up to a step, and warns of one that stops short."""
        if self._schedule is None:
            return
        sparsities = self._masks.sparsities(steps)
        if not len(sparsities):
            raise ConfigError(
                f"The schedule never fires in the {steps} steps of this training: {self._schedule}."
                " Lower begin_step or frequency, or train longer."
            )
        if sparsities[-1] < self._schedule.goal - 1e-6:
            warnings.warn(
                f"After {steps} steps the sparsity will be {sparsities[-1]:.4f}, not "
                f"{self._schedule.goal}: let end_step - begin_step be a multiple of frequency, and "
                f"end_step at most {steps}.",
                stacklevel=2,
            )

    def _check_early_end(self, steps: int | None, epochs: int | None) -> None:
        """Warns where a training has ended before the schedule reached its goal."""
        ended = self._masks.step
        if self._schedule is None or ended >= self._first + (steps or 0) * (epochs or 0):
            return
        reached = self._masks.reached()
        if reached < self._schedule.goal - 1e-6:
            warnings.warn(
                f"The training ended after {ended} steps at a sparsity of {reached:.4f}, not "
                f"{self._schedule.goal}. Train on with this callback, or let the schedule end "
                "earlier.",
                stacklevel=2,
            )


class _Last(keras.callbacks.Callback):
    """Stands behind all callbacks of a training, and masks what they leave."""

    def __init__(self, of: MagnitudePruning) -> None:
        super().__init__()
        self.of = of

    def on_train_end(self, logs: Any = None) -> None:
        self.of.mask_at_last()
