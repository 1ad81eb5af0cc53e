"""Models that draw: autoencoders, adversarial networks, diffusion, flows."""

import math

import keras
import numpy as np
import tensorflow as tf
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import conv_norm, example, serializable


@serializable
class Sampling(kl.Layer):
    """Draws a vector by its mean and the logarithm of its variance."""

    def __init__(self, **options):
        super().__init__(**options)
        self.seeds = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        mean, log_variance = inputs
        noise = keras.random.normal(shape=ops.shape(mean), seed=self.seeds)
        return mean + ops.exp(0.5 * log_variance) * noise


def encoder(draws):
    i = keras.Input((16, 16, 1))
    x = kl.Conv2D(6, 3, activation="relu", strides=2, padding="same", name="conv_1")(i)
    x = kl.Conv2D(8, 3, activation="relu", strides=2, padding="same", name="conv_2")(x)
    x = kl.Dense(10, activation="relu", name="wide")(kl.Flatten()(x))
    mean, spread = kl.Dense(2, name="mean")(x), kl.Dense(2, name="log_variance")(x)
    drawn = [Sampling(name="drawn")([mean, spread])] if draws else []
    return keras.Model(i, [mean, spread, *drawn], name="encoder")


def decoder():
    i = keras.Input((2,))
    x = kl.Reshape((4, 4, 8))(kl.Dense(4 * 4 * 8, activation="relu", name="wide")(i))
    x = kl.Conv2DTranspose(8, 3, activation="relu", strides=2, padding="same", name="up_1")(x)
    x = kl.Conv2DTranspose(6, 3, activation="relu", strides=2, padding="same", name="up_2")(x)
    x = kl.Conv2DTranspose(1, 3, activation="sigmoid", padding="same", name="output")(x)
    return keras.Model(i, x, name="decoder")


@serializable
class VAE(keras.Model):
    """An encoder and a decoder that are trained together."""

    def __init__(self, encoder, decoder, **options):
        super().__init__(**options)
        self.encoder, self.decoder = encoder, decoder
        self.total = keras.metrics.Mean(name="loss")

    @property
    def metrics(self):
        return [self.total]

    def call(self, images):
        return self.decoder(self.encoder(images)[0])

    def train_step(self, images):
        with tf.GradientTape() as tape:
            mean, spread, drawn = self.encoder(images)
            apart = ops.mean(ops.square(images - self.decoder(drawn)))
            divergence = ops.mean(1 + spread - ops.square(mean) - ops.exp(spread))
            loss = apart - 0.5 * divergence
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.total.update_state(loss)
        return {"loss": self.total.result()}

    def get_config(self):
        return {"name": self.name}


@example({"conv_1": 6, "conv_2": 8, "wide": 10})
def encoder_of_vae():
    """Without the layer that draws, so that what it computes is always the same."""
    return encoder(draws=False)


@example({"wide": 8, "up_1": 8, "up_2": 6})
def decoder_of_vae():
    return decoder()


@example({"conv_1": 6, "conv_2": 8, "encoder/wide": 10, "decoder/wide": 8, "up_1": 8,
          "up_2": 6}, stays={"drawn": "no rule"})  # fmt: skip
def vae():
    """Both in one; what is drawn is not read."""
    model = VAE(encoder(draws=True), decoder(), name="vae")
    model(np.zeros((2, 16, 16, 1), "float32"))
    return model


@example({"wide": 8, "up_1": 8, "up_2": 10})
def generator_of_dcgan():
    return keras.Sequential([
        keras.Input((6,)), kl.Dense(4 * 4 * 8, name="wide"), kl.Reshape((4, 4, 8)),
        kl.Conv2DTranspose(8, 4, strides=2, padding="same", name="up_1"), kl.LeakyReLU(0.2),
        kl.Conv2DTranspose(10, 4, strides=2, padding="same", name="up_2"), kl.LeakyReLU(0.2),
        kl.Conv2D(3, 5, padding="same", activation="sigmoid"),
    ], name="generator")  # fmt: skip


