"""What decides a run of RL-Pruner; the section `prune` of a TOML file mirrors it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from keras_prune.criteria.names import CriterionName
from keras_prune.utils.config import expect, expect_counts, expect_one_budget

if TYPE_CHECKING:
    from keras_prune.budgets import Budget

_FRACTIONS = ("step", "clip", "discount", "epsilon", "epsilon_decay")


@dataclass(frozen=True)
class RLPrunerConfig:
    """The search. Exactly one of `macs`, `params` and `ratio` is given.

    Args:
        macs: the fraction of multiply-accumulates to keep.
        params: the fraction of parameters to keep.
        ratio: the fraction of channels to remove.
        max_drop: what the validation objective may lose before the budget is reached, in its own
            units (percentage points of an accuracy); the step that loses more is undone. Default:
            no matter.
        criterion: which of a group's channels leave first.
        steps: in how many steps the budget is reached, each with a search and a recovery.
        updates: how often the distribution is moved in a step.
        samples: distributions tried for an update.
        depth: steps that a sample looks ahead, without training in between.
        discount: of a step's reward against that of the one before, in [0, 1].
        noise: of the samples, in units of the uniform share.
        floor: the least share of a group, in units of the uniform share, in [0, 1).
        step: how far the distribution moves towards the chosen sample, in [0, 1].
        clip: the largest relative change of a share in one update, in [0, 1].
        epsilon: probability of choosing at random among the best, in [0, 1].
        epsilon_decay: its factor after each choice, in [0, 1].
        replay: how many of a step's best samples are kept.
        macs_weight: what a hundredth of the MACs is worth in the reward, in units of the objective.
        params_weight: what a hundredth of the parameters is worth, likewise.
        reward_images: validation examples a reward is measured on.
        calibration_images: training examples that a criterion looks at.
        min_channels: each group keeps at least so many.
        max_ratio: at most this fraction of a group's channels is removed, in (0, 1].
        round_to: each group keeps a multiple of it, or stays whole.
        recalibration_images: training examples on which the statistics of BatchNormalization are
            estimated anew after each cut; 0: they stay as they are.
        exclude: groups or layers that stay whole, or patterns of their names.

    Raises:
        ConfigError: a value is out of range.
    """

    macs: float | None = None
    params: float | None = None
    ratio: float | None = None
    max_drop: float | None = None
    criterion: CriterionName = "taylor"
    steps: int = 4
    updates: int = 2
    samples: int = 16
    depth: int = 1
    discount: float = 0.9
    noise: float = 0.5
    floor: float = 0.1
    step: float = 0.5
    clip: float = 0.5
    epsilon: float = 0.1
    epsilon_decay: float = 0.7
    replay: int = 8
    macs_weight: float = 0.0
    params_weight: float = 0.0
    reward_images: int = 500
    calibration_images: int = 500
    min_channels: int = 1
    max_ratio: float = 0.9
    round_to: int = 1
    recalibration_images: int = 1000
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expect(self, self.recalibration_images >= 0, "recalibration_images", "0 or more")
        expect_one_budget(self, "ratio", "macs", "params")
        expect_counts(self, "steps", "updates", "samples", "depth", "replay")
        expect_counts(self, "reward_images", "calibration_images")
        for name in _FRACTIONS:
            expect(self, 0 <= getattr(self, name) <= 1, name, "a number in [0, 1]")
        expect(self, 0 <= self.floor < 1, "floor", "a number in [0, 1)")
        expect(self, self.noise > 0, "noise", "a positive number")
        expect(self, self.max_drop is None or self.max_drop > 0, "max_drop", "positive, or none")

    @property
    def budget(self) -> Budget:
        """What may stay, as an object that checks the rest."""
        from keras_prune.budgets import Budget

        return Budget(
            macs=self.macs,
            params=self.params,
            ratio=self.ratio,
            min_channels=self.min_channels,
            max_ratio=self.max_ratio,
            round_to=self.round_to,
            exclude=self.exclude,
        )
