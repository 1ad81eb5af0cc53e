"""Images as sequences of patches: examples/vision of keras.io."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import PatchEncoder, Patches, example, mlp, serializable

EXTRACTED = {"extract_patches": "no rule"}


def encoded(images, width=8):
    """The sequence of patches of images of 16 x 16 pixels."""
    patches = Patches(4, name="patches")(images)
    return PatchEncoder(16, width, name="encoder")(patches)


def block(x, name, width=8, hidden=16):
    """Attention and an MLP, each behind a norm and beside what passes by."""
    y = kl.LayerNormalization(epsilon=1e-6)(x)
    y = kl.MultiHeadAttention(2, width, dropout=0.1, name=f"{name}_attention")(y, y)
    x = kl.Add()([y, x])
    y = kl.LayerNormalization(epsilon=1e-6)(x)
    return kl.Add()([mlp(y, [hidden, width], f"{name}_mlp"), x])


@example(
    {
        "one_attention/heads": 2, "one_attention/value": 8, "one_mlp_0": 16,
        "two_attention/heads": 2, "two_attention/value": 8, "two_mlp_0": 16,
        "head_0": 12, "head_1": 10,
    },
    admitted={"encoder/projection": 8},
    stays=EXTRACTED,
)  # fmt: skip
def vision_transformer():
    i = keras.Input((16, 16, 3))
    x = block(block(encoded(i), "one"), "two")
    x = kl.Flatten()(kl.LayerNormalization(epsilon=1e-6)(x))
    x = mlp(kl.Dropout(0.5)(x), [12, 10], "head")
    return keras.Model(i, kl.Dense(5, name="logits")(x))


@serializable
class Tokenizer(kl.Layer):
    """Convolutions and poolings; the positions that are left become a sequence."""

    def __init__(self, filters, **options):
        super().__init__(**options)
        self.filters = filters
        self.convolutions = keras.Sequential(name="convolutions")
        for number, count in enumerate(filters):
            conv = kl.Conv2D(
                count, 3, 1, padding="valid", use_bias=False, activation="relu",
                kernel_initializer="he_normal", name=f"conv_{number}",
            )  # fmt: skip
            for layer in (conv, kl.ZeroPadding2D(1), kl.MaxPooling2D(3, 2, "same")):
                self.convolutions.add(layer)

    def call(self, images):
        x = self.convolutions(images)
        _, height, width, channels = ops.shape(x)
        return ops.reshape(x, (-1, height * width, channels))

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


@serializable
class LearntPlaces(kl.Layer):
    """A vector for each place, of the shape of what it reads."""

    def __init__(self, longest, **options):
        super().__init__(**options)
        self.longest = longest

    def build(self, shape):
        self.table = self.add_weight((self.longest, shape[-1]), name="table")

    def call(self, x):
        shape = ops.shape(x)
        places = ops.convert_to_tensor(self.table)[: shape[-2], :]
        return ops.broadcast_to(places, shape)

    def get_config(self):
        return super().get_config() | {"longest": self.longest}


@serializable
class StochasticDepth(kl.Layer):
    """Leaves out a branch at random, in training."""

    def __init__(self, rate, **options):
        super().__init__(**options)
        self.rate = rate
        self.seeds = keras.random.SeedGenerator(1337)

    def call(self, x, training=None):
        if not training:
            return x
        shape = (ops.shape(x)[0],) + (1,) * (len(x.shape) - 1)
        kept = 1 - self.rate
        draw = kept + keras.random.uniform(shape, 0, 1, seed=self.seeds)
        return x / kept * ops.floor(draw)

    def get_config(self):
        return super().get_config() | {"rate": self.rate}


@serializable
class SequencePooling(kl.Layer):
    """A mean of all positions, weighed by what they say."""

    def __init__(self, **options):
        super().__init__(**options)
        self.attention = kl.Dense(1, name="weighing")

    def call(self, x):
        weights = ops.softmax(self.attention(x), axis=1)
        weights = ops.transpose(weights, (0, 2, 1))
        return ops.squeeze(ops.matmul(weights, x), -2)


@example(
    {
        "conv_0": 6, "attention_0/heads": 2, "attention_0/value": 8, "mlp_0_0": 16,
        "attention_1/heads": 2, "attention_1/value": 8, "mlp_1_0": 16,
    },
    admitted={"conv_1": 8},
)  # fmt: skip
def compact_convolutional_transformer():
    i = keras.Input((16, 16, 3))
    x = Tokenizer([6, 8], name="tokenizer")(i)
    x = x + LearntPlaces(16, name="places")(x)
    for number, rate in enumerate(np.linspace(0, 0.1, 2)):
        y = kl.LayerNormalization(epsilon=1e-5)(x)
        y = kl.MultiHeadAttention(2, 8, dropout=0.1, name=f"attention_{number}")(y, y)
        x = kl.Add()([StochasticDepth(float(rate))(y), x])
        y = mlp(kl.LayerNormalization(epsilon=1e-5)(x), [16, 8], f"mlp_{number}")
        x = kl.Add()([StochasticDepth(float(rate))(y), x])
    x = SequencePooling(name="pooling")(kl.LayerNormalization(epsilon=1e-5)(x))
    return keras.Model(i, kl.Dense(5, name="logits")(x))


@serializable
class MixerBlock(kl.Layer):
    """An MLP over places, then one over channels; the norm is the same for both."""

    def __init__(self, places, width, hidden, **options):
        super().__init__(**options)
        self.sizes = {"places": places, "width": width, "hidden": hidden}
        self.over_places = keras.Sequential([
            kl.Dense(places, activation="gelu", name="across"), kl.Dense(places), kl.Dropout(0.1),
        ], name="over_places")  # fmt: skip
        self.over_channels = keras.Sequential([
            kl.Dense(hidden, activation="gelu", name="wide"), kl.Dense(width), kl.Dropout(0.1),
        ], name="over_channels")  # fmt: skip
        self.norm = kl.LayerNormalization(epsilon=1e-6)

    def build(self, shape):
        self.built = True

    def call(self, x):
        y = ops.transpose(self.norm(x), axes=(0, 2, 1))
        x = x + ops.transpose(self.over_places(y), axes=(0, 2, 1))
        return x + self.over_channels(self.norm(x))

    def get_config(self):
        return super().get_config() | self.sizes


@example(
    {"blocks/one_over_places/across": 16, "blocks/one_over_channels/wide": 12,
     "blocks/two_over_places/across": 16, "blocks/two_over_channels/wide": 12},
    admitted={},  # a tensor shrinks along one axis, and `across` is wider than the stem
    stays=EXTRACTED,
)  # fmt: skip
def mlp_mixer():
    i = keras.Input((16, 16, 3))
    x = kl.Dense(8, name="stem")(Patches(4, name="patches")(i))
    x = keras.Sequential(
        [MixerBlock(16, 8, 12, name="one"), MixerBlock(16, 8, 12, name="two")], name="blocks"
    )(x)
    x = kl.Dropout(0.2)(kl.GlobalAveragePooling1D()(x))
    return keras.Model(i, kl.Dense(5, name="logits")(x))


@serializable
class GatedBlock(kl.Layer):
    """gMLP: one half of the channels, mixed over places, gates the other."""

    def __init__(self, places, width, **options):
        super().__init__(**options)
        self.sizes = {"places": places, "width": width}
        self.first = keras.Sequential(
            [kl.Dense(2 * width, activation="gelu", name="halves"), kl.Dropout(0.1)]
        )
        self.second = kl.Dense(width, name="second")
        self.spatial = kl.Dense(places, bias_initializer="ones", name="spatial")
        self.norm_1, self.norm_2 = kl.LayerNormalization(), kl.LayerNormalization()

    def build(self, shape):
        self.built = True

    def call(self, x):
        u, v = ops.split(self.first(self.norm_1(x)), indices_or_sections=2, axis=2)
        v = ops.transpose(self.norm_2(v), (0, 2, 1))
        gated = u * ops.transpose(self.spatial(v), (0, 2, 1))
        return x + self.second(gated)

    def get_config(self):
        return super().get_config() | self.sizes


# The halves meet what the dense layer over places makes, and a tensor shrinks along one axis.
@example({}, admitted={"stem": 8}, stays=EXTRACTED)
def gated_mlp():
    i = keras.Input((16, 16, 3))
    x = kl.Dense(8, name="stem")(Patches(4, name="patches")(i))
    x = GatedBlock(16, 8, name="block")(x)
    return keras.Model(i, kl.Dense(5, name="logits")(kl.GlobalAveragePooling1D()(x)))


@serializable
class FourierBlock(kl.Layer):
    """FNet: places and channels mixed by a Fourier transform."""

    def __init__(self, width, hidden, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "hidden": hidden}
        self.feed = keras.Sequential(
            [kl.Dense(hidden, activation="gelu", name="hidden"), kl.Dropout(0.1), kl.Dense(width)]
        )
        self.norm_1, self.norm_2 = kl.LayerNormalization(), kl.LayerNormalization()

    def build(self, shape):
        self.built = True

    def call(self, x):
        x = self.norm_1(x + ops.fft2((x, ops.zeros_like(x)))[0])
        return self.norm_2(x + self.feed(x))

    def get_config(self):
        return super().get_config() | self.sizes


@example({"hidden": 12}, admitted={}, stays=EXTRACTED | {"fft2": "no rule"})
def fnet():
    i = keras.Input((16, 16, 3))
    x = kl.Dense(8, name="stem")(Patches(4, name="patches")(i))
    x = FourierBlock(8, 12, name="block")(x)
    return keras.Model(i, kl.Dense(5, name="logits")(kl.GlobalAveragePooling1D()(x)))


@serializable
def shares(scores):
    return scores / (1e-9 + ops.sum(scores, axis=-1, keepdims=True))


def external_attention(x, dim, heads, name, coefficient=2):
    """Two small memories that all images share take the place of keys and values."""
    _, count, _ = x.shape
    heads, wide = heads * coefficient, dim * coefficient
    x = kl.Dense(wide, name=f"{name}_wide")(x)
    x = ops.transpose(ops.reshape(x, (-1, count, heads, wide // heads)), (0, 2, 1, 3))
    scores = kl.Softmax(axis=2)(kl.Dense(dim // coefficient, name=f"{name}_keys")(x))
    scores = kl.Lambda(shares)(scores)
    x = kl.Dense(wide // heads, name=f"{name}_values")(kl.Dropout(0.1)(scores))
    x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, count, wide))
    return kl.Dropout(0.1)(kl.Dense(dim, name=f"{name}_out")(x))


@example(
    {"external_wide": 6, "external_values": 6, "mlp_0": 16},
    admitted={"encoder/projection": 12},
    stays=EXTRACTED,
)
def external_attention_network():
    i = keras.Input((16, 16, 3))
    x = encoded(i, 12)
    y = external_attention(kl.LayerNormalization()(x), 12, 2, "external")
    x = kl.add([y, x])
    x = kl.add([mlp(kl.LayerNormalization()(x), [16, 12], "mlp"), x])
    return keras.Model(i, kl.Dense(5, name="logits")(kl.GlobalAveragePooling1D()(x)))


@serializable
class Tubelets(kl.Layer):
    """ViViT: boxes of a video become a sequence."""

    def __init__(self, width, side, **options):
        super().__init__(**options)
        self.sizes = {"width": width, "side": side}
        self.projection = kl.Conv3D(width, side, strides=side, name="projection")
        self.flatten = kl.Reshape((-1, width))

    def call(self, videos):
        return self.flatten(self.projection(videos))

    def get_config(self):
        return super().get_config() | self.sizes


@serializable
class Places(kl.Layer):
    """Adds an embedding of each place, as wide as what it reads."""

    def build(self, shape):
        _, count, width = shape
        self.table = kl.Embedding(count, width, name="table")
        self.numbers = ops.arange(0, count, 1)

    def call(self, tokens):
        return tokens + self.table(self.numbers)


@example(
    {"attention/heads": 2, "attention/value": 4, "wide": 16}, admitted={"projection": 8}
)  # fmt: skip
def video_transformer():
    i = keras.Input((4, 16, 16, 1))
    x = Places(name="places")(Tubelets(8, (2, 8, 8), name="tubelets")(i))
    y = kl.LayerNormalization()(x)
    x = kl.Add()([kl.MultiHeadAttention(2, 4, dropout=0.1, name="attention")(y, y), x])
    y = kl.LayerNormalization()(x)
    y = keras.Sequential([
        kl.Dense(16, activation="gelu", name="wide"),
        kl.Dense(8, activation="gelu"),
    ])(y)  # fmt: skip
    x = kl.LayerNormalization()(kl.Add()([y, x]))
    x = kl.GlobalAvgPool1D()(x)
    return keras.Model(i, kl.Dense(5, activation="softmax", name="logits")(x))


def cross_attention():
    """A model of two inputs: latent vectors ask, the patches answer."""
    latent, data = keras.Input((6, 8), name="latent"), keras.Input((16, 8), name="data")
    asking, told = kl.LayerNormalization()(latent), kl.LayerNormalization()(data)
    query, key = kl.Dense(8, name="query")(asking), kl.Dense(8, name="key")(told)
    value = kl.Dense(8, name="value")(told)
    x = kl.Attention(use_scale=True, dropout=0.1, name="dot")([query, value, key])
    x = kl.LayerNormalization()(kl.Add()([x, latent]))
    x = kl.Add()([mlp(x, [12, 8], "cross_mlp"), x])
    return keras.Model({"latent": latent, "data": data}, x, name="cross")


@serializable
class Perceiver(keras.Model):
    """Latent vectors look at the patches again and again, with the same weights."""

    def build(self, shape):
        self.latent = self.add_weight((6, 8), initializer="random_normal", name="latent")
        self.patches, self.encoder = Patches(4), PatchEncoder(16, 8, name="encoder")
        self.cross = cross_attention()
        i = keras.Input((6, 8))
        self.transformer = keras.Model(i, block(i, "own"), name="transformer")
        self.pool, self.logits = kl.GlobalAveragePooling1D(), kl.Dense(5, name="logits")

    def call(self, images):
        data = self.encoder(self.patches(images))
        x = ops.expand_dims(self.latent, 0)
        for _ in range(2):
            x = self.transformer(self.cross({"latent": x, "data": data}))
        return self.logits(self.pool(x))


@example(
    {"query": 8, "cross_mlp_0": 12, "own_attention/heads": 2, "own_attention/value": 8,
     "own_mlp_0": 16},
    stays=EXTRACTED,
)  # fmt: skip
def perceiver():
    model = Perceiver(name="perceiver")
    model(np.zeros((2, 16, 16, 3), "float32"))
    return model
