"""Everything that decides what a run of ranking does; a TOML file mirrors it."""

from dataclasses import dataclass, field

from keras_prune import criteria
from keras_prune.benchmarking.latency import tflite_latency
from keras_prune.budgets import Budget
from keras_prune.config import expect_counts
from keras_prune.training import CommonConfig, DistillationConfig, TrainingConfig


@dataclass(frozen=True)
class RankingConfig:
    """What the channels are ranked by, and how many leave. Exactly one budget is given.

    Args:
        criterion: a name of `criteria.available()`.
        images: training images that a criterion which needs data is computed on.
        steps: how often channels are scored anew and cut; a fine-tuning follows each cut.
        ratio: the pruning ratio, the fraction of channels to *remove*, in [0, 1).
        macs: the fraction of multiply-accumulates to *keep*, in (0, 1].
        params: the fraction of parameters to *keep*, in (0, 1].
        latency: the fraction of TFLite latency to *keep*, in (0, 1], measured.
        scope: `"global"` or `"local"`, as `Budget` has it; likewise all that follow.
        normalize: `"l2"`, `"mean"`, `"max"` or `"none"`.
        flops_weight: lambda of the FLOPs regularisation.
        min_channels: each group keeps at least so many.
        max_ratio: at most this fraction of a group is removed.
        exclude: groups or layers that stay whole; patterns are understood.
        round_to: each group keeps a multiple of it.

    Raises:
        ConfigError: a value is out of range, or a name unknown.
    """

    criterion: str = "taylor"
    images: int = 1024
    steps: int = 1
    ratio: float | None = None
    macs: float | None = None
    params: float | None = None
    latency: float | None = None
    scope: str = "global"
    normalize: str = "l2"
    flops_weight: float = 0.0
    min_channels: int = 1
    max_ratio: float = 1.0
    exclude: tuple[str, ...] = ()
    round_to: int = 1

    def __post_init__(self) -> None:
        criteria.get(self.criterion)
        expect_counts(self, "images", "steps")
        self.budget  # noqa: B018  # which checks the rest

    @property
    def budget(self) -> Budget:
        """The budget as an object."""
        return Budget(
            ratio=self.ratio,
            macs=self.macs,
            params=self.params,
            latency=self.latency,
            measure=None if self.latency is None else tflite_latency,
            scope=self.scope,
            normalize=self.normalize,
            flops_weight=self.flops_weight,
            min_channels=self.min_channels,
            max_ratio=self.max_ratio,
            exclude=self.exclude,
            round_to=self.round_to,
        )


@dataclass(frozen=True)
class RankingRecipe:
    """One run from the data to the report.

    Args:
        common: what every stage shares.
        train: the baseline's training, where no weights are given.
        recovery: the fine-tuning after each step but the last.
        finetune: the fine-tuning at the end.
        prune: the ranking.
        distillation: fine-tunings learn from the unpruned network, too; default: from the labels
            alone.
    """

    common: CommonConfig
    train: TrainingConfig
    recovery: TrainingConfig
    finetune: TrainingConfig
    prune: RankingConfig = field(default_factory=RankingConfig)
    distillation: DistillationConfig | None = None
