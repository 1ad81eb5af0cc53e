"""Everything that decides what a run of the filter agent does; a TOML file mirrors it."""

from dataclasses import dataclass, field

from keras_prune.config import expect_counts
from keras_prune.errors import ConfigError
from keras_prune.training import CommonConfig, DistillationConfig, TrainingConfig


@dataclass(frozen=True)
class FilterAgentConfig:
    """The agent and its rewards.

    Args:
        b: tolerated drop of validation accuracy, in percentage points; larger prunes more.
        samples: actions a step (M of the paper).
        max_steps: steps a group at most.
        patience: steps without a better smoothed mean reward after which a group has converged.
        learning_rate: of the policy.
        images: validation images a reward is measured on.
        rounds: how often all groups are visited and the network is fine-tuned; a later round spends
            the accuracy that the fine-tuning before it won.

    Raises:
        ConfigError: a value is out of range.
    """

    b: float = 1.0
    samples: int = 5
    max_steps: int = 40
    patience: int = 10
    learning_rate: float = 0.1
    images: int = 1000
    rounds: int = 1

    def __post_init__(self) -> None:
        if not self.b > 0:
            raise ConfigError(
                f"b, the tolerated accuracy drop in percentage points, must be positive. "
                f"Received: b={self.b}."
            )
        if self.samples < 2:
            raise ConfigError(f"samples must be at least 2. Received: samples={self.samples}.")
        if not self.learning_rate > 0:
            raise ConfigError(f"learning_rate must be positive. Received: {self.learning_rate}.")
        expect_counts(self, "max_steps", "patience", "images", "rounds")


@dataclass(frozen=True)
class FilterAgentRecipe:
    """One run from the data to the report.

    Args:
        common: what every stage shares.
        train: the baseline's training, where no weights are given.
        prune: the agent.
        recovery: the short fine-tuning after each group.
        finetune: the fine-tuning at the end of each round.
        distillation: both learn from the unpruned network, too; default: from the labels alone.
    """

    common: CommonConfig
    train: TrainingConfig
    recovery: TrainingConfig
    finetune: TrainingConfig
    prune: FilterAgentConfig = field(default_factory=FilterAgentConfig)
    distillation: DistillationConfig | None = None
