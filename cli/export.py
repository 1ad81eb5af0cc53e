"""`keras-prune export`: a model file in a deployment format, verified in its own runtime."""

import json
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keras_prune.errors import ConfigError, DataError
from keras_prune.quiet import quiet_descriptors

if TYPE_CHECKING:
    import keras

    from keras_prune.data import Splits
    from keras_prune.exporting import Exported

FILE = click.Path(path_type=Path)
COUNT = click.IntRange(min=1)
REPRESENTATIVE = 256
"""Validation images that an integer file's ranges come from."""


@click.command()
@click.argument("model", type=FILE)
@click.option("--out", type=FILE, required=True, help="Where to write.")
@click.option(
    "--to",
    "format",
    type=click.Choice(["tflite", "saved_model", "onnx", "keras"]),
    help="The format. [default: by the suffix of --out; none is a SavedModel directory]",
)
@click.option(
    "--quantize",
    type=click.Choice(["float16", "dynamic", "int8", "int8_io"]),
    help="For TFLite: float16 weights; int8 weights (dynamic); int8 weights and activations, with "
    "float (int8) or int8 (int8_io) inputs and outputs, which needs --dataset.",
)
@click.option("--dataset", help="Measure accuracy on its test split; calibrate int8 on validation.")
@click.option("--data-dir", type=FILE, help="Where the data sets lie. [default: $TFDS_DATA_DIR]")
@click.option("--examples", type=COUNT, default=1000, show_default=True, help="Test images used.")
@click.option("--batch-size", type=COUNT, help="The only one the file accepts. [default: any]")
@click.option("--signature", help="What the file is called by. [default: serving_default]")
@click.option("--labels", type=FILE, help="A text file with a class name a line, kept in the file.")
@click.option("--input-range", type=float, nargs=2, help="Smallest and largest input, kept, too.")
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")
def export(
    model: Path,
    out: Path,
    dataset: str | None,
    data_dir: Path | None,
    examples: int,
    labels: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Write MODEL, a .keras file, in another format, and prove that the file computes the same.

    The file is run by what runs it where it is deployed (LiteRT, TensorFlow, onnxruntime) and
    compared with MODEL; one that differs too much is removed. Images of a data set have pixel
    values 0-255, which MODEL has to take.
    """
    chosen = {name: value for name, value in options.items() if value is not None}
    if labels:
        chosen["labels"] = _lines(labels)
    with quiet_descriptors():
        loaded = import_module("keras_prune.loading").load_model(model)
        exporting = import_module("keras_prune.exporting")
    if dataset:
        chosen |= _examples(loaded, dataset, data_dir, examples, options["quantize"])
    exported = exporting.export(loaded, out, **chosen)
    if as_json:
        click.echo(json.dumps(asdict(exported), indent=2))
    else:
        _show(exported)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The labels in {path} cannot be read. Give a text file.") from error


def _examples(
    model: "keras.Model", name: str, data_dir: Path | None, count: int, quantize: str | None
) -> dict[str, Any]:
    """What the file is compared on, and what an integer file is calibrated on."""
    splits = _splits(model, name, data_dir)
    images, truth = splits.test_arrays(count)
    found: dict[str, Any] = {"batch": images, "truth": truth}
    if quantize in ("int8", "int8_io"):
        found["representative"] = splits.validation_arrays(REPRESENTATIVE)[0]
    return found


def _splits(model: "keras.Model", name: str, data_dir: Path | None) -> "Splits":
    with quiet_descriptors():
        data = import_module("keras_prune.data")
    shapes = [tuple(tensor.shape[1:]) for tensor in (*model.inputs, *model.outputs)]
    splits: Splits = data.load(name, input_shape=shapes[0], data_dir=data_dir)
    if shapes[1:] != [(splits.num_classes,)]:
        raise DataError(
            f"{name!r} has {splits.num_classes} classes; expected a model of one input and as many "
            f"outputs. Received: {' and '.join(map(str, shapes))}."
        )
    return splits


def _show(exported: "Exported") -> None:
    from rich.console import Console

    rows = {
        "Format": " ".join(filter(None, [exported.format, exported.quantize])),
        "Size (bytes)": f"{exported.bytes:,}",
        "Largest error": f"{exported.max_abs_error:.2g}",
        "Same class (%)": _percent(exported.top1_agreement),
        "Accuracy (%)": _percent(exported.accuracy),
        "Accuracy of the model (%)": _percent(exported.model_accuracy),
    }
    console = Console()
    for name, value in rows.items():
        if value:
            console.print(f"{name:26}{value:>16}", highlight=False)
    console.print(f"Verified: {exported.path}", highlight=False, soft_wrap=True)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
