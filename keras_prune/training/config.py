"""How a network is trained, as plain data; a TOML file mirrors it."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from keras_prune.errors import ConfigError, unknown
from keras_prune.utils.arguments import expect_seed
from keras_prune.utils.config import expect

Precision = Literal["float32", "mixed_bfloat16"]

SCHEDULES = ("constant", "cosine", "one_cycle")
OPTIMIZERS = ("adamw", "sgd")

_MOST_EPOCHS = 10**6


@dataclass(frozen=True)
class TrainingConfig:
    """One training, with a learning-rate schedule over its exact number of steps.

    Args:
        epochs: how often the validation split is looked at; with `steps_per_epoch` also how
            long an epoch is repeated.
        learning_rate: the highest learning rate of the schedule.
        steps_per_epoch: batches in an epoch; default one pass over the training split.
        schedule: `"one_cycle"` climbs linearly for the first part and falls along a cosine,
            `"cosine"` only falls, `"constant"` stays; default `"one_cycle"`.
        optimizer: `"sgd"` (with Nesterov momentum) or `"adamw"`; default `"sgd"`.
        momentum: of SGD, in [0, 1), default 0.9.
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
    optimizer: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 0.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        expect(self, 1 <= self.epochs <= _MOST_EPOCHS, "epochs", "at least 1, at most a million")
        expect(self, 0 < self.learning_rate < inf, "learning_rate", "a positive finite number")
        steps = self.steps_per_epoch
        expect(self, steps is None or steps >= 1, "steps_per_epoch", "at least 1, or none")
        expect(self, 0 <= self.momentum < 1, "momentum", "a number in [0, 1)")
        expect(self, 0 <= self.weight_decay < inf, "weight_decay", "0 or more, and finite")
        expect(self, 0 <= self.label_smoothing < 1, "label_smoothing", "a number in [0, 1)")
        if self.schedule not in SCHEDULES:
            raise ConfigError(unknown("schedule", self.schedule, SCHEDULES))
        if self.optimizer not in OPTIMIZERS:
            raise ConfigError(unknown("optimizer", self.optimizer, OPTIMIZERS))


@dataclass(frozen=True)
class SparseTrainingConfig(TrainingConfig):
    """A training of the whole network before the first cut, which presses channels to zero.

    Args:
        kind: `"group_lasso"` presses the small channels of each group harder, `"bn_scale"` the
            scales of BatchNormalization, `"growing"` all channels, more and more.
        strength: how hard channels are pressed over the whole training, whatever its steps and
            learning rate. If the loss did not hold them, weights would shrink by the factor
            `exp(-strength)` (of `"group_lasso"` those of the largest channel, those of the
            smallest 16 times in the exponent), and scales of `"bn_scale"` would fall by it. By
            default 0.2, and 1 for `"growing"`.

    The other keys are those of a `TrainingConfig`; by default 5 epochs at 0.01.

    Raises:
        ConfigError: a value is out of its range or a name unknown.

    Example:

    >>> SparseTrainingConfig(kind="bn_scale", strength=0.1).epochs
    5
    """

    epochs: int = 5
    learning_rate: float = 0.01
    kind: Literal["group_lasso", "bn_scale", "growing"] = "group_lasso"
    strength: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(self, self.strength is None or self.strength > 0, "strength", "above 0")

    @property
    def total(self) -> float:
        """The strength, also where it is not given."""
        if self.strength is not None:
            return self.strength
        return 1.0 if self.kind == "growing" else 0.2


@dataclass(frozen=True)
class DistillationConfig:
    """How much a student listens to its teacher (Hinton, Vinyals, Dean; 2015).

    `loss = alpha * T^2 * KL(softmax(teacher / T) || softmax(student / T))
    + (1 - alpha) * cross-entropy`

    Args:
        temperature: T, a positive number; higher shows more of what the teacher thinks of the
            wrong classes. Default 4.
        alpha: the teacher's weight, in [0, 1]; the labels have the rest. Default 0.5.

    Raises:
        ConfigError: a value is out of its range.

    Example:

    >>> DistillationConfig(alpha=0.9)
    DistillationConfig(temperature=4.0, alpha=0.9)
    """

    temperature: float = 4.0
    alpha: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.temperature < inf:
            raise ConfigError(
                f"temperature must be positive and finite. Received: {self.temperature}."
            )
        if not 0 <= self.alpha <= 1:
            raise ConfigError(f"alpha must be in [0, 1]. Received: {self.alpha}.")


@dataclass(frozen=True)
class CommonConfig:
    """What every stage shares.

    Args:
        model: a network of the zoo, or where a command takes one a `.keras` file.
        dataset: a data set, as `data.load` takes it.
        batch_size: training images in a batch.
        seed: of training, sampling and the order of the data.
        precision: `"float32"` or `"mixed_bfloat16"`, for trainings and rollouts.
        deterministic: whether what several threads compute is done in a fixed order, so that the
            same seed gives the same weights to the bit; some networks take longer then.
        augment: whether training images are shifted (and flipped where that suits the data).
        rescale: what pixel values 0-255 are multiplied by, for a network trained on others, for
            example 1/255.
        weights: a trained `.keras` file, instead of training a baseline.
        directory: where the run is written; default a new run directory.
    """

    model: str = "vgg16"
    dataset: str = "cifar10"
    batch_size: int = 128
    seed: int = 0
    precision: Precision = "float32"
    deterministic: bool = False
    augment: bool = True
    rescale: float = 1.0
    weights: str | None = None
    directory: str | None = None

    def __post_init__(self) -> None:
        expect_seed(self.seed)


@dataclass(frozen=True)
class TrainRecipe:
    """One training from the data to the report.

    Args:
        common: what every stage shares.
        train: how to train.
        method: `"train"`, which tells such a file from that of a pruning method.
    """

    common: CommonConfig
    train: TrainingConfig
    method: Literal["train"] = "train"
