"""What an example is, the table of them all, and the layers that several of them have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
from keras import layers as kl
from keras import ops

Outcome = Mapping[str, int]

serializable = keras.saving.register_keras_serializable("examples")


@dataclass(frozen=True)
class Example:
    """A model and what of it can leave, counted by hand.

    Args:
        build: makes the model.
        groups: the groups and their number of channels.
        admitted: those that there are besides where norms are admitted; None if it has no norms
            over channels.
        stays: calls that hold what a reader might expect to leave, and a part of the reason.
    """

    build: Callable[[], keras.Model]
    groups: Outcome
    admitted: Outcome | None
    stays: Mapping[str, str]

    def outcome(self, admit_norms: bool) -> Outcome:
        """What can leave."""
        return {**self.groups, **(self.admitted or {})} if admit_norms else self.groups


EXAMPLES: dict[str, Example] = {}


def example(
    groups: Outcome,
    admitted: Outcome | None = None,
    stays: Mapping[str, str] | None = None,
) -> Callable:
    """Puts a function that builds an example in the table."""

    def register(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        EXAMPLES[build.__name__] = Example(build, groups, admitted, stays or {})
        return build

    return register


@serializable
class Patches(kl.Layer):
    """Cuts an image into squares, laid out one after the other."""

    def __init__(self, side, **options):
        super().__init__(**options)
        self.side = side

    def call(self, images):
        batch, height, width, channels = ops.shape(images)
        patches = ops.image.extract_patches(images, size=self.side)
        count = (height // self.side) * (width // self.side)
        return ops.reshape(patches, (batch, count, self.side * self.side * channels))

    def get_config(self):
        return super().get_config() | {"side": self.side}


@serializable
class PatchEncoder(kl.Layer):
    """A projection of each patch and an embedding of its place."""

    def __init__(self, count, width, **options):
        super().__init__(**options)
        self.count, self.width = count, width
        self.projection = kl.Dense(width, name="projection")
        self.places = kl.Embedding(count, width, name="places")

    def call(self, patches):
        numbers = ops.expand_dims(ops.arange(0, self.count, 1), axis=0)
        return self.projection(patches) + self.places(numbers)

    def get_config(self):
        return super().get_config() | {"count": self.count, "width": self.width}


def mlp(x, units, name, rate=0.1):
    """Dense layers with gelu."""
    for number, count in enumerate(units):
        x = kl.Dense(count, activation=keras.activations.gelu, name=f"{name}_{number}")(x)
        x = kl.Dropout(rate)(x)
    return x


def conv_norm(x, filters, name, size=3, strides=1, activation="relu", **options):
    """A convolution without offsets, its BatchNormalization and an activation."""
    options = {"padding": "same", "use_bias": False} | options
    x = kl.Conv2D(filters, size, strides, name=name, **options)(x)
    x = kl.BatchNormalization()(x)
    return kl.Activation(activation)(x) if activation else x
