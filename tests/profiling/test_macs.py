"""The rules' MACs against a count that visits every multiplication of a small layer."""

from itertools import product

import keras
import pytest

from keras_prune.graph import rule_for, trace

layers = keras.layers
FORMATS = ("channels_last", "channels_first")
SIZE = (9, 7)
CHANNELS = 4


def macs(layer, shape):
    """What the rule says of one call; shapes only, so that any data format will do."""
    inputs = keras.Input(shape)
    (call,) = trace(keras.Model(inputs, layer(inputs))).calls
    return rule_for(call.operation).macs(call)


def shaped(size, channels, data_format):
    return (*size, channels) if data_format == "channels_last" else (channels, *size)


def length(before, kernel, stride, padding, dilation=1):
    """How many places the kernel takes along an axis, found by sliding it."""
    if padding == "same":
        return len(range(0, before, stride))
    return sum(start + dilation * (kernel - 1) < before for start in range(0, before, stride))


def visits(size, kernel, stride, padding, dilation=1):
    """The pairs of a position and an element of the kernel."""
    places = [length(n, k, stride, padding, dilation) for n, k in zip(size, kernel, strict=True)]
    return product(*(range(n) for n in (*places, *kernel)))


def count(pairs):
    return sum(1 for _ in pairs)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_convolution(stride, padding, groups, data_format):
    layer = layers.Conv2D(
        8, (3, 2), strides=stride, padding=padding, groups=groups, data_format=data_format
    )
    expected = 0
    for _ in visits(SIZE, (3, 2), stride, padding):
        for made, read in product(range(8), range(CHANNELS)):
            expected += made * groups // 8 == read * groups // CHANNELS  # of one group
    assert macs(layer, shaped(SIZE, CHANNELS, data_format)) == expected


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_dilated_convolution(padding):
    layer = layers.Conv2D(5, 3, padding=padding, dilation_rate=2)
    expected = count(visits(SIZE, (3, 3), 1, padding, dilation=2)) * CHANNELS * 5
    assert macs(layer, (*SIZE, CHANNELS)) == expected


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("size", [(9,), (5, 6, 7)])
def test_convolution_in_one_and_three_dimensions(size, data_format):
    kind = {1: layers.Conv1D, 3: layers.Conv3D}[len(size)]
    layer = kind(5, 3, strides=2, data_format=data_format)
    expected = count(visits(size, (3,) * len(size), 2, "valid")) * CHANNELS * 5
    assert macs(layer, shaped(size, CHANNELS, data_format)) == expected


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("multiplier", [1, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise(stride, padding, multiplier, data_format):
    layer = layers.DepthwiseConv2D(
        3, strides=stride, padding=padding, depth_multiplier=multiplier, data_format=data_format
    )
    expected = count(visits(SIZE, (3, 3), stride, padding)) * CHANNELS * multiplier
    assert macs(layer, shaped(SIZE, CHANNELS, data_format)) == expected


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
def test_separable(stride, padding, multiplier, data_format):
    layer = layers.SeparableConv2D(
        5,
        3,
        strides=stride,
        padding=padding,
        depth_multiplier=multiplier,
        data_format=data_format,
    )
    middle = CHANNELS * multiplier
    depthwise = count(visits(SIZE, (3, 3), stride, padding)) * middle
    # The stride and the border are the depthwise part's: the rest runs on what that left.
    left = [length(n, 3, stride, padding) for n in SIZE]
    pointwise = count(visits(left, (1, 1), 1, "valid")) * middle * 5
    assert macs(layer, shaped(SIZE, CHANNELS, data_format)) == depthwise + pointwise


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed(stride, padding, data_format):
    layer = layers.Conv2DTranspose(
        5, (3, 2), strides=stride, padding=padding, data_format=data_format
    )
    # Every input element meets every element of the kernel it is spread with.
    expected = sum(1 for _ in product(*(range(n) for n in (*SIZE, CHANNELS, 3, 2, 5))))
    assert macs(layer, shaped(SIZE, CHANNELS, data_format)) == expected


def test_dense():
    expected = sum(1 for _ in product(range(3), range(7), range(4), range(6)))
    assert macs(layers.Dense(6), (3, 7, 4)) == expected
    assert macs(layers.Dense(6), (4,)) == 24


@pytest.mark.parametrize(
    "layer",
    [
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
        layers.GlobalAveragePooling2D(),
        layers.ZeroPadding2D(),
        layers.Dropout(0.5),
        layers.Flatten(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_what_multiplies_nothing(layer):
    assert macs(layer, (8, 8, 3)) == 0
