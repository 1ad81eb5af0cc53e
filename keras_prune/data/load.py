"""Data sets by name."""

import os
from collections.abc import Callable
from dataclasses import dataclass

from keras_prune.data.augmentation import Augmentation
from keras_prune.data.digits import Digits
from keras_prune.data.prepared import Prepared
from keras_prune.data.sources import Source
from keras_prune.data.splits import Splits
from keras_prune.errors import DataError, unknown

DataDir = str | os.PathLike[str] | None


@dataclass(frozen=True)
class _Entry:
    """One row of the table: where the images come from and how they may be moved."""

    source: Callable[[DataDir], Source]
    augmentation: Augmentation


# A mirrored digit is another sign, or none; clothes and photographs stay what they are.
_DATA_SETS = {
    "cifar10": _Entry(lambda where: Prepared("cifar10", where), Augmentation(1 / 8, True)),
    "digits": _Entry(lambda where: Digits(), Augmentation(1 / 16, False)),
    "fashion_mnist": _Entry(
        lambda where: Prepared("fashion_mnist", where), Augmentation(1 / 14, True)
    ),
    "mnist": _Entry(lambda where: Prepared("mnist", where), Augmentation(1 / 14, False)),
}


def available() -> tuple[str, ...]:
    """The names that `load` knows.

    Example:

    >>> available()
    ('cifar10', 'digits', 'fashion_mnist', 'mnist')
    """
    return tuple(_DATA_SETS)


def load(
    name: str,
    *,
    input_shape: tuple[int, int, int],
    batch_size: int = 128,
    data_dir: DataDir = None,
    seed: int = 0,
    augment: bool = True,
) -> Splits:
    """Open a data set with fixed train, validation and test splits.

    The splits are `train[:90%]`, `train[90%:]` and `test` in TFDS order; `digits` is split
    60/20/20, every class in proportion. They do not depend on the seed. No image is read here.

    Args:
        name: one of `available()`.
        input_shape: `(height, width, channels)` of the network's input; images are resized
            bilinearly and converted between one and three channels where they differ.
        batch_size: images in a batch, default 128.
        data_dir: folder of prepared TFDS data sets, default `TFDS_DATA_DIR`, else
            `~/tensorflow_datasets`.
        seed: order and augmentation of the training images, default 0.
        augment: whether training images are shifted (and flipped where that suits the data).

    Returns:
        The `Splits`.

    Raises:
        DataError: the name is unknown, the input shape or batch size impossible, or the data set
            absent and not downloadable.

    Example:

    >>> load("digits", input_shape=(32, 32, 3)).sizes
    {'train': 1078, 'validation': 359, 'test': 360}
    """
    if name not in _DATA_SETS:
        raise DataError(unknown("data set", name, _DATA_SETS))
    shape = _checked_shape(input_shape)
    entry = _DATA_SETS[name]
    source = entry.source(data_dir)
    sizes = dict(source.sizes)
    if not 1 <= batch_size <= sizes["train"]:
        raise DataError(
            f"Expected a batch size from 1 to the {sizes['train']} training images of {name!r}. "
            f"Received: batch_size={batch_size}."
        )
    augmentation = entry.augmentation if augment else None
    return Splits(name, source.num_classes, shape, sizes, source, batch_size, seed, augmentation)


def _checked_shape(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    sides = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    whole = all(isinstance(side, int) and side > 0 for side in sides)
    if len(sides) != 3 or not whole or sides[2] not in (1, 3):
        raise DataError(
            "Expected input_shape=(height, width, channels) of positive integers with 1 or 3 "
            f"channels. Received: input_shape={shape!r}."
        )
    height, width, channels = sides
    return height, width, channels
