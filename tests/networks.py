"""Small networks with all that channels can meet, and what the walk must find in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers as kl
from keras import ops

Outcome = Mapping[str, int]


@dataclass(frozen=True)
class Network:
    """A model and what the walk must find in it.

    Args:
        build: makes the model.
        groups: the exact groups and their number of channels; a number too small is a pin too much.
        barriers: the names of the calls that are barriers, all others are proved.
        runs: whether the CPU can run it (TensorFlow has no channels-first convolution there).
    """

    build: Callable[[], keras.Model]
    groups: Outcome
    barriers: Sequence[str] = ()
    runs: bool = True


NETWORKS: dict[str, Network] = {}


def network(groups: Outcome, barriers: Sequence[str] = (), runs: bool = True) -> Callable:
    def register(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        NETWORKS[build.__name__] = Network(build, groups, barriers, runs)
        return build

    return register


# --- pieces ------------------------------------------------------------------------------------


def image(channels: int = 3, size: int | None = 6) -> keras.KerasTensor:
    return keras.Input((size, size, channels))


def conv(filters: int, name: str, **options: Any) -> kl.Layer:
    return kl.Conv2D(filters, 3, padding="same", name=name, **options)


def head(x: keras.KerasTensor) -> keras.KerasTensor:
    return kl.Dense(4, name="head")(kl.GlobalAveragePooling2D()(x))


@keras.saving.register_keras_serializable("tests")
class Unknown(kl.Layer):
    """A layer no rule knows, with a weight."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), name="scale")

    def call(self, x):
        return x * self.scale


@keras.saving.register_keras_serializable("tests")
class OtherConv(kl.Conv2D):
    """Overrides call."""

    def call(self, x):
        return super().call(x) / (1 + ops.mean(ops.abs(x), axis=-1, keepdims=True))


@keras.saving.register_keras_serializable("tests")
class StandardisedConv(kl.Conv2D):
    """Overrides what call runs: its kernel depends on all of its slices."""

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, kernel - ops.mean(kernel, axis=(0, 1, 2)))


@keras.saving.register_keras_serializable("tests")
class NamedConv(kl.Conv2D):
    """A subclass that only describes itself is what its parent is."""

    def __init__(self, filters, note="", **options):
        super().__init__(filters, **options)
        self.note = note

    def get_config(self):
        return super().get_config() | {"note": self.note}


@keras.saving.register_keras_serializable("tests")
class Relu(keras.Operation):
    """An op that only shares the name of one of Keras'."""

    def __init__(self, name=None):
        super().__init__(name=name)

    def call(self, x):
        return ops.softmax(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor(x.shape, x.dtype)


# --- chains ------------------------------------------------------------------------------------


@network({"a": 8, "b": 6, "c": 10})
def chain():
    x = i = image()
    x = conv(8, "a", use_bias=False)(x)
    x = kl.MaxPooling2D()(kl.ReLU()(kl.BatchNormalization()(x)))
    x = kl.Dropout(0.5)(kl.AveragePooling2D(3)(conv(6, "b", activation="gelu")(x)))
    x = kl.Activation("tanh")(kl.Dense(10, name="c")(kl.Flatten()(x)))
    return keras.Model(i, kl.Dense(4, activation="softmax")(x))


@network({"a": 8, "b": 5})
def sequential():
    return keras.Sequential([
        image(), conv(8, "a"), kl.BatchNormalization(), kl.ReLU(), kl.Flatten(),
        kl.Dense(5, name="b", activation="relu"), kl.BatchNormalization(scale=False), kl.Dense(4),
    ])  # fmt: skip


@network({"a": 8, "b": 6})
def one_dimension():
    i = keras.Input((12, 2))
    x = kl.MaxPooling1D()(kl.Conv1D(8, 3, name="a")(i))
    x = kl.UpSampling1D()(kl.Cropping1D(1)(kl.ZeroPadding1D(1)(x)))
    x = kl.SeparableConv1D(6, 3, depth_multiplier=2, name="b")(kl.DepthwiseConv1D(3)(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalMaxPooling1D()(x)))


@network({"a": 4, "b": 6})
def three_dimensions():
    i = keras.Input((4, 4, 4, 2))
    x = kl.MaxPooling3D()(kl.Conv3D(4, 3, padding="same", name="a")(i))
    x = kl.Conv3DTranspose(6, 2, strides=2, name="b")(x)
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 8, "b": 6})
def padding_cropping_upsampling():
    x = i = image()
    x = kl.ZeroPadding2D(2)(conv(8, "a")(x))
    x = kl.UpSampling2D()(kl.Cropping2D(((1, 0), (2, 1)))(x))
    return keras.Model(i, head(kl.LeakyReLU(0.2)(conv(6, "b")(x))))


