"""What commands share that measure a saved classifier on data that fits it."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from keras_prune.errors import ResultWarning

from .starting import quietly

if TYPE_CHECKING:
    from keras_prune.data import Splits
    from keras_prune.runtimes.predictors import Predictor


def opened(
    model: Path, dataset: str, data_dir: Path | None, rescale: float, *, trusted: bool
) -> tuple["Predictor", "Splits"]:
    """A saved classifier, and a data set in the shape of its input with as many classes."""
    with quietly():
        from keras_prune.data import load
        from keras_prune.runtimes.loading import check_classes
        from keras_prune.runtimes.predictors import open_predictor
    predictor = open_predictor(model, trusted=trusted)
    splits = load(dataset, input_shape=predictor.input_shape, data_dir=data_dir, rescale=rescale)
    check_classes(model, predictor.num_classes, splits.num_classes)
    return predictor, splits


def tell_doubts(accuracy: float | None, classes: int) -> None:
    """Warns where an accuracy, if one was measured, is what guessing gives."""
    with quietly():
        from keras_prune.training.chance import doubts
    if accuracy is not None and (told := doubts(accuracy, classes)):
        warnings.warn(told, ResultWarning, stacklevel=2)
