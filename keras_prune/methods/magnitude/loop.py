"""Han's loop: prune the smallest weights, retrain the others, repeat."""

from collections.abc import Callable

import keras
import numpy as np

from keras_prune.errors import ConfigError, unknown
from keras_prune.methods.magnitude.config import PER_LAYER, MagnitudeConfig
from keras_prune.methods.magnitude.distributions import DISTRIBUTIONS
from keras_prune.methods.magnitude.dropouts import Dropouts
from keras_prune.methods.magnitude.masks import Masks
from keras_prune.methods.magnitude.selection import Kernel, kernels
from keras_prune.methods.magnitude.thresholds import deviation, quantile

Retrain = Callable[[keras.Model, Masks, int], None]
"""`(model, masks, iteration)`: trains in place under the masks; iterations count from 1."""


def prune_weights(model: keras.Model, config: MagnitudeConfig, retrain: Retrain) -> Masks:
    """Prunes a model's weights in place, iteration by iteration.

    Weights that are zero already stay so; the survivors keep their values. Biases are not pruned.

    Args:
        model: a trained model; its kernels change, and the rates of its dropout layers.
        config: how much and how often.
        retrain: the training after each iteration.

    Returns:
        The masks.

    Raises:
        ConfigError: a named layer is unknown, or nothing would be pruned.

    Reference: Han, Pool, Tran and Dally, "Learning both Weights and Connections for Efficient
    Neural Networks", NeurIPS 2015, section 3.
    """
    masks = Masks(prunable(model, config), keep_zeros=True)
    dropouts, before = Dropouts(model, masks), masks.sparsity
    for iteration in range(1, config.iterations + 1):
        masks.assign(chosen(config, masks, iteration))
        if masks.sparsity == before:
            raise ConfigError(_nothing(config, before))
        dropouts.scale()
        retrain(model, masks, iteration)
    return masks


def chosen(config: MagnitudeConfig, masks: Masks, iteration: int) -> list[np.ndarray]:
    """The masks of one iteration, from the weights as they are.

    Towards a `sparsity` the weights left fall geometrically, to the same fraction each iteration.
    """
    values = [weight.numpy() for weight in masks.weights]
    if config.threshold in PER_LAYER:
        rule = quantile if config.threshold == "quantile" else deviation
        rates = [config.rates[kernel.layer] for kernel in masks.kernels]
        return [rule(*each) for each in zip(values, masks.numpy(), rates, strict=True)]
    assert config.sparsity is not None  # the configuration has checked it
    density = (1 - config.sparsity) ** (iteration / config.iterations)
    return DISTRIBUTIONS[config.threshold](values, masks.numpy(), density)


def prunable(model: keras.Model, config: MagnitudeConfig) -> tuple[Kernel, ...]:
    """The kernels of a model that a configuration prunes.

    Raises:
        ConfigError: a named layer is unknown, has no kernel, or none is left.
    """
    return kernels(model, config.rates if config.threshold in PER_LAYER else _others(model, config))


def check_kernels(model: keras.Model, config: MagnitudeConfig) -> None:
    """Refuses a configuration that does not fit a model, as `prunable` does."""
    prunable(model, config)


def _others(model: keras.Model, config: MagnitudeConfig) -> list[str]:
    """The layers that are not excluded."""
    names = list(dict.fromkeys(kernel.layer for kernel in kernels(model)))
    for name in config.exclude:
        if name not in names:
            raise ConfigError(unknown("layer in exclude", name, names))
    left = [name for name in names if name not in config.exclude]
    if not left:
        raise ConfigError("Every layer is excluded: nothing would be pruned.")
    return left


def _nothing(config: MagnitudeConfig, sparsity: float) -> str:
    asked = config.sparsity if config.sparsity is not None else config.rates
    return (
        f"Nothing would be pruned: {sparsity:.4f} of the weights are zero already, and "
        f"{config.threshold} was asked for {asked}. Ask for more."
    )
