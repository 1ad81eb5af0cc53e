"""Where the images of a data set's name come from."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from keras_prune.data.augmentation import Augmentation
from keras_prune.data.digits import Digits
from keras_prune.data.folder import Folder
from keras_prune.data.prepared import Prepared, is_prepared
from keras_prune.data.reference import Reference
from keras_prune.data.sources import Shape, Source
from keras_prune.errors import DataError, unknown
from keras_prune.utils.own_modules import names_function

DataDir = str | os.PathLike[str] | None


@dataclass(frozen=True)
class Entry:
    """Where the images come from and how they may be moved."""

    source: Callable[[DataDir, Shape], Source]
    augmentation: Augmentation


def _prepared(name: str) -> Callable[[DataDir, Shape], Source]:
    return lambda where, shape: Prepared(name, where, shape)


# A mirrored digit is another sign, or none; clothes and photographs stay what they are.
_DATA_SETS = {
    "cifar10": Entry(_prepared("cifar10"), Augmentation(1 / 8, True)),
    "digits": Entry(lambda where, shape: Digits(), Augmentation(1 / 16, False)),
    "fashion_mnist": Entry(_prepared("fashion_mnist"), Augmentation(1 / 14, True)),
    "mnist": Entry(_prepared("mnist"), Augmentation(1 / 14, False)),
}

# What a mirrored image of a user's means, the user alone knows.
_UNKNOWN_IMAGES = Augmentation(1 / 16, False)


def available() -> tuple[str, ...]:
    """The names that `load` knows.

    Example:

    >>> available()
    ('cifar10', 'digits', 'fashion_mnist', 'mnist')
    """
    return tuple(_DATA_SETS)


def entry(name: str, data_dir: DataDir) -> Entry:
    """The data set of a name: known, `module:function`, prepared by TFDS, or a directory.

    Raises:
        DataError: there is none.
    """
    if name in _DATA_SETS:
        return _DATA_SETS[name]
    if names_function(name):
        return Entry(lambda where, shape: Reference(name), _UNKNOWN_IMAGES)
    if is_prepared(name, data_dir):
        return Entry(_prepared(name), _UNKNOWN_IMAGES)
    path = Path(name).expanduser()
    if path.is_dir():
        return Entry(lambda where, shape: Folder(path, shape), _UNKNOWN_IMAGES)
    raise DataError(
        unknown("data set", name, _DATA_SETS)[:-1] + ", a data set prepared by TFDS, an existing "
        "directory of class folders, or module:function."
    )
