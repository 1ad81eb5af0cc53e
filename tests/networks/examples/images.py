"""Convolutional classifiers of images, videos and clouds of points."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import conv_norm, example, mlp, serializable


def logits(x, count=5):
    return kl.Dense(count, name="logits")(kl.Dropout(0.2)(x))


@example({"first": 8, "second": 12})
def digits_convnet():
    return keras.Sequential([
        keras.Input((16, 16, 1)),
        kl.Conv2D(8, 3, activation="relu", name="first"), kl.MaxPooling2D(),
        kl.Conv2D(12, 3, activation="relu", name="second"), kl.MaxPooling2D(),
        kl.Flatten(), kl.Dropout(0.5), kl.Dense(10, activation="softmax"),
    ])  # fmt: skip


@example({"entry": 6, "a_one": 8, "a_two": 8, "b_one": 12, "b_two": 12, "last": 10})
def image_classification_from_scratch():
    """A small Xception; in each block two paths meet."""
    i = keras.Input((32, 32, 3))
    x = before = conv_norm(kl.Rescaling(1.0 / 255)(i), 6, "entry", strides=2)
    for name, size in (("a", 8), ("b", 12)):
        for part in ("one", "two"):
            x = kl.Activation("relu")(x)
            x = kl.SeparableConv2D(size, 3, padding="same", name=f"{name}_{part}")(x)
            x = kl.BatchNormalization()(x)
        x = kl.MaxPooling2D(3, strides=2, padding="same")(x)
        beside = kl.Conv2D(size, 1, strides=2, padding="same", name=f"{name}_beside")(before)
        x = before = kl.add([x, beside])
    x = kl.SeparableConv2D(10, 3, padding="same", name="last")(x)
    x = kl.Activation("relu")(kl.BatchNormalization()(x))
    return keras.Model(i, logits(kl.GlobalAveragePooling2D()(x)))


@example({"stem": 8, "point_0": 8, "point_1": 8})
def conv_mixer():
    def activation_block(x):
        return kl.BatchNormalization()(kl.Activation("gelu")(x))

    i = keras.Input((16, 16, 3))
    x = activation_block(kl.Conv2D(8, 2, strides=2, name="stem")(kl.Rescaling(1 / 255)(i)))
    for number in range(2):
        y = kl.DepthwiseConv2D(5, padding="same", name=f"depth_{number}")(x)
        x = kl.Add()([activation_block(y), x])
        x = activation_block(kl.Conv2D(8, 1, name=f"point_{number}")(x))
    x = kl.GlobalAvgPool2D()(x)
    return keras.Model(i, kl.Dense(5, activation="softmax", name="logits")(x))


def inverted_residual(x, wide, out, name, strides=1):
    y = conv_norm(x, wide, f"{name}_wide", 1, activation="swish")
    if strides == 2:
        y = kl.ZeroPadding2D(((0, 1), (0, 1)))(y)
    y = kl.DepthwiseConv2D(
        3, strides, padding="same" if strides == 1 else "valid", use_bias=False
    )(y)  # fmt: skip
    y = kl.Activation("swish")(kl.BatchNormalization()(y))
    y = conv_norm(y, out, f"{name}_out", 1, activation=None)
    return kl.Add()([x, y]) if strides == 1 and x.shape[-1] == out else y


@example(
    {
        "stem": 6, "a_wide": 12, "b_wide": 12, "b_out": 8, "local": 8, "attention/heads": 2,
        "attention/value": 4, "mlp_0": 16, "back": 8, "fused": 10,
    },
    admitted={"tokens": 8},
)  # fmt: skip
def mobile_vit():
    """Convolutions near, attention far: patches unfold and fold."""
    i = keras.Input((16, 16, 3))
    x = kl.Conv2D(6, 3, 2, activation="swish", padding="same", name="stem")(i)
    x = inverted_residual(inverted_residual(x, 12, 6, "a"), 12, 8, "b", strides=2)
    near = kl.Conv2D(8, 3, padding="same", activation="swish", name="local")(x)
    near = kl.Conv2D(8, 1, padding="same", activation="swish", name="tokens")(near)
    y = kl.Reshape((4, 4, 8))(near)
    z = kl.LayerNormalization()(y)
    y = kl.Add()([kl.MultiHeadAttention(2, 4, name="attention")(z, z), y])
    y = kl.Add()([mlp(kl.LayerNormalization()(y), [16, 8], "mlp"), y])
    far = kl.Conv2D(8, 1, activation="swish", name="back")(kl.Reshape((4, 4, 8))(y))
    both = kl.Concatenate(axis=-1)([x, far])
    x = kl.Conv2D(10, 3, padding="same", activation="swish", name="fused")(both)
    return keras.Model(i, logits(kl.GlobalAvgPool2D()(x)))


@example({"stem": 8, "a_wide": 16, "a_squeezed": 4, "b_wide": 16, "b_squeezed": 4,
          "b_out": 10, "top": 12})  # fmt: skip
def efficient_net():
    """Inverted residuals, each channel of which is gated by all."""
    i = keras.Input((16, 16, 3))
    x = conv_norm(kl.Rescaling(1 / 255)(i), 8, "stem", strides=2, activation="swish")
    for name, out in (("a", 8), ("b", 10)):
        y = conv_norm(x, 16, f"{name}_wide", 1, activation="swish")
        y = kl.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
        y = kl.Activation("swish")(kl.BatchNormalization()(y))
        gate = kl.Reshape((1, 1, 16))(kl.GlobalAveragePooling2D()(y))
        gate = kl.Conv2D(4, 1, activation="swish", name=f"{name}_squeezed")(gate)
        gate = kl.Conv2D(16, 1, activation="sigmoid", name=f"{name}_gate")(gate)
        y = conv_norm(kl.multiply([y, gate]), out, f"{name}_out", 1, activation=None)
        x = kl.add([kl.Dropout(0.2, noise_shape=(None, 1, 1, 1))(y), x]) if out == 8 else y
    x = conv_norm(x, 12, "top", 1, activation="swish")
    return keras.Model(i, logits(kl.GlobalAveragePooling2D()(x)))


@serializable
class Involution(kl.Layer):
    """A kernel for each place, shared by channels, made from what is at that place."""

    def __init__(self, channel, size, reduction, **options):
        super().__init__(**options)
        self.channel, self.size, self.reduction = channel, size, reduction

    def build(self, shape):
        _, self.height, self.width, _ = shape
        self.kernels = keras.Sequential([
            kl.Conv2D(self.channel // self.reduction, 1, name="squeezed"),
            kl.BatchNormalization(), kl.ReLU(), kl.Conv2D(self.size**2, 1),
        ])  # fmt: skip

    def call(self, x):
        kernel = self.kernels(x)
        kernel = ops.reshape(kernel, (-1, self.height, self.width, self.size**2, 1))
        patches = ops.image.extract_patches(x, size=self.size, strides=1, padding="same")
        shape = (-1, self.height, self.width, self.size**2, self.channel)
        return ops.sum(kernel * ops.reshape(patches, shape), axis=3)

    def get_config(self):
        sizes = {"channel": self.channel, "size": self.size, "reduction": self.reduction}
        return super().get_config() | sizes


@example({"squeezed": 4, "last": 10}, stays={"extract_patches": "no rule", "sum": "statistic"})
def involution():
    i = keras.Input((12, 12, 3))
    x = kl.Conv2D(8, 3, padding="same", name="conv")(i)
    x = kl.MaxPooling2D()(kl.ReLU()(Involution(8, 3, 2, name="involution")(x)))
    x = kl.Dense(10, activation="relu", name="last")(kl.Flatten()(x))
    return keras.Model(i, kl.Dense(5, name="logits")(x))


@serializable
class Orthogonal(keras.regularizers.Regularizer):
    """How far a matrix is from an orthogonal one."""

    def __init__(self, size, strength=0.001):
        self.size, self.strength = size, strength

    def __call__(self, x):
        x = ops.reshape(x, (-1, self.size, self.size))
        product = ops.tensordot(x, x, axes=(2, 2))
        apart = ops.reshape(product, (-1, self.size, self.size)) - ops.eye(self.size)
        return ops.sum(self.strength * ops.square(apart))

    def get_config(self):
        return {"size": self.size, "strength": self.strength}


def conv_points(x, filters, name):
    x = kl.Conv1D(filters, 1, padding="valid", name=name)(x)
    return kl.Activation("relu")(kl.BatchNormalization(momentum=0.0)(x))


def turned(inputs, size, name):
    """Multiplies all points with a matrix that is made from them."""
    x = inputs
    for number, filters in enumerate((6, 10)):
        x = conv_points(x, filters, f"{name}_conv_{number}")
    x = kl.Dense(8, name=f"{name}_dense")(kl.GlobalMaxPooling1D()(x))
    x = kl.Activation("relu")(kl.BatchNormalization(momentum=0.0)(x))
    x = kl.Dense(
        size * size, kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(np.eye(size).flatten()),
        activity_regularizer=Orthogonal(size), name=f"{name}_matrix",
    )(x)  # fmt: skip
    return kl.Dot(axes=(2, 1))([inputs, kl.Reshape((size, size))(x)])


@example({
    "three_conv_0": 6, "three_conv_1": 10, "three_dense": 8, "first": 7,
    "many_conv_0": 6, "many_conv_1": 10, "many_dense": 8, "second": 12, "wide": 9,
})  # fmt: skip
def point_net():
    """A matrix that is regularised as a square stays, and what it multiplies."""
    i = keras.Input((20, 3))
    x = conv_points(conv_points(turned(i, 3, "three"), 7, "first"), 5, "features")
    x = conv_points(turned(x, 5, "many"), 12, "second")
    x = kl.Dense(9, name="wide")(kl.GlobalMaxPooling1D()(x))
    x = kl.Activation("relu")(kl.BatchNormalization(momentum=0.0)(x))
    return keras.Model(i, kl.Dense(4, activation="softmax", name="logits")(kl.Dropout(0.3)(x)))


@serializable
class BagAttention(kl.Layer):
    """How much each instance of a bag counts."""

    def __init__(self, dimension, gated=True, **options):
        super().__init__(**options)
        self.dimension, self.gated = dimension, gated

    def build(self, shapes):
        width = shapes[0][1]
        self.v = self.add_weight((width, self.dimension), name="v")
        self.w = self.add_weight((self.dimension, 1), name="w")
        self.u = self.add_weight((width, self.dimension), name="u") if self.gated else None

    def call(self, instances):
        scores = ops.softmax(ops.stack([self.score(x) for x in instances]), axis=0)
        return [scores[number] for number in range(scores.shape[0])]

    def score(self, x):
        seen = ops.tanh(ops.tensordot(x, self.v, axes=1))
        if self.gated:
            seen = seen * ops.sigmoid(ops.tensordot(x, self.u, axes=1))
        return ops.tensordot(seen, self.w, axes=1)

    def get_config(self):
        return super().get_config() | {"dimension": self.dimension, "gated": self.gated}


@example({"shared_1": 12, "shared_2": 8, "attention": 6})
def attention_of_bags():
    """Each of three instances goes through the same layers."""
    shared_1 = kl.Dense(12, activation="relu", name="shared_1")
    shared_2 = kl.Dense(8, activation="relu", name="shared_2")
    inputs = [keras.Input((6, 6)) for _ in range(3)]
    embedded = [shared_2(shared_1(kl.Flatten()(i))) for i in inputs]
    weights = BagAttention(6, name="attention")(embedded)
    weighed = [kl.multiply([w, x]) for w, x in zip(weights, embedded, strict=True)]
    x = kl.concatenate(weighed, axis=1)
    return keras.Model(inputs, kl.Dense(2, activation="softmax", name="logits")(x))


@example({"conv_1": 6, "conv_2": 8, "wide": 10})
def scans_in_3d():
    x = i = keras.Input((12, 12, 8, 1))
    for name, filters in (("conv_1", 6), ("conv_2", 8)):
        x = kl.Conv3D(filters, 3, activation="relu", padding="same", name=name)(x)
        x = kl.BatchNormalization()(kl.MaxPool3D(pool_size=2)(x))
    x = kl.Dense(10, activation="relu", name="wide")(kl.GlobalAveragePooling3D()(x))
    return keras.Model(i, kl.Dense(1, activation="sigmoid")(kl.Dropout(0.3)(x)))


@serializable
class Conv2Plus1D(kl.Layer):
    """A convolution over space, then one over time."""

    def __init__(self, filters, **options):
        super().__init__(**options)
        self.filters = filters
        self.both = keras.Sequential([
            kl.Conv3D(filters, (1, 3, 3), padding="same", name=f"{self.name}_space"),
            kl.Conv3D(filters, (3, 1, 1), padding="same", name=f"{self.name}_time"),
        ])  # fmt: skip

    def call(self, x):
        return self.both(x)

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


@example(
    {"stem_space": 6, "stem_time": 6, "main_1_space": 8, "main_2_space": 8},
    admitted={"main_1_time": 8, "project": 8},
)  # fmt: skip
def video_residual():
    i = keras.Input((4, 12, 12, 3))
    x = kl.ReLU()(kl.BatchNormalization()(Conv2Plus1D(6, name="stem")(i)))
    y = kl.ReLU()(kl.LayerNormalization()(Conv2Plus1D(8, name="main_1")(x)))
    y = kl.LayerNormalization()(Conv2Plus1D(8, name="main_2")(y))
    beside = kl.LayerNormalization()(kl.Dense(8, name="project")(x))
    x = kl.GlobalAveragePooling3D()(kl.add([beside, y]))
    return keras.Model(i, logits(kl.Flatten()(x)))


@example({"conv": 8, "gru_1": 10, "gru_2": 8, "wide": 7})
def video_of_cnn_and_rnn():
    i = keras.Input((4, 12, 12, 3))
    frames = kl.TimeDistributed(kl.Conv2D(8, 3, activation="relu"), name="conv")(i)
    x = kl.TimeDistributed(kl.GlobalAveragePooling2D())(frames)
    x = kl.GRU(8, name="gru_2")(kl.GRU(10, return_sequences=True, name="gru_1")(x))
    x = kl.Dense(7, activation="relu", name="wide")(kl.Dropout(0.4)(x))
    return keras.Model(i, kl.Dense(5, activation="softmax")(x))


@example({"conv_1": 6, "conv_2": 8})
def siamese_network():
    """Two images through one network; how far apart they are."""
    image = keras.Input((16, 16, 1))
    x = kl.Conv2D(6, 5, activation="tanh", name="conv_1")(kl.BatchNormalization()(image))
    x = kl.Conv2D(8, 5, activation="tanh", name="conv_2")(kl.AveragePooling2D(2)(x))
    x = kl.BatchNormalization()(kl.Flatten()(kl.AveragePooling2D(2)(x)))
    tower = keras.Model(image, kl.Dense(7, activation="tanh", name="embedding")(x), name="tower")
    left, right = keras.Input((16, 16, 1)), keras.Input((16, 16, 1))
    distance = kl.Lambda(euclidean, output_shape=(1,))([tower(left), tower(right)])
    x = kl.Dense(1, activation="sigmoid")(kl.BatchNormalization()(distance))
    return keras.Model([left, right], x)


@serializable
def euclidean(pair):
    x, y = pair
    square = ops.sum(ops.square(x - y), axis=1, keepdims=True)
    return ops.sqrt(ops.maximum(square, keras.config.epsilon()))


@serializable
class Distances(kl.Layer):
    """Of an anchor to one that is like it and to one that is not."""

    def call(self, anchor, positive, negative):
        near = ops.sum(ops.square(anchor - positive), -1)
        return near, ops.sum(ops.square(anchor - negative), -1)


@example(
    {"conv": 6, "wide": 10}, stays={"distances_sum": "statistic", "distances_sum_1": "statistic"}
)
def triplets():
    """Distances of embeddings: all of these are what the model is for."""
    image = keras.Input((12, 12, 3))
    x = kl.Flatten()(kl.Conv2D(6, 3, strides=2, activation="relu", name="conv")(image))
    x = kl.BatchNormalization()(kl.Dense(10, activation="relu", name="wide")(x))
    tower = keras.Model(image, kl.Dense(8, name="embedding")(x), name="tower")
    inputs = [keras.Input((12, 12, 3), name=name) for name in ("anchor", "positive", "negative")]
    return keras.Model(inputs, Distances()(*map(tower, inputs)))
