"""What a run of training or pruning shares with every other; a TOML file mirrors it."""

from dataclasses import dataclass
from typing import Literal

from keras_prune.training.config import TrainingConfig


@dataclass(frozen=True)
class CommonConfig:
    """What every stage shares.

    Args:
        model: a network of the zoo, or where a command takes one a `.keras` file.
        dataset: a data set, as `data.load` takes it.
        batch_size: training images in a batch.
        seed: of training, sampling and the order of the data.
        precision: `"float32"` or `"mixed_bfloat16"`, for trainings and rollouts.
        augment: whether training images are shifted (and flipped where that suits the data).
    """

    model: str = "vgg16"
    dataset: str = "cifar10"
    batch_size: int = 128
    seed: int = 0
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    augment: bool = True


@dataclass(frozen=True)
class TrainRecipe:
    """One training from the data to the report.

    Args:
        common: what every stage shares.
        train: how to train.
    """

    common: CommonConfig
    train: TrainingConfig
