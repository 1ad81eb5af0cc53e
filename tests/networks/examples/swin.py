"""Swin transformers, whose attention looks into windows."""

import keras
import numpy as np
from keras import layers as kl
from keras import ops

from tests.networks.examples.base import PatchEncoder, Patches, example, serializable


def windows(x, side):
    """Cuts `(batch, height, width, channels)` into squares."""
    _, height, width, channels = x.shape
    x = ops.reshape(x, (-1, height // side, side, width // side, side, channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, side, side, channels))


def unwindowed(x, side, height, width, channels):
    """Puts the squares back where they were."""
    x = ops.reshape(x, (-1, height // side, width // side, side, side, channels))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, height, width, channels))


@serializable
class WindowAttention(kl.Layer):
    """Attention with a learnt bias for each distance of two places in a window."""

    def __init__(self, width, side, heads, **options):
        super().__init__(**options)
        self.width, self.side, self.heads = width, side, heads
        self.scale = (width // heads) ** -0.5
        self.qkv = kl.Dense(3 * width, name="qkv")
        self.dropout = kl.Dropout(0.1)
        self.projection = kl.Dense(width, name="projection")

    def build(self, shape):
        distances = (2 * self.side - 1) ** 2
        self.table = self.add_weight((distances, self.heads), initializer="zeros", name="table")
        places = np.stack(np.meshgrid(*[np.arange(self.side)] * 2, indexing="ij")).reshape(2, -1)
        apart = (places[:, :, None] - places[:, None, :]).transpose(1, 2, 0) + self.side - 1
        index = apart[..., 0] * (2 * self.side - 1) + apart[..., 1]
        self.index = keras.Variable(index, dtype="int32", trainable=False)

    def call(self, x, mask=None):
        _, count, width = x.shape
        x = ops.reshape(self.qkv(x), (-1, count, 3, self.heads, width // self.heads))
        x = ops.transpose(x, (2, 0, 3, 1, 4))
        query, key, value = x[0], x[1], x[2]
        scores = (query * self.scale) @ ops.transpose(key, (0, 1, 3, 2))
        bias = ops.take(self.table, ops.reshape(self.index, (-1,)), axis=0)
        bias = ops.transpose(ops.reshape(bias, (count, count, -1)), (2, 0, 1))
        scores = scores + ops.expand_dims(bias, 0)
        if mask is not None:
            number = mask.shape[0]
            hidden = ops.cast(ops.expand_dims(ops.expand_dims(mask, 1), 0), "float32")
            scores = ops.reshape(scores, (-1, number, self.heads, count, count)) + hidden
            scores = ops.reshape(scores, (-1, self.heads, count, count))
        scores = self.dropout(keras.activations.softmax(scores, axis=-1))
        x = ops.reshape(ops.transpose(scores @ value, (0, 2, 1, 3)), (-1, count, width))
        return self.dropout(self.projection(x))

    def get_config(self):
        sizes = {"width": self.width, "side": self.side, "heads": self.heads}
        return super().get_config() | sizes


@serializable
class SwinBlock(kl.Layer):
    """Attention in windows that may be shifted, and an MLP."""

    def __init__(self, width, grid, heads, side, shift, hidden, **options):
        super().__init__(**options)
        self.sizes = {
            "width": width, "grid": grid, "heads": heads, "side": side, "shift": shift,
            "hidden": hidden,
        }  # fmt: skip
        self.width, self.grid, self.side, self.shift = width, grid, side, shift
        self.norm_1 = kl.LayerNormalization(epsilon=1e-5)
        self.attention = WindowAttention(width, side, heads, name="attention")
        self.drop_path = kl.Dropout(0.03)
        self.norm_2 = kl.LayerNormalization(epsilon=1e-5)
        self.mlp = keras.Sequential([
            kl.Dense(hidden, name=f"{self.name}_hidden"), kl.Activation("gelu"), kl.Dropout(0.1),
            kl.Dense(width), kl.Dropout(0.1),
        ])  # fmt: skip

    def build(self, shape):
        self.attention.build((None, self.side**2, self.width))
        self.mask = None
        if not self.shift:
            return
        places = np.zeros((1, self.grid, self.grid, 1), "float32")
        parts = (slice(0, -self.side), slice(-self.side, -self.shift), slice(-self.shift, None))
        for number, (rows, columns) in enumerate((a, b) for a in parts for b in parts):
            places[:, rows, columns] = number
        cut = ops.reshape(windows(ops.convert_to_tensor(places), self.side), (-1, self.side**2))
        differs = ops.expand_dims(cut, 1) != ops.expand_dims(cut, 2)
        self.mask = keras.Variable(ops.where(differs, -100.0, 0.0), trainable=False)

    def call(self, x):
        _, count, width = x.shape
        y = ops.reshape(self.norm_1(x), (-1, self.grid, self.grid, width))
        if self.shift:
            y = ops.roll(y, shift=[-self.shift, -self.shift], axis=[1, 2])
        y = ops.reshape(windows(y, self.side), (-1, self.side**2, width))
        y = self.attention(y, mask=self.mask)
        y = ops.reshape(y, (-1, self.side, self.side, width))
        y = unwindowed(y, self.side, self.grid, self.grid, width)
        if self.shift:
            y = ops.roll(y, shift=[self.shift, self.shift], axis=[1, 2])
        x = x + self.drop_path(ops.reshape(y, (-1, count, width)))
        return x + self.drop_path(self.mlp(self.norm_2(x)))

    def get_config(self):
        return super().get_config() | self.sizes


@serializable
class PatchMerging(kl.Layer):
    """Four neighbours become one place with twice the channels."""

    def __init__(self, grid, width, **options):
        super().__init__(**options)
        self.grid, self.width = grid, width
        self.linear = kl.Dense(2 * width, use_bias=False, name="linear")

    def call(self, x):
        x = ops.reshape(x, (-1, self.grid, self.grid, x.shape[-1]))
        corners = [x[:, a::2, b::2, :] for b in (0, 1) for a in (0, 1)]
        x = ops.concatenate(corners, axis=-1)
        return self.linear(ops.reshape(x, (-1, (self.grid // 2) ** 2, x.shape[-1])))

    def get_config(self):
        return super().get_config() | {"grid": self.grid, "width": self.width}


@example(
    {"straight_hidden": 12, "shifted/shifted_hidden": 12, "linear": 16},
    admitted={},  # norms inside a layer that stays are not
    stays={
        "extract_patches": "no rule",
        "attention": "along the batch",  # query, key and value are moved in front of it
        "shifted": "inside it, layer_normalization",
    },
)
def swin_transformer():
    i = keras.Input((16, 16, 3))
    x = PatchEncoder(64, 8, name="encoder")(Patches(2, name="patches")(i))
    x = SwinBlock(8, 8, 2, 2, 0, 12, name="straight")(x)
    x = SwinBlock(8, 8, 2, 2, 1, 12, name="shifted")(x)
    x = kl.GlobalAveragePooling1D()(PatchMerging(8, 8, name="merging")(x))
    return keras.Model(i, kl.Dense(5, activation="softmax", name="logits")(x))