@network({"a": 8, "b": 6})
def unknown_size():
    i = image(size=None)
    x = kl.BatchNormalization()(conv(8, "a")(i))
    x = kl.Reshape((-1, 8))(x)
    x = kl.Conv1D(6, 3, name="b")(x)
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"a": 8})
def unknown_size_concat():
    i = image(size=None)
    a = kl.Concatenate(axis=1)([conv(8, "a")(i), conv(8, "b")(i)])
    return keras.Model(i, head(kl.Add()([a, kl.ReLU()(a)])))


@network({}, barriers=["flatten"])
def unknown_size_flatten():
    i = image(size=None)
    return keras.Model(i, kl.Flatten(name="flatten")(conv(8, "a")(i)))


@network({"b": 5}, barriers=["reshape"])
def unknown_size_behind_channels():
    i = image(size=None)
    x = kl.Reshape((8, -1), name="reshape")(kl.Permute((3, 1, 2))(conv(8, "a")(i)))
    x = kl.Conv1D(5, 1, name="b")(kl.Permute((2, 1))(x))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"a": 8})
def unknown_size_behind_a_known_one():
    i = keras.Input((4, None, 3))
    x = kl.Reshape((-1, 8))(conv(8, "a")(i))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


# --- joins -------------------------------------------------------------------------------------


@network({"stem": 8, "m1": 6, "m2": 5})
def residual():
    i = image()
    x = kl.ReLU()(kl.BatchNormalization()(conv(8, "stem")(i)))
    for number, middle in ((1, 6), (2, 5)):
        y = kl.ReLU()(kl.BatchNormalization()(conv(middle, f"m{number}")(x)))
        y = kl.BatchNormalization()(conv(8, f"out{number}")(y))
        x = kl.ReLU()(kl.Add()([x, y]))
    return keras.Model(i, head(x))


@network({"b": 8})
def joins_of_all_kinds():
    i = image()
    a, b, c = conv(8, "a")(i), conv(8, "b")(i), conv(8, "c")(i)
    x = kl.Maximum()([kl.Average()([a, b, c]), kl.Subtract()([a, b])])
    x = kl.Minimum()([x, kl.Multiply()([b, c])]) + a * 0.5 - b / (ops.abs(c) + 1.0)
    return keras.Model(i, head(ops.maximum(ops.relu(x), 0.1)))


@network({})
def residual_with_the_input():
    i = image(8)
    return keras.Model(i, head(kl.Add()([i, conv(8, "a")(i)])))


def squeeze_excite(x: keras.KerasTensor, channels: int, squeeze: Callable) -> keras.KerasTensor:
    gate = kl.Conv2D(4, 1, activation="relu", name="squeeze")(squeeze(x))
    gate = kl.Conv2D(channels, 1, activation="sigmoid", name="excite")(gate)
    return kl.Multiply()([x, gate])


@network({"a": 8, "squeeze": 4})
def squeeze_excite_reshaped():
    i = image()
    x = kl.BatchNormalization()(conv(8, "a")(i))
    gap = lambda x: kl.Reshape((1, 1, 8))(kl.GlobalAveragePooling2D()(x))  # noqa: E731
    return keras.Model(i, head(squeeze_excite(x, 8, gap)))


@network({"a": 8, "squeeze": 4})
def squeeze_excite_keepdims():
    i = image()
    x = kl.DepthwiseConv2D(3)(conv(8, "a")(i))
    return keras.Model(i, head(squeeze_excite(x, 8, kl.GlobalAveragePooling2D(keepdims=True))))


