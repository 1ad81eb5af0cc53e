"""Which weights stay: the masks of one step, from the weights as they are."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_prune.errors import ConfigError, unknown
from keras_prune.methods.magnitude.config import MagnitudeConfig
from keras_prune.methods.magnitude.distributions import DISTRIBUTIONS
from keras_prune.methods.magnitude.selection import Kernel, kernels
from keras_prune.methods.magnitude.thresholds import deviation, quantile

Arrays = Sequence[np.ndarray]


def prunable(model: keras.Model, config: MagnitudeConfig) -> tuple[Kernel, ...]:
    """The kernels of a model that a configuration prunes.

    Raises:
        ConfigError: a named layer is unknown, has no kernel, or none is left.
    """
    others = _not_excluded(model, config)
    return kernels(model, config.rates if config.per_layer else others)


def chosen(
    config: MagnitudeConfig, found: Sequence[Kernel], masks: Arrays, step: int
) -> list[np.ndarray]:
    """The masks of one step.

    Towards a `sparsity` the weights left fall geometrically, to the same fraction at each step.

    Args:
        config: how many leave.
        found: the kernels.
        masks: bool, what has remained so far; in the order and shapes of the kernels.
        step: its number, from 1.
    """
    values = [keras.ops.convert_to_numpy(kernel.variable) for kernel in found]
    if config.per_layer:
        rule = quantile if config.threshold == "quantile" else deviation
        rates = [config.rates[kernel.layer] for kernel in found]
        return [rule(*each) for each in zip(values, masks, rates, strict=True)]
    assert config.sparsity is not None  # the configuration has checked it
    density = (1 - config.sparsity) ** (step / config.steps)
    return DISTRIBUTIONS[config.threshold](values, masks, density)


def nonzero(found: Sequence[Kernel]) -> list[np.ndarray]:
    """The masks before the first step: weights that are zero already stay so."""
    return [keras.ops.convert_to_numpy(kernel.variable) != 0 for kernel in found]


def expect_pruning(config: MagnitudeConfig, found: Sequence[Kernel], masks: Arrays) -> None:
    """Refuses a configuration by whose last step no weight would have left.

    Raises:
        ConfigError: it asks for nothing, or for what is there already.
    """
    goal = chosen(config, found, masks, config.steps)
    if not all(map(np.array_equal, goal, masks)):
        return
    asked = config.sparsity if config.sparsity is not None else config.rates
    raise ConfigError(
        f"Nothing would be pruned: {sparsity(masks):.4f} of the weights are zero already, and "
        f"{config.threshold} was asked for {asked}. Ask for more."
    )


def sparsity(masks: Arrays) -> float:
    """Fraction of the weights that are masked."""
    return 1 - sum(int(mask.sum()) for mask in masks) / sum(mask.size for mask in masks)


def _not_excluded(model: keras.Model, config: MagnitudeConfig) -> list[str]:
    names = list(dict.fromkeys(kernel.layer for kernel in kernels(model)))
    for name in config.exclude:
        if name not in names:
            raise ConfigError(unknown("layer in exclude", name, names))
    left = [name for name in names if name not in config.exclude]
    if not left and not config.per_layer:
        raise ConfigError("Every layer is excluded: nothing would be pruned.")
    return left
