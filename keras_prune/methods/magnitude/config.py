"""Everything that decides which weights magnitude pruning drops; a TOML file mirrors it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude.schedules import check_sparsity
from keras_prune.utils.config import expect_counts

PER_LAYER = ("quantile", "std")


@dataclass(frozen=True)
class MagnitudeConfig:
    """Steps of pruning and retraining, and what is measured at the end.

    Args:
        steps: how often weights are pruned.
        threshold: `"quantile"` drops the smallest fraction of each layer's remaining weights,
            `"std"` those below a multiple of their standard deviation, both by `rates`;
            `"uniform"`, `"erk"`, `"global"` and `"lamp"` reach `sparsity`, spread over the layers.
        rates: layer -> fraction in [0, 1) (`"quantile"`), or factor (`"std"`), of each step; a
            layer that is not named stays whole.
        sparsity: fraction of the kernels' weights that are zero at the end, in [0, 1).
        exclude: layers that stay whole.
        turns: how often each TFLite file is timed, in turns of 5 calls on one thread; 0 for none.
        values: that the weights of a layer share in `shared.kpz`, 2 to 256.

    Raises:
        ConfigError: a value is out of range, or `rates` or `sparsity` do not go with `threshold`.

    Example:

    >>> MagnitudeConfig(threshold="global", sparsity=0.9).steps
    3
    """

    steps: int = 3
    threshold: Literal["quantile", "std", "uniform", "erk", "global", "lamp"] = "quantile"
    rates: dict[str, Any] = field(default_factory=dict)
    sparsity: float | None = None
    exclude: tuple[str, ...] = ()
    turns: int = 20
    values: int = 32

    def __post_init__(self) -> None:
        expect_counts(self, "steps")
        self._check_amount()
        if self.sparsity is not None:
            check_sparsity("sparsity", self.sparsity)
        self._check_rates()
        if self.turns < 0:
            raise ConfigError(f"turns must be 0 or more. Received: {self.turns}.")
        if not 2 <= self.values <= 256:
            raise ConfigError(f"values must be from 2 to 256. Received: {self.values}.")

    @property
    def per_layer(self) -> bool:
        """Whether every layer has a rate of its own, and not the network one sparsity."""
        return self.threshold in PER_LAYER

    def _check_amount(self) -> None:
        given = self.sparsity is not None
        if self.per_layer and (given or not self.rates):
            raise ConfigError(
                f"threshold={self.threshold!r} needs rates and no sparsity. For a sparsity of the "
                "whole network give for example threshold='global'."
            )
        if not self.per_layer and (self.rates or not given):
            raise ConfigError(f"threshold={self.threshold!r} needs sparsity and no rates.")

    def _check_rates(self) -> None:
        below = 1 if self.threshold == "quantile" else float("inf")
        for layer, rate in self.rates.items():
            if isinstance(rate, bool) or not isinstance(rate, int | float):
                raise ConfigError(f"rates.{layer} expects a number. Received: {rate!r}.")
            if not 0 <= rate < below:
                raise ConfigError(f"rates.{layer} must be in [0, {below}). Received: {rate}.")
            if layer in self.exclude:
                raise ConfigError(
                    f"Layer {layer!r} is in both rates and exclude. Leave it out of one of them."
                )
