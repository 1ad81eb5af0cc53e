import keras
import numpy as np
import pandas as pd
import pytest

from keras_prune.errors import ModelError
from keras_prune.profiling import Cost, profile

layers = keras.layers


def by_name(model):
    return {row.name: row for row in profile(model).layers}


def test_rows_and_total():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, use_bias=False, name="logits"),
        ]
    )
    frame = profile(model).to_frame()
    assert frame.index.name == "name"
    assert frame.to_dict("index") == {
        "conv": {
            "kind": "Conv2D",
            "output_shape": (6, 6, 4),
            "parameters": 112,
            "macs": 3888,
            "flops": 2 * 3888 + 144,
            "bytes": 448,
        },
        "bn": {
            "kind": "BatchNormalization",
            "output_shape": (6, 6, 4),
            "parameters": 16,
            "macs": 0,
            "flops": 0,
            "bytes": 64,
        },
        "flatten": {
            "kind": "Flatten",
            "output_shape": (144,),
            "parameters": 0,
            "macs": 0,
            "flops": 0,
            "bytes": 0,
        },
        "logits": {
            "kind": "Dense",
            "output_shape": (10,),
            "parameters": 1440,
            "macs": 1440,
            "flops": 2880,
            "bytes": 5760,
        },
    }
    sums = {name: int(frame[name].sum()) for name in ("parameters", "macs", "flops", "bytes")}
    assert profile(model).total == Cost(**sums)
    assert profile(model).total.parameters == model.count_params()


@pytest.mark.tensorflow  # JAX has no float64 unless asked for
def test_bytes_follow_the_type_of_the_weights():
    for dtype, size in {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}.items():
        model = keras.Sequential([keras.Input((3,)), layers.Dense(5, dtype=dtype)])
        assert profile(model).total.bytes == 20 * size
    mixed = keras.Sequential([keras.Input((3,)), layers.Dense(5, dtype="mixed_bfloat16")])
    assert profile(mixed).total.bytes == 20 * 4  # computes in bfloat16, keeps float32


def test_a_layer_called_twice_works_twice_and_weighs_once():
    dense, conv = layers.Dense(6, name="dense"), layers.Conv1D(2, 3, name="conv")
    inputs, longer = keras.Input((6,)), keras.Input((10, 2))
    model = keras.Model([inputs, longer], [dense(dense(inputs)), conv(conv(longer))])
    rows = by_name(model)
    assert (rows["dense"].parameters, rows["dense"].macs, rows["dense"].flops) == (42, 72, 156)
    assert rows["conv"].macs == 12 * (8 + 6)
    assert rows["conv"].output_shape == (6, 2)
    assert profile(model).total.parameters == model.count_params()


def test_weights_tied_between_layers_weigh_once():
    first = layers.Dense(4, name="first")

    class Tied(layers.Dense):
        def build(self, input_shape):
            self._kernel = first._kernel
            self.bias = self.add_weight(shape=(self.units,), name="bias")

    inputs = keras.Input((4,))
    rows = by_name(keras.Model(inputs, Tied(4, name="second")(first(inputs))))
    assert (rows["first"].parameters, rows["second"].parameters) == (20, 4)
    assert (rows["first"].macs, rows["second"].macs) == (16, 16)


def test_nested_models_are_opened():
    block = keras.Sequential(
        [keras.Input((8, 8, 2)), layers.Conv2D(2, 3, padding="same", name="conv")], name="block"
    )
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(2, 1, name="stem")(block(block(inputs)))
    model = keras.Model(inputs, layers.GlobalAveragePooling2D(name="pool")(x))
    rows = by_name(model)
    assert list(rows) == ["conv", "stem", "pool"]
    assert rows["conv"].macs == 2 * (9 * 4 * 64)
    assert profile(model).total.parameters == model.count_params()


def test_names_are_unique():
    def block(name):
        inputs = keras.Input((4,))
        return keras.Model(inputs, layers.Dense(4, name="dense")(inputs), name=name)

    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2, name="dense")(block("b")(block("a")(inputs))))
    assert list(by_name(model)) == ["a/dense", "b/dense", "dense"]
    outer = keras.Model(inputs, block("same")(keras.Sequential([block("same")])(inputs)))
    assert len(by_name(outer)) == 2


def test_a_nested_model_works_at_the_size_it_is_called_with():
    any_size = keras.Input((None, None, 3))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, name="conv")(any_size))
    x = keras.ops.relu(x) + 1.0
    x = layers.DepthwiseConv2D(3, name="depthwise")(layers.MaxPooling2D()(x))
    x = layers.GlobalAveragePooling2D()(x)
    backbone = keras.Model(any_size, layers.Dense(2, name="head")(x), name="backbone")
    small, large = keras.Input((8, 8, 3)), keras.Input((10, 12, 3))
    rows = by_name(keras.Model([small, large], [backbone(small), backbone(large)]))
    assert rows["conv"].macs == 108 * (6 * 6 + 8 * 10)
    assert rows["depthwise"].macs == 36 * (1 * 1 + 2 * 3)
    assert rows["head"].macs == 2 * 8
    assert rows["conv"].output_shape in [(6, 6, 4), (8, 10, 4)]


def test_unknown_size_says_what_to_do_and_that_works():
    any_size = keras.Input((None, None, 3))
    model = keras.Model(any_size, layers.Conv2D(4, 3, name="conv")(any_size), name="free")
    with pytest.raises(ModelError, match=r"'free'.*\(None, None, None, 3\).*'conv'.*keras.Input"):
        profile(model)
    inputs = keras.Input((8, 8, 3))
    assert profile(keras.Model(inputs, model(inputs))).total.macs == 108 * 36


def test_a_fixed_batch_counts_one_example():
    inputs = keras.Input(batch_shape=(16, 8, 8, 3))
    model = keras.Model(inputs, layers.Conv2D(4, 3)(inputs))
    assert profile(model).total.macs == 108 * 36


class Doubled(layers.Dense):
    def call(self, inputs):
        return 2 * super().call(inputs)


def test_what_no_rule_can_count_is_never_zero():
    inputs = keras.Input((5, 4))
    x = Doubled(3, name="doubled")(layers.Dense(4, name="dense")(inputs))
    model = keras.Model(inputs, keras.ops.rfft(x))
    found = profile(model)
    frame = found.to_frame()
    assert found.uncounted["doubled"] == "Doubled overrides Dense.call"
    assert "no rule for the op RFFT" in found.uncounted.values()
    assert frame.loc["doubled", "macs"] is pd.NA
    assert frame.loc["doubled", "parameters"] == 15
    assert found.total.macs == 5 * 4 * 4
    assert frame["macs"].dtype == "Int64"


def test_the_model_stays_as_it_was():
    any_size = keras.Input((None, 3))
    model = keras.Model(any_size, layers.Dense(2)(any_size))
    inputs = keras.Input((7, 3))
    outer = keras.Model(inputs, model(inputs))
    weights = model.get_weights()
    nodes = len(model.layers[1]._inbound_nodes)
    profile(outer)
    assert len(model.layers[1]._inbound_nodes) == nodes
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_model_without_a_graph_is_refused():
    with pytest.raises(ModelError, match="Build it first"):
        profile(keras.Sequential([layers.Dense(2)]))
