"""Parts of tensors: slices, takes, splits, and what is put together from them."""

import keras
from keras import layers as kl
from keras import ops

from tests.networks.base import conv, head, image, network


@network({"a": 4, "a:2": 1, "a:3": 3, "b": 5})
def slices_with_a_gap():
    i = image()
    x = conv(8, "a")(i)
    x = kl.Concatenate()([x[..., :4], x[..., 5:]])
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 8, "a:2": 8, "b": 5})
def slice_with_a_step():
    """What is left of it is not evenly spaced."""
    i = image()
    return keras.Model(i, head(conv(5, "b")(conv(16, "a")(i)[..., 1::2])))


@network({"a": 8})
def slice_backwards():
    i = image()
    return keras.Model(i, head(conv(8, "a")(i)[:, ::-1, :, ::-1] + conv(8, "b")(i)))


@network({"a": 2, "a:2": 6, "b": 5})
def slice_of_many_axes():
    i = image()
    x = conv(8, "a")(i)[:, None, 1:5, ..., 2:]
    return keras.Model(i, head(conv(5, "b")(ops.squeeze(x, axis=1))))


@network({"a": 2, "a:2": 6, "b": 5})
def slices_of_unknown_size():
    i = image(size=None)
    x = conv(8, "a")(i)[:, ::2, 1:, 1:7]
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 7})
def one_channel_by_its_index():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(kl.Concatenate()([x, ops.expand_dims(x[..., 3], -1)])))


@network({"a": 7})
def one_channel_by_a_slice():
    i = image()
    x = conv(8, "a")(i)
    return keras.Model(i, head(kl.Concatenate()([x[..., 5:6], x[..., -8:]])))


@network({"a": 8, "b": 5})
def one_row_by_its_index():
    i = image()
    x = kl.Conv1D(5, 3, name="b")(conv(8, "a")(i)[:, 2])
    return keras.Model(i, kl.Dense(3)(kl.Flatten()(x)))


@network({"a": 4, "a:2": 4, "b": 5})
def take():
    i = image()
    x = ops.take(conv(8, "a")(i), [6, 1, -1, 1, 3], axis=-1)
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 7})
def take_one():
    i = image()
    x = conv(8, "a")(i)
    x = x * ops.expand_dims(ops.take(x, 2, axis=3), -1)
    return keras.Model(i, head(x))


@network({"a": 4, "a:2": 4, "c": 5})
def halves():
    i = image()
    left, right = ops.split(conv(8, "a")(i), 2, axis=-1)
    x = kl.Concatenate()([conv(5, "c")(left), kl.ReLU()(right)])
    return keras.Model(i, head(x))


@network({"a": 4, "b": 5})
def halves_that_meet():
    i = image()
    left, right = ops.split(conv(8, "a")(i), 2, axis=-1)
    return keras.Model(i, head(conv(5, "b")(left * ops.sigmoid(right))))


@network({"a": 3, "a:2": 2, "a:3": 4, "b": 5})
def split_at_places():
    i = image()
    one, two, three = ops.split(conv(9, "a")(i), [3, 5], axis=-1)
    x = kl.Concatenate()([three, kl.ReLU()(one), two])
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 8, "b": 5})
def split_into_rows():
    i = image()
    top, bottom = ops.split(conv(8, "a")(i), 2, axis=1)
    return keras.Model(i, head(conv(5, "b")(top - bottom)))


@network({"a": 8, "b": 5})
def unstacked_rows():
    i = image()
    rows = ops.unstack(conv(8, "a")(i), axis=1)
    return keras.Model(i, head(conv(5, "b")(ops.stack(rows[::-1], axis=1))))


@network({"b": 5})
def unstacked_channels():
    i = image()
    x = ops.stack(ops.unstack(conv(8, "a")(i), axis=-1)[::-1], axis=-1)
    return keras.Model(i, head(conv(5, "b")(x)))


@network({"a": 8, "c": 5})
def interleaved():
    i = image()
    x = ops.stack([conv(8, "a")(i), conv(8, "b")(i)], axis=-1)
    return keras.Model(i, head(conv(5, "c")(ops.reshape(x, (-1, 6, 6, 16)))))


@network({"a": 8, "c": 5})
def stacked_and_averaged():
    i = image()
    x = ops.stack([conv(8, "a")(i), conv(8, "b")(i)], axis=1)
    return keras.Model(i, head(conv(5, "c")(ops.mean(x, axis=1))))


@network({"a": 8})
def stacked_along_the_batch():
    i = image()
    x = ops.stack([conv(8, "a")(i), conv(8, "b")(i)], axis=0)
    return keras.Model(i, head(x[1] - x[0]))


@network({"a": 8, "b": 5})
def concatenated_along_the_batch():
    i = image()
    both = kl.Concatenate(axis=0)([i, kl.ReLU()(i)])
    left, right = ops.split(conv(8, "a")(both), 2, axis=0)
    return keras.Model(i, head(conv(5, "b")(left + right)))


# ShuffleNet ------------------------------------------------------------------------------------


def shuffled(x: keras.KerasTensor, groups: int) -> keras.KerasTensor:
    _, height, width, channels = x.shape
    x = ops.reshape(x, (-1, height, width, groups, channels // groups))
    return ops.reshape(ops.transpose(x, (0, 1, 2, 4, 3)), (-1, height, width, channels))


@network({"a": 4, "a:2": 4, "c": 5})
def shuffle_of_halves():
    """Channel p of the left half and of the new right half leave together."""
    i = image()
    left, right = ops.split(conv(8, "a")(i), 2, axis=-1)
    x = kl.Concatenate()([left, kl.ReLU()(kl.BatchNormalization()(conv(4, "b")(right)))])
    return keras.Model(i, head(conv(5, "c")(shuffled(x, 2))))


@network({"a": 2, "b": 4})
def shuffle_of_grouped_convolutions():
    i = image(4)
    x = kl.BatchNormalization()(conv(8, "a", groups=2)(i))
    x = conv(8, "b", groups=2)(kl.DepthwiseConv2D(3)(shuffled(x, 2)))
    return keras.Model(i, head(x))


@network({"a": 4, "b": 5})
def shuffle_by_layers():
    i = image()
    x = kl.Reshape((36, 2, 4))(conv(8, "a")(i))
    x = kl.Reshape((6, 6, 8))(kl.Permute((1, 3, 2))(x))
    return keras.Model(i, head(conv(5, "b")(x)))
