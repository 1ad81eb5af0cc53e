"""Networks by name. A constructor's default arguments are its default input and classes."""

import inspect
from collections.abc import Callable

import keras

from keras_prune.errors import ModelError, unknown
from keras_prune.zoo.conv4 import conv4, conv4_cifar
from keras_prune.zoo.conv248 import conv248
from keras_prune.zoo.densenet40 import densenet40
from keras_prune.zoo.googlenet_cifar import googlenet_cifar
from keras_prune.zoo.lenet5 import lenet5
from keras_prune.zoo.lenet5_caffe import lenet5_caffe
from keras_prune.zoo.lenet300_100 import lenet300_100
from keras_prune.zoo.mobilenet_v2_cifar import mobilenet_v2_cifar
from keras_prune.zoo.resnet import resnet20, resnet56, resnet110
from keras_prune.zoo.resnext29 import resnext29
from keras_prune.zoo.vgg16 import vgg16
from keras_prune.zoo.vgg19 import vgg19

Constructor = Callable[..., keras.Model]

_NETWORKS: dict[str, Constructor] = {
    "conv4": conv4,
    "conv4_cifar": conv4_cifar,
    "conv248": conv248,
    "densenet40": densenet40,
    "googlenet_cifar": googlenet_cifar,
    "lenet300_100": lenet300_100,
    "lenet5": lenet5,
    "lenet5_caffe": lenet5_caffe,
    "mobilenet_v2_cifar": mobilenet_v2_cifar,
    "resnet20": resnet20,
    "resnet56": resnet56,
    "resnet110": resnet110,
    "resnext29": resnext29,
    "vgg16": vgg16,
    "vgg19": vgg19,
}


def available() -> tuple[str, ...]:
    """The names that `get` knows.

    Example:

    >>> available()[:3]
    ('conv4', 'conv4_cifar', 'conv248')
    """
    return tuple(_NETWORKS)


def get(name: str) -> Constructor:
    """The constructor of a network.

    Args:
        name: one of `available()`.

    Returns:
        A function `(input_shape, num_classes) -> keras.Model`.

    Raises:
        ModelError: no network has that name.
    """
    if name not in _NETWORKS:
        raise ModelError(unknown("network", name, _NETWORKS))
    return _NETWORKS[name]


def build(name: str, input_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """A fresh network of random weights.

    Args:
        name: one of `available()`.
        input_shape: `(height, width, channels)`.
        num_classes: number of logits.

    Returns:
        The model, built and not compiled.

    Raises:
        ModelError: no network has that name, or it cannot take that input.
    """
    if num_classes < 1:
        raise ModelError(f"Expected at least one class. Received: num_classes={num_classes}.")
    return get(name)(input_shape, num_classes)


def default_input_shape(name: str) -> tuple[int, int, int]:
    """The input that a network was designed for, `(height, width, channels)`.

    Example:

    >>> default_input_shape("vgg16")
    (32, 32, 3)
    """
    return inspect.signature(get(name)).parameters["input_shape"].default
