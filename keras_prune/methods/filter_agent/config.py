"""Everything that decides what the filter agent does; the section `prune` of a TOML file."""

from dataclasses import dataclass

from keras_prune.utils.config import expect, expect_counts


@dataclass(frozen=True)
class FilterAgentConfig:
    """The agent and its rewards.

    Args:
        b: tolerated drop of the objective on the validation data, in its own units (percentage
            points for accuracies); larger prunes more.
        samples: actions an update (M of the paper).
        max_updates: updates of a group's policy at most.
        patience: updates without a better smoothed mean reward after which a group has converged.
        learning_rate: of the policy.
        reward_images: validation examples a reward is measured on.
        rounds: how often all groups are visited and the network is fine-tuned; a later round spends
            what the fine-tuning before it won.
        recalibration_images: training examples on which the statistics of BatchNormalization are
            estimated anew after each cut; 0: they stay as they are.
        exclude: groups or layers that stay whole; patterns are understood.

    Raises:
        ConfigError: a value is out of range.
    """

    b: float = 1.0
    samples: int = 5
    max_updates: int = 40
    patience: int = 10
    learning_rate: float = 0.1
    reward_images: int = 1000
    rounds: int = 1
    recalibration_images: int = 1000
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expect(self, self.recalibration_images >= 0, "recalibration_images", "0 or more")
        expect(self, self.b > 0, "b", "a positive number, the tolerated drop of the objective")
        expect(self, self.samples >= 2, "samples", "at least 2")
        expect(self, self.learning_rate > 0, "learning_rate", "a positive number")
        expect(self, not isinstance(self.exclude, str), "exclude", "a list of names")
        expect_counts(self, "max_updates", "patience", "reward_images", "rounds")
