"""What the configuration of every method holds besides the method itself."""

from dataclasses import dataclass
from typing import Literal, Protocol

from keras_prune.training import TrainingConfig


@dataclass(frozen=True)
class CommonConfig:
    """What every stage shares.

    Args:
        model: a network of the zoo.
        dataset: a data set's name.
        batch_size: training images in a batch.
        seed: of training, sampling and the order of the data.
        precision: `"float32"` or `"mixed_bfloat16"`, for trainings and rollouts.
    """

    model: str = "vgg16"
    dataset: str = "cifar10"
    batch_size: int = 128
    seed: int = 0
    precision: Literal["float32", "mixed_bfloat16"] = "float32"


class Recipe(Protocol):
    """A frozen dataclass that says all of a run; the methods add sections of their own."""

    @property
    def common(self) -> CommonConfig:
        """What every stage shares."""

    @property
    def train(self) -> TrainingConfig:
        """The baseline's training, where no weights are given."""
