"""Everything that decides what a run of magnitude pruning does; a TOML file mirrors it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from keras_prune.config import expect_counts
from keras_prune.errors import ConfigError
from keras_prune.schedules import check_sparsity
from keras_prune.training import CommonConfig, DistillationConfig, TrainingConfig

PER_LAYER = ("quantile", "std")


@dataclass(frozen=True)
class MagnitudeCommon(CommonConfig):
    """What every stage shares.

    Args:
        model: default `"lenet5"`.
        dataset: default `"mnist"`.
        directory: where the stages write; default: a new run directory.
        weights: a trained `.keras` file, instead of training one.
    """

    model: str = "lenet5"
    dataset: str = "mnist"
    directory: str | None = None
    weights: str | None = None


@dataclass(frozen=True)
class MagnitudeConfig:
    """Iterations of pruning and retraining.

    Args:
        retrain: the training after every iteration but the last; its learning rate is to be lower
            than that of the first training.
        final: the training after the last iteration; default: as `retrain`.
        iterations: how often weights are pruned.
        threshold: `"quantile"` drops the smallest fraction of each layer's remaining weights,
            `"std"` those below a multiple of their standard deviation, both by `rates`;
            `"uniform"`, `"erk"`, `"global"` and `"lamp"` reach `sparsity`, spread over the layers.
        rates: layer -> fraction in [0, 1) (`"quantile"`), or factor (`"std"`), of each iteration;
            a layer that is not named stays whole.
        sparsity: fraction of the kernels' weights that are zero at the end, in [0, 1).
        exclude: layers that stay whole, where `rates` do not say so.

    Raises:
        ConfigError: a value is out of range, or `rates` or `sparsity` do not go with `threshold`.
    """

    retrain: TrainingConfig
    final: TrainingConfig | None = None
    iterations: int = 3
    threshold: Literal["quantile", "std", "uniform", "erk", "global", "lamp"] = "quantile"
    rates: dict[str, Any] = field(default_factory=dict)
    sparsity: float | None = None
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expect_counts(self, "iterations")
        per_layer = self.threshold in PER_LAYER
        if per_layer != bool(self.rates) or per_layer == (self.sparsity is not None):
            needed = "rates and no sparsity" if per_layer else "sparsity and no rates"
            raise ConfigError(f"threshold={self.threshold!r} needs {needed}.")
        if self.sparsity is not None:
            check_sparsity("sparsity", self.sparsity)
        self._check_rates()

    def _check_rates(self) -> None:
        below = 1 if self.threshold == "quantile" else float("inf")
        for layer, rate in self.rates.items():
            if isinstance(rate, bool) or not isinstance(rate, int | float):
                raise ConfigError(f"rates.{layer} expects a number. Received: {rate!r}.")
            if not 0 <= rate < below:
                raise ConfigError(f"rates.{layer} must be in [0, {below}). Received: {rate}.")


@dataclass(frozen=True)
class TestConfig:
    """What the last stage measures beside accuracy.

    Args:
        turns: how often each TFLite file is timed, in turns of 5 calls on one thread; 0 for none.
        values: that the weights of a layer share in `shared.kpz`, 2 to 256.
    """

    __test__ = False  # no test case, whatever pytest makes of the name

    turns: int = 20
    values: int = 32

    def __post_init__(self) -> None:
        if self.turns < 0:
            raise ConfigError(f"turns must be 0 or more. Received: {self.turns}.")
        if not 2 <= self.values <= 256:
            raise ConfigError(f"values must be from 2 to 256. Received: {self.values}.")


@dataclass(frozen=True)
class MagnitudeRecipe:
    """One run from the data to the report, in three stages.

    Args:
        common: what every stage shares.
        train: the baseline's training, where no weights are given.
        prune: the iterations.
        test: the measurements.
        distillation: retraining learns from the unpruned network, too; default: from the labels.
    """

    common: MagnitudeCommon
    train: TrainingConfig
    prune: MagnitudeConfig
    test: TestConfig
    distillation: DistillationConfig | None = None
