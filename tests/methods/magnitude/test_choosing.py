"""Which weights stay."""

import numpy as np
import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude import MagnitudeConfig
from keras_prune.methods.magnitude.choosing import (
    chosen,
    expect_pruning,
    nonzero,
    prunable,
    sparsity,
)

from .small import LAYERS, network


def masks_of(steps: int, **options) -> list[list[np.ndarray]]:
    """The masks after each step, where training would not change a weight."""
    config = MagnitudeConfig(steps=steps, **options)
    found = prunable(network(), config)
    masks, steps_masks = nonzero(found), []
    for step in range(1, steps + 1):
        masks = chosen(config, found, masks, step)
        steps_masks.append(masks)
    return steps_masks


def test_rates_take_their_share_of_what_remains_each_time():
    counts = [[int(m.sum()) for m in each] for each in masks_of(3, rates={"conv": 0.2, "fc1": 0.5})]
    assert counts == [[43, 1728], [34, 864], [27, 432]]


@pytest.mark.parametrize("threshold", ["uniform", "erk", "global", "lamp"])
def test_the_sparsity_is_met_to_the_weight_over_steps(threshold):
    first, second = masks_of(2, threshold=threshold, sparsity=0.9)
    assert sparsity(first) == pytest.approx(1 - 0.1**0.5, abs=1e-3)
    assert sparsity(second) == pytest.approx(0.9, abs=1e-3)
    kept = sum(int(mask.sum()) for mask in second)
    assert abs(kept - 0.1 * sum(LAYERS.values())) <= len(LAYERS)


def test_std_thresholds_are_the_papers():
    [[mask]] = masks_of(1, threshold="std", rates={"fc1": 1.0})
    kernel = network().get_layer("fc1").kernel.numpy()
    np.testing.assert_array_equal(mask, np.abs(kernel) >= kernel.std())


def test_excluded_layers_stay_whole():
    *_, masks = masks_of(3, threshold="global", sparsity=0.9, exclude=("conv",))
    assert [mask.size for mask in masks] == [LAYERS["fc1"], LAYERS["fc2"]]
    assert abs(sum(int(mask.sum()) for mask in masks) - 0.1 * (3456 + 64)) <= 1


def test_weights_that_are_zero_stay_so():
    model = network()
    kernel = model.get_layer("fc1").kernel.numpy()
    kernel[:50], kernel[50:100] = -0.0, 0.0
    model.get_layer("fc1").kernel.assign(kernel)
    config = MagnitudeConfig(rates={"fc1": 0.5}, steps=1)
    found = prunable(model, config)
    [mask] = chosen(config, found, nonzero(found), 1)
    assert int(mask.sum()) == (3456 - 1600) // 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rates": {"fc3": 0.5}}, "Unknown layer 'fc3'. Did you mean 'fc2'?"),
        ({"rates": {"relu": 0.5}}, "Layer 'relu' has no weights to prune"),
        (
            {"threshold": "global", "sparsity": 0.5, "exclude": ("con",)},
            "Unknown layer in exclude 'con'. Did you mean 'conv'?",
        ),
        ({"rates": {"fc1": 0.5}, "exclude": ("con",)}, "Unknown layer in exclude 'con'."),
        (
            {"threshold": "erk", "sparsity": 0.5, "exclude": ("conv", "fc1", "fc2")},
            "Every layer is excluded",
        ),
    ],
)
def test_layers_that_are_not_there_are_named(options, message):
    with pytest.raises(ConfigError) as error:
        prunable(network(), MagnitudeConfig(**options))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rates": {"fc2": 0.0}}, "Nothing would be pruned: 0.0000 of the weights"),
        ({"threshold": "global", "sparsity": 0.0}, "global was asked for 0.0. Ask for more."),
    ],
)
def test_what_would_change_nothing_is_refused(options, message):
    config = MagnitudeConfig(**options)
    found = prunable(network(), config)
    with pytest.raises(ConfigError) as error:
        expect_pruning(config, found, nonzero(found))
    assert message in str(error.value)


def test_a_model_that_is_half_empty_may_be_emptied_further():
    model = network()
    kernel = model.get_layer("fc1").kernel.numpy()
    kernel[:108] = 0
    model.get_layer("fc1").kernel.assign(kernel)
    config = MagnitudeConfig(threshold="global", sparsity=0.9, steps=8)  # the first step: 0.25
    found = prunable(model, config)
    expect_pruning(config, found, nonzero(found))
