"""What the configuration of every method holds besides the method itself."""

from typing import Protocol

from keras_prune.training import CommonConfig, DistillationConfig, TrainingConfig


class Recipe(Protocol):
    """A frozen dataclass that says all of a run; the methods add sections of their own."""

    @property
    def common(self) -> CommonConfig:
        """What every stage shares."""

    @property
    def train(self) -> TrainingConfig:
        """The baseline's training, where no weights are given."""

    @property
    def distillation(self) -> DistillationConfig | None:
        """How fine-tunings learn from the unpruned network, too; None: from the labels alone."""
