"""The data of a configuration, and the classifier that a `.keras` file holds."""

from pathlib import Path

import keras

from keras_prune import data, zoo
from keras_prune.data import Splits
from keras_prune.runtimes.loading import check_classes, classifier_shape, load_model
from keras_prune.training.config import CommonConfig
from keras_prune.utils.model_files import is_path


def is_file(common: CommonConfig) -> bool:
    """Whether the model is a file, and not a network of the zoo."""
    return is_path(common.model)


def open_file(common: CommonConfig, data_dir: str | Path | None) -> tuple[keras.Model, Splits]:
    """The classifier in a `.keras` file, and the data in the shape of its input.

    Raises:
        KerasPruneError: the file or the data cannot be used, or do not fit each other.
    """
    model = load_model(common.model)
    shape, classes = classifier_shape(common.model, model)
    splits = _load(common, shape, data_dir)
    check_classes(common.model, classes, splits.num_classes)
    return model, splits


def open_data(common: CommonConfig, data_dir: str | Path | None) -> Splits:
    """The data in the shape that a network of the zoo was designed for.

    Raises:
        KerasPruneError: the network is unknown, or the data cannot be used.
    """
    return _load(common, zoo.default_input_shape(common.model), data_dir)


def _load(
    common: CommonConfig, input_shape: tuple[int, int, int], data_dir: str | Path | None
) -> Splits:
    """The data in a shape."""
    return data.load(
        common.dataset,
        input_shape=input_shape,
        batch_size=common.batch_size,
        data_dir=data_dir,
        seed=common.seed,
        augment=common.augment,
        rescale=common.rescale,
    )