@network({"a": 8, "squeeze": 4})
def gate_of_lower_rank():
    i = keras.Input((6, 3))
    x = kl.Conv1D(8, 3, name="a")(i)
    gate = kl.Dense(4, name="squeeze")(kl.GlobalAveragePooling1D()(x))
    gate = kl.Reshape((8,))(kl.Dense(8, activation="sigmoid", name="excite")(gate))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x * kl.Reshape((1, 8))(gate))))


@network({"a": 8})
def one_channel_gate():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(kl.Multiply()([x, conv(1, "gate", activation="sigmoid")(x)])))


@network({"a": 8, "b": 6, "c": 5})
def concat():
    i = image()
    a, b = conv(8, "a")(i), conv(6, "b")(i)
    x = kl.ReLU()(kl.BatchNormalization()(kl.Concatenate()([a, i, b])))
    return keras.Model(i, head(kl.Concatenate()([conv(5, "c")(x), a])))


@network({"a": 8, "b": 2})
def concat_twice_the_same():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(conv(2, "b")(kl.BatchNormalization()(kl.Concatenate()([x, x])))))


@network({"d": 8, "d:2": 6, "e": 2})
def concat_then_add():
    i = image()
    x = kl.Concatenate()([conv(8, "a")(i), conv(6, "b")(i), conv(2, "c")(i)])
    y = kl.Concatenate()([conv(14, "d")(i), conv(2, "e")(i)])
    return keras.Model(i, head(kl.Add()([x, y])))


@network({"a": 8})
def concat_in_space():
    i = image()
    x = kl.Concatenate(axis=1)([conv(8, "a")(i), conv(8, "b")(i)])
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.ReLU()(x))))


# --- convolutions of other kinds ---------------------------------------------------------------


@network({"a": 6, "b": 5})
def depthwise():
    i = image()
    x = kl.DepthwiseConv2D(3, depth_multiplier=2)(conv(6, "a")(i))
    x = kl.ReLU()(kl.BatchNormalization()(x))
    return keras.Model(i, head(kl.Conv2D(5, 1, name="b")(x)))


@network({"a": 6, "b": 5})
def separable():
    i = image()
    x = kl.BatchNormalization()(kl.ReLU()(conv(6, "a")(i)))
    x = kl.SeparableConv2D(5, 3, depth_multiplier=2, activation="relu", name="b")(x)
    return keras.Model(i, head(x))


@network({"a": 4, "b": 3})
def grouped():
    i = image()
    x = conv(6, "b", groups=2)(conv(8, "a")(i))
    return keras.Model(i, head(kl.BatchNormalization()(x)))


@network({"a": 8})
def grouped_as_depthwise():
    i = image()
    x = kl.BatchNormalization()(conv(16, "b", groups=8)(conv(8, "a")(i)))
    return keras.Model(i, head(x))


@network({"a": 6, "b": 5})
def transposed():
    i = image()
    x = kl.Conv2DTranspose(5, 3, strides=2, name="b")(kl.BatchNormalization()(conv(6, "a")(i)))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 6, "b": 5})
def generator():
    i = keras.Input((4,))
    x = kl.Reshape((3, 3, 6))(kl.BatchNormalization()(kl.Dense(54, name="a")(i)))
    x = kl.Conv2DTranspose(5, 3, strides=2, name="b")(x)
    return keras.Model(i, kl.Conv2D(1, 1, activation="tanh")(kl.BatchNormalization()(x)))


# --- shapes ------------------------------------------------------------------------------------


@network({"a": 8, "b": 6})
def permuted():
    i = image()
    x = kl.Permute((3, 1, 2))(conv(8, "a")(i))
    x = kl.Dense(6, name="b")(kl.Permute((2, 3, 1))(x))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Permute((3, 2, 1))(x))))


@network({"a": 6})
def reshaped_to_pairs():
    i = keras.Input((4,))
    x = kl.Reshape((6, 2))(kl.Dense(12, name="a")(i))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.ReLU()(x))))


@network({"a": 2, "b": 5})
def reshaped_to_many_positions():
    i = keras.Input((4,))
    x = kl.Reshape((9, 2))(kl.Dense(18, name="a")(i))
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(kl.Conv1D(5, 3, name="b")(x))))