@example({"conv_1": 6, "conv_2": 8}, stays={"repeat": "the batch among them"})
def conditional_discriminator():
    """The class of an image as further channels of it."""
    images, labels = keras.Input((16, 16, 1)), keras.Input((5,))
    maps = ops.reshape(ops.repeat(labels[:, :, None, None], 16 * 16), (-1, 16, 16, 5))
    x = kl.Concatenate()([images, maps])
    x = kl.LeakyReLU(0.2)(kl.Conv2D(6, 3, strides=2, padding="same", name="conv_1")(x))
    x = kl.LeakyReLU(0.2)(kl.Conv2D(8, 3, strides=2, padding="same", name="conv_2")(x))
    return keras.Model([images, labels], kl.Dense(1)(kl.GlobalMaxPooling2D()(x)))


@serializable
class Reflected(kl.Layer):
    """Mirrors the border of an image outwards."""

    def __init__(self, padding=(1, 1), **options):
        super().__init__(**options)
        self.padding = tuple(padding)

    def call(self, x):
        width, height = self.padding
        return ops.pad(x, [[0, 0], [height, height], [width, width], [0, 0]], mode="reflect")

    def get_config(self):
        return super().get_config() | {"padding": self.padding}


@example({"first": 6, "down": 8, "residual_a": 8, "up": 6})
def generator_of_cycle_gan():
    """Every convolution is followed by a norm over each channel for itself."""

    def norm(x):
        return kl.GroupNormalization(groups=-1, epsilon=1e-5)(x)

    i = keras.Input((16, 16, 3))
    x = kl.Conv2D(6, 7, use_bias=False, name="first")(Reflected((3, 3))(i))
    x = kl.Activation("relu")(norm(x))
    x = kl.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="down")(x)
    x = kl.Activation("relu")(norm(x))
    y = kl.Conv2D(8, 3, use_bias=False, name="residual_a")(Reflected()(x))
    y = kl.Activation("relu")(norm(y))
    y = norm(kl.Conv2D(8, 3, use_bias=False, name="residual_b")(Reflected()(y)))
    x = kl.add([x, y])
    x = kl.Conv2DTranspose(6, 3, strides=2, padding="same", use_bias=False, name="up")(x)
    x = kl.Activation("relu")(norm(x))
    x = kl.Conv2D(3, 7, padding="valid")(Reflected((3, 3))(x))
    return keras.Model(i, kl.Activation("tanh")(x))


@serializable
def sinusoids(x):
    """The strength of the noise as waves, for each pixel."""
    frequencies = ops.exp(ops.linspace(ops.log(1.0), ops.log(1000.0), 4))
    angles = ops.cast(2.0 * math.pi * frequencies, "float32") * x
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=3)


def residual_of_ddim(x, width, name):
    beside = x if x.shape[3] == width else kl.Conv2D(width, 1, name=f"{name}_beside")(x)
    x = kl.BatchNormalization(center=False, scale=False)(x)
    x = kl.Conv2D(width, 3, padding="same", activation="swish", name=f"{name}_a")(x)
    return kl.Add()([kl.Conv2D(width, 3, padding="same", name=f"{name}_b")(x), beside])


@example(
    {"stem": 4, "down_a": 6, "down_b": 6, "deep_a": 8, "deep_b": 8, "up_a": 6, "up_b": 6}
)  # fmt: skip
def diffusion_ddim():
    noisy, variances = keras.Input((16, 16, 3)), keras.Input((1, 1, 1))
    e = kl.Lambda(sinusoids, output_shape=(1, 1, 8))(variances)
    e = kl.UpSampling2D(size=16, interpolation="nearest")(e)
    x = kl.Concatenate()([kl.Conv2D(4, 1, name="stem")(noisy), e])
    beside = residual_of_ddim(x, 6, "down")
    x = residual_of_ddim(kl.AveragePooling2D(2)(beside), 8, "deep")
    x = kl.UpSampling2D(size=2, interpolation="bilinear")(x)
    x = residual_of_ddim(kl.Concatenate()([x, beside]), 6, "up")
    return keras.Model([noisy, variances], kl.Conv2D(3, 1, kernel_initializer="zeros")(x))


