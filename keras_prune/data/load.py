"""Data sets by name."""

import math

from keras_prune.data.catalogue import DataDir, entry
from keras_prune.data.sources import Shape
from keras_prune.data.splits import Splits
from keras_prune.errors import DataError

_BATCH = 128


def load(
    name: str,
    *,
    input_shape: Shape,
    batch_size: int | None = None,
    data_dir: DataDir = None,
    seed: int = 0,
    augment: bool = True,
    rescale: float = 1.0,
) -> Splits:
    """Open a data set with fixed train, validation and test splits.

    They do not depend on the seed. Of a known name or one that TFDS has prepared they are
    `train[:90%]`, `train[90%:]` and `test` in TFDS order; a stored validation split is used too.
    `digits` is split 60/20/20, every class in proportion.

    A directory holds a folder of images for each class, or such folders in `train`, `val` (or
    `validation`) and `test`; without these it is split 80/10/10, every class in proportion.

    A function `module:function` returns `(train, validation, test)` or `(train, validation, test,
    class_names)`. Each split is a pair of arrays, images `(examples, height, width, channels)` of
    one or three channels and whole labels `(examples,)` from 0, or a `tf.data.Dataset` of such
    pairs, one example or one batch at a time.

    Networks get pixel values 0-255 as float32, and normalise them themselves; one that was trained
    on other values gets them by `rescale`, for example `1 / 255`. Values of a function of yours are
    passed on as they are, times `rescale`. A split is read when it is first needed, and kept
    in memory.

    Args:
        name: one of `available()`, the name of a data set in `data_dir`, a directory, or
            `module:function`; the module may lie in the current directory.
        input_shape: `(height, width, channels)` of the network's input; images are resized
            bilinearly and converted between one and three channels where they differ.
        batch_size: images in a batch, default 128; all training images if there are fewer.
        data_dir: folder of prepared TFDS data sets, default `TFDS_DATA_DIR`, else
            `~/tensorflow_datasets`.
        seed: order and augmentation of the training images, default 0.
        augment: whether training images are shifted (and flipped where that suits the data).
        rescale: what pixel values are multiplied by, a finite number above 0; default 1.

    Returns:
        The `Splits`.

    Raises:
        DataError: the name is unknown, the input shape, batch size or scale impossible, the data
            set absent and not downloadable, or a folder or function of another form.

    Example:

    >>> load("digits", input_shape=(32, 32, 3)).sizes
    {'train': 1078, 'validation': 359, 'test': 360}
    """
    shape = _checked_shape(input_shape)
    if not 0 < rescale < math.inf:
        raise DataError(
            "Expected rescale to be a finite number above 0, for example 1 / 255. Received: "
            f"rescale={rescale!r}."
        )
    found = entry(name, data_dir)
    source = found.source(data_dir, shape)
    classes, sizes = source.num_classes, source.sizes
    if batch_size is not None and batch_size < 1:
        raise DataError(f"Expected a batch size of at least 1. Received: batch_size={batch_size}.")
    batch = min(batch_size or _BATCH, sizes["train"])  # training batches are whole
    augmentation = found.augmentation if augment else None
    return Splits(name, classes, shape, sizes, source, batch, seed, augmentation, rescale)


def _checked_shape(shape: Shape) -> Shape:
    sides = tuple(shape) if isinstance(shape, (tuple, list)) else ()
    whole = all(isinstance(side, int) and side > 0 for side in sides)
    if len(sides) != 3 or not whole or sides[2] not in (1, 3):
        raise DataError(
            "Expected input_shape=(height, width, channels) of positive integers with 1 or 3 "
            f"channels. Received: input_shape={shape!r}."
        )
    height, width, channels = sides
    return height, width, channels
