"""The curvature along a channel's gate, against the exact one."""

import keras
import numpy as np
import pytest
from keras import layers as kl

from keras_prune.criteria import Hessian
from keras_prune.errors import ConfigError
from keras_prune.graph import ChannelGraph
from tests.criteria.nets import examples, softmax, two_flat_readers, weights

pytestmark = pytest.mark.tensorflow


def curvature_of_two_readers(model, x, y):
    """With logits `sum of g_c u_c`: `u^T (diag p - p p^T) u` per example, for ReLU is linear."""
    (w, b), (v1, c1), (v2, c2) = (weights(model, name) for name in ("a", "one", "two"))
    z = np.maximum(x @ w[0, 0] + b, 0).reshape(len(x), -1)
    p = softmax(z @ (v1 + v2) + c1 + c2)
    u = np.einsum("epc,pck->eck", z.reshape(len(x), 4, 3), (v1 + v2).reshape(4, 3, 2))
    mean = np.einsum("eck,ek->ec", u, p)
    return (np.einsum("eck,ek->ec", u**2, p) - mean**2).mean(axis=0) / 2


def test_it_is_the_exact_curvature_on_average():
    model = two_flat_readers()
    x, y = examples(model)
    expected = curvature_of_two_readers(model, x, y)
    often = np.tile(x, (2000, 1, 1, 1)), np.tile(y, 2000)
    found = Hessian(batch_size=4000, probes=2)(ChannelGraph(model), often)["a"]
    np.testing.assert_allclose(found, expected, rtol=0.1, atol=0.02 * expected.max())


def test_where_gates_do_not_meet_one_probe_is_exact():
    i = keras.Input((3,))
    hidden = kl.Dense(3, activation="relu", name="hidden")(i)
    model = keras.Model(i, kl.Dense(3, name="head")(hidden))
    for layer, kernel in (("hidden", np.diag([1.0, 2.0, 3.0])), ("head", np.diag([1.0, 0.5, 2]))):
        model.get_layer(layer).set_weights([kernel, np.zeros(3)])
    x = np.random.default_rng(0).uniform(1, 2, (5, 3)).astype("float32")
    scores = Hessian(loss="mse")(ChannelGraph(model), (x, np.zeros((5, 3), "float32")))["hidden"]
    expected = np.square(x * [1.0, 1.0, 6.0]).mean(axis=0) / 3  # of the mean of three squares
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_channels_that_are_read_on_several_axes():
    i = keras.Input((4, 4, 2))
    x = kl.Conv2D(4, 3, padding="same", name="a")(i)
    x = kl.Add()([x, kl.Conv2D(4, 1, name="b")(x)])
    y = kl.Concatenate()([kl.Flatten()(x), kl.GlobalAveragePooling2D()(kl.Conv2D(3, 1)(x))])
    model = keras.Model(i, kl.Dense(2)(y))
    found = Hessian()(ChannelGraph(model), examples(model))
    assert all(np.isfinite(values).all() and values.any() for values in found.values())


def test_no_probe_is_refused():
    with pytest.raises(ConfigError, match="probes=0"):
        Hessian(probes=0)