@serializable
class ImageAttention(kl.Layer):
    """All places look at all others, by einsum."""

    def __init__(self, units, groups=2, **options):
        super().__init__(**options)
        self.units, self.groups = units, groups
        self.norm = kl.GroupNormalization(groups=groups)
        self.query, self.key = kl.Dense(units, name="query"), kl.Dense(units, name="key")
        self.value, self.proj = kl.Dense(units, name="value"), kl.Dense(units, name="proj")

    def call(self, inputs):
        _, height, width, _ = inputs.shape
        scale = ops.cast(self.units, "float32") ** (-0.5)
        x = self.norm(inputs)
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = ops.einsum("bhwc, bHWc->bhwHW", q, k) * scale
        scores = ops.reshape(scores, [-1, height, width, height * width])
        scores = ops.reshape(ops.nn.softmax(scores, -1), [-1, height, width, height, width])
        return inputs + self.proj(ops.einsum("bhwHW,bHWc->bhwc", scores, v))

    def get_config(self):
        return super().get_config() | {"units": self.units, "groups": self.groups}


@serializable
class TimeEmbedding(kl.Layer):
    """Waves that say how much noise there is."""

    def __init__(self, dimension, **options):
        super().__init__(**options)
        self.dimension = dimension
        half = dimension // 2
        self.waves = ops.exp(ops.arange(half, dtype="float32") * -(math.log(10000) / (half - 1)))

    def call(self, steps):
        angles = ops.cast(steps, "float32")[:, None] * self.waves[None, :]
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=-1)

    def get_config(self):
        return super().get_config() | {"dimension": self.dimension}


@example(
    {"time": 10},
    admitted={"conv_1": 4, "output_a": 3},
    stays={"attention": "its call fails on symbolic tensors"},
)
def diffusion_ddpm():
    """Of each of a norm's two groups a channel leaves; einsum knows no capitals in Keras."""
    image, steps = keras.Input((8, 8, 3)), keras.Input((), dtype="int64")
    told = kl.Dense(10, activation="swish", name="time")(TimeEmbedding(8)(steps))
    x = kl.Conv2D(8, 3, padding="same", name="first")(image)
    y = keras.activations.swish(kl.GroupNormalization(groups=2)(x))
    y = kl.Conv2D(8, 3, padding="same", name="conv_1")(y)
    y = kl.Add()([y, kl.Dense(8)(keras.activations.swish(told))[:, None, None, :]])
    y = keras.activations.swish(kl.GroupNormalization(groups=2)(y))
    x = kl.Add()([x, kl.Conv2D(8, 3, padding="same", name="conv_2")(y)])
    x = ImageAttention(8, name="attention")(x)
    x = kl.Conv2D(6, 3, padding="same", name="output_a")(x)
    x = keras.activations.swish(kl.GroupNormalization(groups=2)(x))
    return keras.Model([image, steps], kl.Conv2D(3, 3, padding="same", name="output")(x))


@serializable
class MaskedConv(kl.Layer):
    """PixelCNN: the kernel sees only what comes before, as it is masked at each call."""

    def __init__(self, kind, filters, size, **options):
        super().__init__(**options)
        self.sizes = {"kind": kind, "filters": filters, "size": size}
        self.conv = kl.Conv2D(filters, size, activation="relu", padding="same", name="conv")

    def build(self, shape):
        self.conv.build(shape)
        mask = np.zeros(self.conv.kernel.shape, "float32")
        half = self.sizes["size"] // 2
        mask[:half], mask[half, :half] = 1, 1
        if self.sizes["kind"] == "B":
            mask[half, half] = 1
        self.mask = mask

    def call(self, x):
        self.conv.kernel.assign(self.conv.kernel * self.mask)
        return self.conv(x)

    def get_config(self):
        return super().get_config() | self.sizes


@example({}, stays={"first": "no rule", "block": "no rule"})
def pixel_cnn():
    """A layer that changes its own weights while it is called stays as it is."""
    i = keras.Input((12, 12, 1))
    x = MaskedConv("A", 8, 5, name="first")(i)
    x = kl.add([MaskedConv("B", 8, 3, name="block")(x), x])
    return keras.Model(i, kl.Conv2D(1, 1, activation="sigmoid", name="output")(x))