@network({"a": 8, "b": 5})
def reshaped_with_a_wildcard():
    i = image()
    x = kl.Reshape((-1, 8))(conv(8, "a")(i))
    x = kl.Reshape((-1,))(kl.Dense(5, name="b")(x))
    return keras.Model(i, kl.Dense(3)(x))


@network({"a": 8}, barriers=["reshape"])
def reshape_called_with_two_shapes():
    i = image()
    reshape = kl.Reshape((-1, 8), name="reshape")
    near, far = conv(8, "b")(i), conv(8, "c", strides=2)(i)
    ends = [kl.Conv1D(2, 1)(reshape(x)) for x in (near, far)]
    return keras.Model(i, [*ends, head(conv(8, "a")(i))])


@network({"b": 8})
def reshape_called_twice():
    i = image()
    reshape = kl.Reshape((-1, 8))
    return keras.Model(i, [kl.Conv1D(2, 1)(reshape(conv(8, name)(i))) for name in "ab"])


# --- calls, nesting, several inputs and outputs --------------------------------------------------


@network({"a": 8})
def layers_called_twice():
    i, shared, norm = image(), conv(8, "b"), kl.BatchNormalization()
    x = norm(shared(kl.ReLU()(norm(conv(8, "a")(i)))))
    return keras.Model(i, head(kl.ReLU()(norm(shared(x)))))


@network({"a": 5, "b": 8})
def siamese():
    left, right = image(), image()
    shared = keras.Sequential([conv(5, "a"), kl.ReLU(), conv(8, "b")], name="tower")
    return keras.Model([left, right], head(kl.Subtract()([shared(left), shared(right)])))


def inner_block(filters: int, name: str) -> keras.Model:
    i = image(8)
    x = kl.ReLU()(kl.BatchNormalization()(conv(filters, "inner")(i)))
    return keras.Model(i, [conv(8, "out")(x), i], name=name)


@network({"stem": 8, "inner": 6})
def nested():
    i = image()
    out, same = inner_block(6, "block")(kl.ReLU()(conv(8, "stem")(i)))
    return keras.Model(i, head(kl.Add()([out, same])))


@network({"stem": 8, "inner": 6})
def nested_called_twice():
    i = image()
    block = inner_block(6, "block")
    first, _ = block(conv(8, "stem")(i))
    second, same = block(kl.ReLU()(first))
    return keras.Model(i, head(kl.Concatenate()([second, same])))


@network({"stem": 8, "one/inner": 6, "two/inner": 5, "out": 8})
def nested_with_equal_names():
    i = image()
    x, same = inner_block(6, "one")(conv(8, "stem")(i))
    x, _ = inner_block(5, "two")(kl.Add()([x, same]))
    return keras.Model(i, head(x))


@network({"a": 8, "b": 6, "c": 5, "last": 4})
def nested_twice_deep():
    i = image()
    inside = keras.Sequential([conv(6, "b"), kl.BatchNormalization()], name="inside")
    outside = keras.Sequential([inside, kl.ReLU(), conv(5, "c")], name="outside")
    x = conv(4, "last")(outside(conv(8, "a")(i)))
    return keras.Model(i, head(x))


@network({"a": 8, "c": 4}, barriers=["inner"])
def nested_of_unknown_size():
    i = keras.Input((5,))
    j = keras.Input((None, 1))
    inner = keras.Model(j, kl.Conv1D(4, 1, name="c")(j), name="inner")
    x = inner(kl.Reshape((8, 1))(kl.Dense(8, name="b")(i)))
    return keras.Model(i, kl.Dense(2)(kl.Flatten()(x)) + kl.Dense(2)(kl.Dense(8, name="a")(i)))


@network({"a": 8, "b": 6, "z": 3, "y": 5})
def nested_called_with_names():
    two, one = keras.Input((6, 6, 3), name="two"), keras.Input((6, 6, 5), name="one")
    inner = keras.Model([two, one], kl.Concatenate()([conv(8, "a")(two), conv(6, "b")(one)]))
    i = image()
    return keras.Model(i, head(inner({"one": conv(5, "y")(i), "two": conv(3, "z")(i)})))


