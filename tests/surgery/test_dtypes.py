"""Models of every precision lose channels, and keep their precision."""

import keras
import numpy as np
import pytest

from keras_prune.graph import ChannelGraph
from keras_prune.plan import PruningPlan
from keras_prune.surgery import masked_weights, prune, silence, without_dead

layers = keras.layers
DTYPES = {
    "float16": 2e-3,
    "bfloat16": 2e-2,
    "float64": 1e-12,
    "mixed_float16": 2e-3,
    "mixed_bfloat16": 2e-2,
}


def network(dtype: str, norm=layers.BatchNormalization) -> keras.Model:
    """Some layers compute in `dtype`, some in float32."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 2))
    x = layers.Conv2D(6, 3, activation="relu", dtype=dtype, name="a")(image)
    x = layers.Conv2D(4, 3, dtype=dtype, name="b")(norm(dtype=dtype)(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(3, dtype=dtype, name="head")(x))


@pytest.mark.parametrize("norm", [layers.BatchNormalization, layers.LayerNormalization])
@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES.items())
def test_pruned_is_silenced_in_every_precision(dtype, tolerance, norm):
    model = network(dtype, norm)
    graph = ChannelGraph(model, admit_norms=True)
    plan = PruningPlan.for_graph(graph, {"a": (0, 2, 3, 5), "b": (1, 2, 3)})
    small, twin = prune(model, plan), silence(model, plan)
    policies = [layer.dtype_policy.name for layer in model.layers]
    for made in (small, twin):
        assert [layer.dtype_policy.name for layer in made.layers] == policies
    x = np.random.default_rng(0).normal(size=(3, 6, 6, 2))
    expected, found = (np.asarray(keras.ops.cast(made(x), "float64")) for made in (twin, small))
    assert np.abs(expected).max() > 10 * tolerance
    np.testing.assert_allclose(found, expected, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("dtype", DTYPES)
def test_masks_and_dead_channels_in_every_precision(dtype):
    model = network(dtype)
    kernel = model.get_layer("b").kernel
    factor = np.ones((6, 1))
    factor[1] = 0
    kernel.assign(keras.ops.cast(kernel, "float32") * factor)
    graph = ChannelGraph(model)
    assert without_dead(graph).kept == {"a": (0, 2, 3, 4, 5)}
    pairs = masked_weights([graph.groups["a"]], [keras.ops.array(factor[:, 0], "float32")])
    for variable, value in pairs:
        assert keras.backend.standardize_dtype(value.dtype) == variable.dtype
        np.testing.assert_array_equal(*(keras.ops.cast(x, "float32") for x in (value, variable)))
