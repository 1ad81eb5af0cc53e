"""Files compute in float32, whatever the model's precision."""

import functools

import keras
import numpy as np
import pytest

from keras_prune.exporting import export
from keras_prune.exporting.precision import in_float32
from tests.surgery.test_dtypes import DTYPES, network
from tests.surgery.test_functions import Slope, convolutional, hat, relu

layers = keras.layers


def test_a_float32_model_is_its_own_twin():
    model = network("float32")
    assert in_float32(model) is model


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_twin_has_the_weights_and_computes_in_float32(dtype):
    image = keras.Input((6, 6, 2), dtype=dtype.removeprefix("mixed_"))
    nested = keras.Model(image, network(dtype)(image))
    twin = in_float32(nested)
    assert {tensor.dtype for tensor in [*twin.inputs, *twin.outputs]} == {"float32"}
    assert {weight.dtype for weight in twin.weights} == {"float32"}
    for new, old in zip(twin.weights, nested.weights, strict=True):
        np.testing.assert_array_equal(new, np.asarray(keras.ops.cast(old, "float32")))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_what_tflite_has_no_operation_for_is_written_in_float32(dtype, tmp_path):
    image = keras.Input((4, 4, 1), dtype=dtype)
    x = layers.Conv2D(2, 3, dtype=dtype, name="conv")(image)
    model = keras.Model(image, layers.Flatten(dtype=dtype)(x))
    batch = np.random.default_rng(0).normal(size=(4, 4, 4, 1))
    assert export(model, tmp_path / "m.tflite", batch=batch).max_abs_error < 1e-5


OWN = {
    "a name of Keras'": relu,
    "a lambda": lambda x: keras.ops.tanh(2 * x),
    "a partial": functools.partial(keras.ops.leaky_relu, negative_slope=0.5),
    "a callable object": Slope(0.7),
}


@pytest.mark.parametrize("activation", OWN.values(), ids=OWN)
def test_the_twin_has_the_very_functions(activation):
    model = convolutional(activation=activation, dtype="float16", bias_initializer="ones")
    model.compile(loss=hat)  # which no file finds again
    x = np.random.default_rng(0).normal(0, 4, (3, 8, 8, 3)).astype("float32")
    np.testing.assert_allclose(in_float32(model)(x), model(x), rtol=5e-3, atol=5e-3)


def test_a_float32_model_needs_no_config():
    model = convolutional(activation=OWN["a partial"])
    assert in_float32(model) is model
