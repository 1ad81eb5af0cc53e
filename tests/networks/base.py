"""What a test network is, the table of them all, and the pieces they are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers as kl

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
    if keras.backend.backend() == "jax":  # where values must be as wide as keys
        groups = {name: n for name, n in groups.items() if not name.endswith("/value")}

    def register(build: Callable[[], keras.Model]) -> Callable[[], keras.Model]:
        NETWORKS[build.__name__] = Network(build, groups, barriers, runs)
        return build

    return register


def image(channels: int = 3, size: int | None = 6) -> keras.KerasTensor:
    return keras.Input((size, size, channels))


def conv(filters: int, name: str, **options: Any) -> kl.Layer:
    return kl.Conv2D(filters, 3, padding="same", name=name, **options)


def head(x: keras.KerasTensor) -> keras.KerasTensor:
    return kl.Dense(4, name="head")(kl.GlobalAveragePooling2D()(x))


def behind(block: Any) -> keras.Model:
    """A chain whose first convolution runs into a block; the second is free of it."""
    i = image()
    return keras.Model(i, head(conv(6, "b")(kl.ReLU()(block(conv(8, "a")(i))))))
