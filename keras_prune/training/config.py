"""How a network is trained, as plain data."""

from dataclasses import dataclass

from keras_prune.config import expect
from keras_prune.errors import ConfigError, unknown

SCHEDULES = ("constant", "cosine", "one_cycle")


@dataclass(frozen=True)
class TrainingConfig:
    """One training: Nesterov SGD with a learning-rate schedule over its exact number of steps.

    Args:
        epochs: how often the validation split is looked at; with `steps_per_epoch` also how
            long an epoch is repeated.
        learning_rate: the highest learning rate of the schedule.
        steps_per_epoch: batches in an epoch; default one pass over the training split.
        schedule: `"one_cycle"` climbs linearly for the first part and falls along a cosine,
            `"cosine"` only falls, `"constant"` stays; default `"one_cycle"`.
        momentum: of Nesterov SGD, in [0, 1), default 0.9.
        weight_decay: decoupled: a step shrinks kernels by `learning_rate * weight_decay`. A
            penalty λ in the loss corresponds to `λ / (1 - momentum)` here. Default 0.
        label_smoothing: probability mass spread over all classes, in [0, 1), default 0.

    Raises:
        ConfigError: a value is out of its range or a name unknown.

    Example:

    >>> TrainingConfig(epochs=4, learning_rate=0.05, schedule="cosine").momentum
    0.9
    """

    epochs: int
    learning_rate: float
    steps_per_epoch: int | None = None
    schedule: str = "one_cycle"
    momentum: float = 0.9
    weight_decay: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        expect(self, self.epochs >= 1, "epochs", "at least 1")
        expect(self, self.learning_rate > 0, "learning_rate", "a positive number")
        steps = self.steps_per_epoch
        expect(self, steps is None or steps >= 1, "steps_per_epoch", "at least 1, or none")
        expect(self, 0 <= self.momentum < 1, "momentum", "a number in [0, 1)")
        expect(self, self.weight_decay >= 0, "weight_decay", "0 or more")
        expect(self, 0 <= self.label_smoothing < 1, "label_smoothing", "a number in [0, 1)")
        if self.schedule not in SCHEDULES:
            raise ConfigError(unknown("schedule", self.schedule, SCHEDULES))