@network({"a": 8, "b": 6, "c": 5})
def several_inputs_and_outputs():
    one, two = keras.Input((6, 6, 3), name="one"), keras.Input((7,), name="two")
    x = kl.GlobalAveragePooling2D()(kl.BatchNormalization()(conv(8, "a")(one)))
    y = kl.Dense(6, activation="relu", name="b")(two)
    z = kl.Dense(5, name="c")(kl.Concatenate()([x, y]))
    return keras.Model([two, one], [kl.Dense(2)(z), kl.Dense(3)(x)])


@network({"a": 8, "b": 6})
def inputs_and_outputs_by_name():
    one, two = keras.Input((3,), name="one"), keras.Input((7,), name="two")
    x, y = kl.Dense(8, name="a")(one), kl.Dense(6, name="b")(two)
    ends = {"late": kl.Dense(2)(kl.Concatenate()([y, x])), "early": kl.Dense(3)(x)}
    return keras.Model({"two": two, "one": one}, ends)


@network({"a": 8})
def output_in_the_middle():
    i = image()
    x = conv(6, "b")(conv(8, "a")(i))
    return keras.Model(i, [x, head(kl.ReLU()(x))])


# --- barriers ----------------------------------------------------------------------------------


@network({"b": 6})
def softmax_inside():
    i = image()
    x = conv(6, "b")(conv(8, "a", activation="softmax")(i))
    return keras.Model(i, head(x))


def behind(barrier: Any) -> keras.Model:
    """A chain whose first convolution runs into a barrier; the second is free."""
    i = image()
    return keras.Model(i, head(conv(6, "b")(kl.ReLU()(barrier(conv(8, "a")(i))))))


for _name, _barrier in {
    "layer_normalization": lambda: kl.LayerNormalization(name="x"),
    "softmax_layer": lambda: kl.Softmax(name="x"),
    "softmax_activation": lambda: kl.Activation("softmax", name="x"),
    "unknown_layer": lambda: Unknown(name="x"),
    "unknown_op": lambda: Relu(name="x"),
    "overridden_call": lambda: OtherConv(7, 1, name="x"),
    "overridden_convolution": lambda: StandardisedConv(7, 1, name="x"),
    "lambda_layer": lambda: kl.Lambda(lambda x: x / (1 + x * x), name="x"),
    "rescaling_per_channel": lambda: kl.Rescaling(1.0, [0.1 * c for c in range(8)], name="x"),
    "fixed_noise": lambda: kl.Dropout(0.5, noise_shape=(None, 1, 1, 8), name="x"),
    "scale_per_channel": lambda: lambda x: x * (0.1 * np.arange(8, dtype="float32")),
}.items():
    NETWORKS[_name] = Network(
        lambda make=_barrier: behind(make()),
        {"b": 6},
        ["multiply"] if _name == "scale_per_channel" else ["x"],
    )

NETWORKS["rescaling"] = Network(lambda: behind(kl.Rescaling(0.5, 0.1)), {"a": 8, "b": 6})
NETWORKS["described_subclass"] = Network(
    lambda: behind(NamedConv(7, kernel_size=1, name="x", note="why")), {"a": 8, "x": 7, "b": 6}
)


@network({"a": 8, "c": 5}, barriers=["lora"])
def low_rank_adapter():
    i = keras.Input((4,))
    adapted = kl.Dense(6, name="lora")
    x = kl.Dense(5, name="c")(adapted(kl.Dense(7, name="b")(kl.Dense(8, name="a")(i))))
    model = keras.Model(i, kl.Dense(3)(x))
    adapted.enable_lora(2)
    return model


@network({"a": 8}, barriers=["embedding", "not_equal"])
def masked():
    i = keras.Input((6,), dtype="int32")
    x = kl.Dense(8, name="a")(kl.Embedding(5, 7, mask_zero=True, name="embedding")(i))
    return keras.Model(i, kl.Dense(3)(kl.GlobalAveragePooling1D()(x)))


@network({"a": 8, "b": 6}, runs=False)
def channels_first():
    first = {"data_format": "channels_first"}
    i = keras.Input((3, 6, 6))
    x = kl.BatchNormalization(axis=1)(conv(8, "a", **first)(i))
    x = kl.DepthwiseConv2D(3, **first)(kl.MaxPooling2D(**first)(x))
    x = kl.Flatten(**first)(conv(6, "b", **first)(x))
    return keras.Model(i, kl.Dense(3)(x))
