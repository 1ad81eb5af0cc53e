"""What `evaluate` and `predict` share: a saved classifier, and data that fits it."""

from pathlib import Path
from typing import TYPE_CHECKING

from .starting import quietly

if TYPE_CHECKING:
    from keras_prune.data import Splits
    from keras_prune.runtimes.predictors import Predictor


def opened(model: Path, dataset: str, data_dir: Path | None) -> tuple["Predictor", "Splits"]:
    """A saved classifier, and a data set in the shape of its input with as many classes."""
    with quietly():
        from keras_prune.data import load
        from keras_prune.runtimes.loading import check_classes
        from keras_prune.runtimes.predictors import open_predictor
    predictor = open_predictor(model)
    splits = load(dataset, input_shape=predictor.input_shape, data_dir=data_dir)
    check_classes(model, predictor.num_classes, splits.num_classes)
    return predictor, splits
