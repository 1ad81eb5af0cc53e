"""`keras-prune predict`: the classes of image files, or of a data set's examples."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import options as shared
from .classifying import opened
from .command import command
from .output import say_json
from .starting import quietly

if TYPE_CHECKING:
    import numpy as np

EXAMPLES = 5


@dataclass(frozen=True)
class Answers:
    """What a classifier says of some images.

    Args:
        images: what each is called.
        labels: its true class, where it is known.
        probabilities: `(images, classes)`.
        class_names: empty if there are none.
    """

    images: list[str]
    labels: list[int | None]
    probabilities: "np.ndarray"
    class_names: tuple[str, ...]

    def name(self, label: int) -> str:
        """The name of a class, else its number."""
        return self.class_names[label] if self.class_names else str(label)

    def best(self, index: int, top: int) -> list[tuple[int, float]]:
        """The likeliest classes of one image, with their probabilities."""
        row = self.probabilities[index]
        return [(int(label), float(row[label])) for label in (-row).argsort(kind="stable")[:top]]


@command()
@click.argument("model", type=shared.FILE)
@click.argument("files", nargs=-1, type=shared.FILE)
@shared.dataset
@shared.data_dir
@shared.rescale
@click.option("--examples", type=shared.COUNT, help=f"Of the data set.  [default: {EXAMPLES}]")
@click.option("--top", type=shared.COUNT, default=1, show_default=True, help="Classes per image.")
@shared.allow_code
@shared.as_json
def predict(
    model: Path,
    files: tuple[Path, ...],
    dataset: str | None,
    data_dir: Path | None,
    rescale: float,
    examples: int | None,
    top: int,
    allow_code: bool,
    as_json: bool,
) -> None:
    """Classify image files, or a data set's examples.

    MODEL is a .keras, .kpz, .tflite or .onnx file, or a SavedModel directory. Images are resized to
    its input, with pixel values 0-255 times --rescale. Examples are the first of the validation
    split. Class names are those of the data set, or of the report.json that `train` has written
    beside the model.
    """
    if bool(files) == bool(dataset) or (files and examples):
        raise click.UsageError("Expected image files, or --dataset and perhaps --examples.")
    if dataset:
        answers = _of_examples(
            model, dataset, data_dir, rescale, examples or EXAMPLES, trusted=allow_code
        )
    else:
        answers = _of_files(model, files, rescale, trusted=allow_code)
    if as_json:
        say_json(_plain(answers, top))
    else:
        _show(answers, top, model)


def _of_files(model: Path, files: tuple[Path, ...], rescale: float, *, trusted: bool) -> Answers:
    with quietly():
        from keras_prune.data import inputs_from_files
        from keras_prune.reporting import class_names_beside
        from keras_prune.runtimes.predictors import open_predictor
    predictor = open_predictor(model, trusted=trusted)
    images = inputs_from_files(list(files), predictor.input_shape, rescale)
    names = class_names_beside(model, predictor.num_classes)
    return Answers(list(map(str, files)), [None] * len(files), predictor(images), names)


def _of_examples(
    model: Path,
    dataset: str,
    data_dir: Path | None,
    rescale: float,
    examples: int,
    *,
    trusted: bool,
) -> Answers:
    predictor, splits = opened(model, dataset, data_dir, rescale, trusted=trusted)
    images, labels = splits.validation_arrays(examples)
    titles = [f"validation {index}" for index in range(len(images))]
    return Answers(titles, labels.tolist(), predictor(images), splits.class_names)


def _plain(answers: Answers, top: int) -> list[dict[str, Any]]:
    """The answers as JSON: labels as numbers, and their names where there are any."""

    def labelled(label: int) -> dict[str, Any]:
        return {"class": label} | ({"name": answers.name(label)} if answers.class_names else {})

    return [
        {"image": image}
        | ({} if true is None else {"true": labelled(true)})
        | {
            "predictions": [
                labelled(label) | {"probability": probability}
                for label, probability in answers.best(index, top)
            ]
        }
        for index, (image, true) in enumerate(zip(answers.images, answers.labels, strict=True))
    ]


def _show(answers: Answers, top: int, model: Path) -> None:
    import pandas as pd

    from .tables import console, table

    rows = [
        {
            "image": image,
            **({} if true is None else {"true class": answers.name(true)}),
            "class": answers.name(label),
            "probability_percent": 100 * probability,
        }
        for index, (image, true) in enumerate(zip(answers.images, answers.labels, strict=True))
        for label, probability in answers.best(index, top)
    ]
    frame = pd.DataFrame(rows, dtype=object)  # pandas' own texts hold no stray bytes of a name
    console().print(table(frame, str(model)))
