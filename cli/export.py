"""`keras-prune export`: a model file in a deployment format, verified in its own runtime."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.errors import ConfigError
from keras_prune.utils.files import read_text

from . import options as shared
from .classifying import tell_doubts
from .command import command
from .options import COUNT, FILE
from .output import say_json
from .sparse import show_sparse
from .starting import quietly

if TYPE_CHECKING:
    from keras_prune.data import Splits
    from keras_prune.exporting import Exported

INTEGER = ("int8", "int8_io")
REPRESENTATIVE = 256
"""Validation images that an integer file's ranges come from."""


@command()
@click.argument("model", type=FILE)
@click.option("--out", type=FILE, required=True, help="Where to write.")
@click.option(
    "--to",
    "format",
    type=click.Choice(["tflite", "saved_model", "onnx", "keras", "packed"]),
    help="The format. [default: by the suffix of --out; none is a SavedModel directory]",
)
@click.option(
    "--quantize",
    type=click.Choice(["float16", "dynamic", "int8", "int8_io"]),
    help="For TFLite: float16 weights; int8 weights (dynamic); int8 weights and activations, with "
    "float (int8) or int8 (int8_io) inputs and outputs, which needs --dataset.",
)
@click.option(
    "--sparse", is_flag=True, help="Write every form a model full of zeros has into --out."
)
@click.option("--dataset", help="Measure accuracy on its test split; calibrate int8 on validation.")
@shared.data_dir
@shared.rescale
@click.option("--examples", type=COUNT, default=1000, show_default=True, help="Test images used.")
@click.option("--batch-size", type=COUNT, help="The only one the file accepts. [default: any]")
@click.option("--signature", help="What the file is called by. [default: serving_default]")
@click.option("--labels", type=FILE, help="A text file with a class name a line, kept in the file.")
@click.option("--input-range", type=float, nargs=2, help="Smallest and largest input, kept, too.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@shared.as_json
def export(
    model: Path,
    out: Path,
    dataset: str | None,
    data_dir: Path | None,
    rescale: float,
    examples: int,
    labels: Path | None,
    sparse: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write MODEL, a .keras file, in another format, and prove that the file computes the same.

    The file is run by what runs it where it is deployed (LiteRT, TensorFlow, onnxruntime) and
    compared with MODEL; one that differs too much is removed. Images of a data set have pixel
    values 0-255 times --rescale, which MODEL has to take.

    With --sparse, OUT is a directory for the files that a pruned model may become: TFLite plain,
    without dead channels, with sparse tensors and with integers, and packed. A table says how large
    each is, how fast, and which of them are not faster.
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    if labels:
        chosen["labels"] = _lines(labels)
    with quietly():
        from keras_prune.exporting import export as written
        from keras_prune.runtimes.loading import load_model
        from keras_prune.training.config import CommonConfig
        from keras_prune.training.source import open_file
        from keras_prune.utils.labels import told_apart
    if dataset:
        loaded, splits = open_file(CommonConfig(str(model), dataset, rescale=rescale), data_dir)
        chosen |= _examples(splits, examples, sparse or options["quantize"] in INTEGER)
    else:
        loaded = load_model(model)
    if sparse:
        show_sparse(loaded, out, chosen, as_json)
        return
    exported = written(loaded, out, **chosen)
    tell_doubts(exported.model_accuracy, told_apart(loaded.outputs[0].shape[-1]))
    if as_json:
        say_json(asdict(exported))
    else:
        _show(exported)


def _lines(path: Path) -> list[str]:
    try:
        return read_text(path).splitlines()
    except (OSError, ValueError) as error:
        raise ConfigError(f"The labels in {path} cannot be read. Give a text file.") from error


def _examples(splits: "Splits", count: int, calibrate: bool) -> dict[str, Any]:
    """What the file is compared on, and what an integer file is calibrated on."""
    images, truth = splits.test_arrays(count)
    found: dict[str, Any] = {"batch": images, "truth": truth}
    if calibrate:
        found["representative"] = splits.validation_arrays(REPRESENTATIVE)[0]
    return found


def _show(exported: "Exported") -> None:
    from .tables import console

    rows = {
        "Format": " ".join(filter(None, [exported.format, exported.quantize])),
        "Size (bytes)": f"{exported.bytes:,}",
        "Largest error": f"{exported.max_abs_error:.2g}",
        "Same class (%)": _percent(exported.top1_agreement),
        "Accuracy (%)": _percent(exported.accuracy),
        "Accuracy of the model (%)": _percent(exported.model_accuracy),
    }
    terminal = console()
    for name, value in rows.items():
        if value:
            terminal.print(f"{name:26}{value:>16}")
    terminal.print(f"Verified: {exported.path}", soft_wrap=True)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
