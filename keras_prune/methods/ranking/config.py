"""What decides a run of ranking; the section `prune` of a TOML file mirrors it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from keras_prune.criteria.names import CriterionName
from keras_prune.errors import ConfigError
from keras_prune.utils.config import expect, expect_counts, expect_one_budget

if TYPE_CHECKING:
    from keras_prune.budgets import Budget


@dataclass(frozen=True)
class RankingConfig:
    """What the channels are ranked by, and how many leave. One budget is given, or `ratios`.

    Args:
        criterion: what ranks the channels.
        scores: a file of scores to rank by in place of the criterion: `scores.json` of an earlier
            run on the same network. In one step.
        calibration_images: training examples that a criterion which needs data is computed on, and
            validation examples that `blocks` are judged by.
        steps: how often channels are scored anew and cut; a training follows each cut.
        ratio: the pruning ratio, the fraction of channels to *remove*, in [0, 1).
        macs: the fraction of multiply-accumulates to *keep*, in (0, 1].
        params: the fraction of parameters to *keep*, in (0, 1].
        latency: the fraction of TFLite latency to *keep*, in (0, 1], measured.
        ratios: what single groups lose, in place of what the budget takes from them: group, layer
            or pattern, and the fraction of its channels to *remove*. Alone, other groups stay
            whole.
        scope: `"global"` ranks the channels of all groups together, `"local"` takes the same
            fraction of each group, `"isomorphic"` of each kind of group.
        normalize: how the scores of different groups are made comparable: divided by their mean,
            maximum or norm (`"l2"`), or not at all (`"none"`).
        flops_weight: how much dear channels leave before cheap ones of the same score.
        min_channels: each group keeps at least so many.
        max_ratio: at most this fraction of a group is removed.
        recalibration_images: training examples on which the statistics of BatchNormalization are
            estimated anew after each cut; 0: they stay as they are.
        exclude: groups or layers that stay whole; patterns are understood.
        round_to: each group keeps a multiple of it.
        blocks: whether whole residual blocks may leave, too, as many as cost the least on
            `calibration_images` of the validation data; in one step, of macs or params.

    Raises:
        ConfigError: a value is out of range, or a name unknown.
    """

    criterion: CriterionName = "lamp"
    scores: str | None = None
    calibration_images: int = 1024
    steps: int = 1
    ratio: float | None = None
    macs: float | None = None
    params: float | None = None
    latency: float | None = None
    ratios: dict[str, float] = field(default_factory=dict, hash=False)
    scope: Literal["global", "local", "isomorphic"] = "global"
    normalize: Literal["mean", "max", "l2", "none"] = "mean"
    flops_weight: float = 0.0
    min_channels: int = 1
    max_ratio: float = 0.9
    recalibration_images: int = 1000
    exclude: tuple[str, ...] = ()
    round_to: int = 1
    blocks: bool = False

    def __post_init__(self) -> None:
        expect(self, self.recalibration_images >= 0, "recalibration_images", "0 or more")
        expect_counts(self, "calibration_images", "steps")
        budgets = ("ratio", "macs", "params", "latency")
        if not self.ratios or any(getattr(self, name) is not None for name in budgets):
            expect_one_budget(self, *budgets)
        if self.scores is not None and self.steps > 1:
            raise ConfigError(
                "scores: expected steps=1, for after a cut they are another network's. "
                f"Received: steps={self.steps}."
            )
        if self.blocks and self.steps > 1:
            raise ConfigError(
                "blocks: expected steps=1, for without its blocks a network has other groups. "
                f"Received: steps={self.steps}."
            )

    @property
    def budget(self) -> Budget:
        """The budget as an object, which checks the rest."""
        from keras_prune.benchmarking.latency import tflite_latency
        from keras_prune.budgets import Budget

        return Budget(
            ratio=self.ratio,
            macs=self.macs,
            params=self.params,
            latency=self.latency,
            measure=None if self.latency is None else tflite_latency,
            ratios=self.ratios,
            scope=self.scope,
            normalize=self.normalize,
            flops_weight=self.flops_weight,
            min_channels=self.min_channels,
            max_ratio=self.max_ratio,
            exclude=self.exclude,
            round_to=self.round_to,
            depth=self.blocks,
        )
