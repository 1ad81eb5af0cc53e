"""Data sets that tensorflow-datasets has prepared on disk, or downloads when it may."""

import contextlib
import logging
import os
import re
import tempfile
import urllib.request
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from keras_prune.data.images import resized
from keras_prune.data.sources import Arrays, Shape, parts
from keras_prune.errors import DataError
from keras_prune.utils.in_common import in_common
from keras_prune.utils.quiet import quiet

_READ_BATCH = 1024
_PROBE_SECONDS = 5


class Prepared:
    """A tensorflow-datasets image classification data set in TFDS order.

    Args:
        name: the data set's TFDS name.
        data_dir: where prepared data sets lie; default `TFDS_DATA_DIR`, else
            `~/tensorflow_datasets`.
        input_shape: `(height, width, channels)` that images are resized to as they are read, if
            they differ in size.
    """

    def __init__(
        self, name: str, data_dir: str | os.PathLike[str] | None, input_shape: Shape
    ) -> None:
        self._name = name
        self._root = _root(data_dir)
        self._input_shape = input_shape

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return int(self._label.num_classes)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names."""
        return tuple(self._label.names)

    @property
    def sizes(self) -> dict[str, int]:
        """Examples in each split, from the data set's description."""
        splits = self._builder.info.splits
        return {split: int(splits[part].num_examples) for split, part in self._slices.items()}

    def read(self, split: str) -> Arrays:
        """Images `(examples, height, width, channels)` as uint8 and labels `(examples,)`."""
        try:
            batches = list(self._decoded(split))
        except Exception as error:  # TFDS and TensorFlow share no base class for a damaged file.
            raise DataError(self._unusable(f"its {split} split cannot be read")) from error
        images, labels = zip(*batches, strict=True)
        return np.concatenate(images), np.concatenate(labels).astype("int32")

    def _decoded(self, split: str) -> Iterator[Arrays]:
        stored = self._builder.as_dataset(split=self._slices[split], shuffle_files=False)
        image, label = self._keys
        pairs = stored.map(lambda example: (example[image], example[label]))
        if None in self._builder.info.features[image].shape:
            pairs = pairs.map(lambda image, label: (resized(image, self._input_shape), label))
        return pairs.batch(_READ_BATCH).as_numpy_iterator()

    @property
    def _slices(self) -> dict[str, str]:
        return {
            split: f"{stored}[{start}%:{stop}%]"
            for split, (stored, start, stop) in parts(self._builder.info.splits).items()
        }

    @property
    def _label(self) -> Any:
        return self._builder.info.features[self._keys[1]]

    @cached_property
    def _keys(self) -> tuple[str, str]:
        """Which features are the image and its label."""
        import tensorflow_datasets as tfds

        info = self._builder.info
        features = dict(info.features)
        image, label = info.supervised_keys or ("image", "label")
        is_image = isinstance(features.get(image), tfds.features.Image)
        is_class = isinstance(features.get(label), tfds.features.ClassLabel)
        if not (is_image and is_class and "train" in info.splits):
            raise DataError(
                f"Expected {self._name!r} to be a data set of images with one label each and a "
                f"train split. Received: features {', '.join(features)}; splits "
                f"{', '.join(info.splits)}."
            )
        return image, label

    @cached_property
    def _builder(self) -> Any:
        try:
            with _quiet():
                return _open(self._name, self._root)
        except Exception as error:  # Nor do network, disk and TFDS errors.
            raise DataError(self._unusable("it cannot be opened or downloaded")) from error

    def _unusable(self, reason: str) -> str:
        return (
            f"Data set {self._name!r} was expected in {self._root}, but {reason}. Use the embedded "
            "data with --dataset digits, or name a folder of prepared TFDS data sets with "
            "--data-dir or TFDS_DATA_DIR."
        )


def is_prepared(name: str, data_dir: str | os.PathLike[str] | None) -> bool:
    """Whether a data set of that TFDS name lies among the prepared ones.

    Args:
        name: `name`, `name/config`, each also with `:version`.
        data_dir: as for `Prepared`.
    """
    folder = _root(data_dir) / re.split("[/:]", name)[0]
    return bool(name[:1].isalpha()) and any(folder.rglob("dataset_info.json"))


def _root(data_dir: str | os.PathLike[str] | None) -> Path:
    named = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    return Path(named).expanduser()


def _open(name: str, root: Path) -> Any:
    """The builder of a data set that is prepared, downloading it first if need be."""
    builder = _builder(name, root)
    if builder.is_prepared():
        return builder
    # TFDS retries a dead connection for minutes: see first whether the first address answers.
    for url in list(builder.url_infos or ())[:1]:
        request = urllib.request.Request(url, method="HEAD")
        urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()
    _prepare(name, root)
    return _builder(name, root)


def _builder(name: str, root: Path) -> Any:
    import tensorflow_datasets as tfds

    return tfds.builder(name, data_dir=root)


def _prepare(name: str, root: Path) -> None:
    """Download into a staging folder and move the finished data set into place."""
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=root) as staging:
        builder = _builder(name, Path(staging))
        builder.download_and_prepare()
        target = root / Path(builder.data_path).relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(builder.data_path, target)


@in_common
@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """TFDS writes progress bars and warnings of its own; this package prints nothing."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with quiet():
            yield
    finally:
        logger.setLevel(level)
