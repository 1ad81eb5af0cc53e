"""Han's loop."""

import keras
import numpy as np
import pytest

from keras_prune.errors import ConfigError
from keras_prune.methods.magnitude import MagnitudeConfig, Masks, Remasking, prune_weights
from keras_prune.methods.magnitude.selection import kernels
from keras_prune.training import TrainingConfig

from .small import images, network

RETRAIN = TrainingConfig(epochs=1, learning_rate=0.01)


def config(**changes) -> MagnitudeConfig:
    return MagnitudeConfig(retrain=RETRAIN, **changes)


def left(model: keras.Model) -> dict[str, int]:
    return {name: int(np.count_nonzero(model.get_layer(name).kernel)) for name in LAYERS}


LAYERS = {"conv": 54, "fc1": 3456, "fc2": 64}


def test_rates_take_their_share_of_what_remains_each_time():
    model, seen = network(), []
    rates = {"conv": 0.2, "fc1": 0.5}
    prune_weights(model, config(rates=rates), lambda m, masks, i: seen.append(left(m)))
    assert [counts["conv"] for counts in seen] == [43, 34, 27]
    assert [counts["fc1"] for counts in seen] == [1728, 864, 432]
    assert {counts["fc2"] for counts in seen} == {64}


def test_survivors_keep_their_values_and_biases_stay():
    model, before = network(), network()
    model.get_layer("fc1").bias.assign(np.full(16, 0.001))
    prune_weights(model, config(rates={"fc1": 0.9}, iterations=1), lambda *_: None)
    kernel, old = model.get_layer("fc1").kernel.numpy(), before.get_layer("fc1").kernel.numpy()
    assert np.all((kernel == old) | (kernel == 0))
    assert (model.get_layer("fc1").bias.numpy() != 0).all()


@pytest.mark.parametrize("threshold", ["uniform", "erk", "global", "lamp"])
def test_the_sparsity_is_met_to_the_weight_over_iterations(threshold):
    model, seen = network(), []
    masks = prune_weights(
        model,
        config(threshold=threshold, sparsity=0.9, iterations=2),
        lambda m, masks, i: seen.append(masks.sparsity),
    )
    assert seen == pytest.approx([1 - 0.1**0.5, 0.9], abs=1e-3)
    total = sum(LAYERS.values())
    assert abs(sum(left(model).values()) - 0.1 * total) <= len(LAYERS)
    assert masks.sparsity == pytest.approx(1 - sum(left(model).values()) / total)


def test_std_thresholds_are_the_papers():
    model, kernel = network(), network().get_layer("fc1").kernel.numpy()
    prune_weights(model, config(threshold="std", rates={"fc1": 1.0}, iterations=1), lambda *_: None)
    expected = np.where(np.abs(kernel) >= kernel.std(), kernel, 0)
    np.testing.assert_array_equal(model.get_layer("fc1").kernel.numpy(), expected)


def test_excluded_layers_stay_whole():
    model = network()
    prune_weights(
        model, config(threshold="global", sparsity=0.9, exclude=("conv",)), lambda *_: None
    )
    counts = left(model)
    assert counts["conv"] == 54
    assert abs(counts["fc1"] + counts["fc2"] - 0.1 * (3456 + 64)) <= 1


def test_dropout_weakens_by_the_square_root_of_the_connections():
    model, rates = network(dropout=0.5), []
    prune_weights(
        model,
        config(rates={"fc1": 0.5, "fc2": 0.25}, iterations=2),
        lambda m, *_: rates.append(m.get_layer("dropout").rate),
    )
    assert rates == pytest.approx([0.5 * 0.5**0.5, 0.5 * 0.25**0.5])


def test_weights_that_were_zero_stay_zero():
    model = network()
    kernel = model.get_layer("fc1").kernel.numpy()
    kernel[:50], kernel[50:100] = -0.0, 0.0
    model.get_layer("fc1").kernel.assign(kernel)
    masks = prune_weights(model, config(rates={"fc1": 0.5}, iterations=1), lambda *_: None)
    assert left(model)["fc1"] == (3456 - 1600) // 2
    assert masks.numpy()[0].sum() == (3456 - 1600) // 2
    pruned = model.get_layer("fc1").kernel.numpy()
    assert not np.signbit(pruned[pruned == 0]).any()  # -0.0 would not compress


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_under_masks_brings_no_weight_back(optimizer):
    model = network()
    fast = {"adam": keras.optimizers.Adam(0.01), "sgd": keras.optimizers.SGD(0.1, momentum=0.9)}
    model.compile(fast[optimizer], "mse")
    model.fit(images(), np.ones((16, 4)), batch_size=4, verbose=0)  # fills the slots

    def retrain(model, masks, iteration):
        before = left(model)
        callback = Remasking(masks)
        model.fit(images(), np.ones((16, 4)), batch_size=4, verbose=0, callbacks=[callback])
        assert left(model) == before
        assert masks.apply.experimental_get_tracing_count() == 1

    prune_weights(model, config(threshold="uniform", sparsity=0.8), retrain)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rates": {"fc3": 0.5}}, "Unknown layer 'fc3'. Did you mean 'fc2'?"),
        ({"rates": {"relu": 0.5}}, "Layer 'relu' has no weights to prune"),
        ({"rates": {"fc2": 0.0}}, "Nothing would be pruned: 0.0000 of the weights"),
        ({"threshold": "global", "sparsity": 0.0}, "global was asked for 0.0. Ask for more."),
        (
            {"threshold": "global", "sparsity": 0.5, "exclude": ("con",)},
            "Unknown layer in exclude 'con'. Did you mean 'conv'?",
        ),
        (
            {"threshold": "erk", "sparsity": 0.5, "exclude": ("conv", "fc1", "fc2")},
            "Every layer is excluded",
        ),
    ],
)
def test_what_would_change_nothing_is_refused(changes, message):
    with pytest.raises(ConfigError) as error:
        prune_weights(network(), config(**changes), lambda *_: None)
    assert message in str(error.value)


def test_masks_know_their_kernels():
    model = network()
    found = kernels(model)
    masks = Masks(found)
    assert masks.cover(found)
    assert not masks.cover(found[:2])
    assert not masks.cover(kernels(network()))
