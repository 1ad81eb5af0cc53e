"""`keras-prune evaluate`: accuracy and loss of a saved classifier."""

from dataclasses import asdict
from pathlib import Path

import click

from . import options as shared
from .classifying import opened, tell_doubts
from .command import command
from .output import say, say_json
from .starting import quietly


@command()
@click.argument("model", type=shared.FILE)
@shared.required_dataset
@shared.data_dir
@shared.rescale
@click.option("--split", type=click.Choice(["test", "validation"]), default="test")
@shared.batch_size
@shared.allow_code
@shared.as_json
def evaluate(
    model: Path,
    dataset: str,
    data_dir: Path | None,
    rescale: float,
    split: str,
    batch_size: int | None,
    allow_code: bool,
    as_json: bool,
) -> None:
    """Measure a classifier's accuracy and loss.

    MODEL is a .keras, .kpz, .tflite or .onnx file, or a SavedModel directory. Images are resized to
    its input. The loss is the mean cross-entropy in nats.
    """
    predictor, splits = opened(model, dataset, data_dir, rescale, trusted=allow_code)
    examples = getattr(splits, split)
    if batch_size:
        examples = examples.rebatch(batch_size)
    with quietly():
        from keras_prune.training import evaluate_predictor
    found = evaluate_predictor(predictor, examples)
    tell_doubts(found.accuracy, splits.num_classes)
    if as_json:
        names = {"model": str(model), "dataset": dataset, "split": split}
        say_json(names | asdict(found))
        return
    say(
        f"{model} on {dataset}, {found.examples:,} examples of the {split} split: "
        f"accuracy {found.accuracy:.2f} %, loss {found.loss:.4f}"
    )