@serializable
class VectorQuantizer(kl.Layer):
    """Every place takes the nearest of the vectors that the layer knows."""

    def __init__(self, count, width, beta=0.25, **options):
        super().__init__(**options)
        self.count, self.width, self.beta = count, width, beta
        self.vectors = self.add_weight((width, count), "random_uniform", name="vectors")

    def call(self, x):
        shape = ops.shape(x)
        flat = ops.reshape(x, [-1, self.width])
        products = ops.matmul(flat, self.vectors)
        squares = ops.sum(self.vectors**2, axis=0)
        distances = ops.sum(flat**2, axis=1, keepdims=True) + squares - 2 * products
        chosen = ops.one_hot(ops.argmin(distances, axis=1), self.count)
        found = ops.reshape(ops.matmul(chosen, ops.transpose(self.vectors)), shape)
        self.add_loss(self.beta * ops.mean((ops.stop_gradient(found) - x) ** 2))
        return x + ops.stop_gradient(found - x)

    def get_config(self):
        sizes = {"count": self.count, "width": self.width, "beta": self.beta}
        return super().get_config() | sizes


@example({"conv": 6, "up": 8}, stays={"quantizer": "no rule"})
def vq_vae():
    i = keras.Input((12, 12, 1))
    x = kl.Conv2D(6, 3, strides=2, activation="relu", padding="same", name="conv")(i)
    x = kl.Conv2D(4, 1, padding="same", name="code")(x)
    x = VectorQuantizer(10, 4, name="quantizer")(x)
    x = kl.Conv2DTranspose(8, 3, strides=2, activation="relu", padding="same", name="up")(x)
    return keras.Model(i, kl.Conv2DTranspose(1, 3, padding="same")(x))


def coupling(name):
    """What half of the coordinates says of the other half: a scale and a shift."""
    i = keras.Input((4,))
    regular = {"kernel_regularizer": keras.regularizers.l2(0.01)}
    t = kl.Dense(8, activation="relu", name=f"{name}_t", **regular)(i)
    s = kl.Dense(6, activation="relu", name=f"{name}_s", **regular)(i)
    t = kl.Dense(4, activation="linear", **regular)(t)
    return keras.Model(i, [kl.Dense(4, activation="tanh", **regular)(s), t], name=name)


@serializable
class RealNVP(keras.Model):
    """A flow: points there and back, with the logarithm of the determinant."""

    def __init__(self, **options):
        super().__init__(**options)
        self.masks = np.array([[0, 1, 0, 1], [1, 0, 1, 0]], "float32")
        self.couplings = [coupling("first"), coupling("second")]

    def call(self, x):
        total = 0
        for number in (1, 0):
            seen = x * self.masks[number]
            other = 1 - self.masks[number]
            s, t = self.couplings[number](seen)
            s, t = s * other, t * other
            x = other * (x * ops.exp(-s) - t * ops.exp(-s)) + seen
            total = total - ops.sum(s, axis=1)
        return x, total


@example({"first_t": 8, "first_s": 6, "second_t": 8, "second_s": 6})
def real_nvp():
    model = RealNVP(name="real_nvp")
    model(np.zeros((2, 4), "float32"))
    return model


@serializable
class AdaptiveNorm(kl.Layer):
    """GauGAN: an image normalised over places, scaled by what another image says."""

    def __init__(self, filters, **options):
        super().__init__(**options)
        self.filters = filters
        self.conv = kl.Conv2D(6, 3, padding="same", activation="relu", name="seen")
        self.gamma = kl.Conv2D(filters, 3, padding="same", name="scale")
        self.beta = kl.Conv2D(filters, 3, padding="same", name="shift")

    def build(self, shape):
        self.size = shape[1:3]

    def call(self, x, mask):
        seen = self.conv(ops.image.resize(mask, self.size, interpolation="nearest"))
        mean, variance = ops.moments(x, axes=(0, 1, 2), keepdims=True)
        normal = (x - mean) / ops.sqrt(variance + 1e-5)
        return self.gamma(seen) * normal + self.beta(seen)

    def get_config(self):
        return super().get_config() | {"filters": self.filters}


@example({"seen": 6, "conv_2": 7}, stays={"moments": "no rule"})
def gau_gan():
    """The statistics are those of a batch."""
    i, mask = keras.Input((8, 8, 3)), keras.Input((16, 16, 4))
    x = kl.Conv2D(8, 3, padding="same", name="conv_1")(i)
    x = kl.LeakyReLU(0.2)(AdaptiveNorm(8, name="norm")(x, mask))
    x = kl.LeakyReLU(0.2)(conv_norm(x, 7, "conv_2"))
    return keras.Model([i, mask], kl.Conv2D(3, 3, padding="same", activation="tanh")(x))
