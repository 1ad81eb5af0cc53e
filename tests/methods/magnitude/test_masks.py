"""Masks on weights."""

import keras
import numpy as np
import pytest

from keras_prune.methods.magnitude import MagnitudeConfig, Masks, Remasking
from keras_prune.methods.magnitude.choosing import chosen, nonzero, prunable
from keras_prune.methods.magnitude.selection import kernels

from .small import images, left, network


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_training_under_masks_brings_no_weight_back(optimizer):
    model = network()
    fast = {"adam": keras.optimizers.Adam(0.01), "sgd": keras.optimizers.SGD(0.1, momentum=0.9)}
    model.compile(fast[optimizer], "mse")
    model.fit(images(), np.ones((16, 4)), batch_size=4, verbose=0)  # fills the slots
    config = MagnitudeConfig(threshold="uniform", sparsity=0.8, steps=1)
    found = prunable(model, config)
    masks = Masks(found)
    masks.assign(chosen(config, found, nonzero(found), 1))
    before = left(model)
    callback = Remasking(masks)
    model.fit(images(), np.ones((16, 4)), batch_size=4, verbose=0, callbacks=[callback])
    assert left(model) == before
    assert masks.apply.experimental_get_tracing_count() == 1


def test_masked_weights_are_plain_zeros():
    model = network()
    kernel = model.get_layer("fc1").kernel.numpy()
    kernel[:50] = -0.0
    model.get_layer("fc1").kernel.assign(kernel)
    found = kernels(model, ["fc1"])
    masks = Masks(found)
    masks.assign(nonzero(found))
    pruned = model.get_layer("fc1").kernel.numpy()
    assert not np.signbit(pruned[pruned == 0]).any()  # -0.0 would not compress
    np.testing.assert_array_equal(pruned, kernel)  # and the others keep their values


def test_masks_know_their_kernels():
    model = network()
    found = kernels(model)
    masks = Masks(found)
    assert masks.cover(found)
    assert not masks.cover(found[:2])
    assert not masks.cover(kernels(network()))
    assert masks.sparsity == 0
